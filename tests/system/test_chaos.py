"""The short form of `make chaos`: three longhandd on one Redis, while things die."""

import chaos
import pytest
from cluster import Cluster


@pytest.fixture(name="cluster")
def fixture_cluster(backend, tmp_path):
    """Three replicas; what is not killed must end well."""
    cluster = Cluster(tmp_path, backend.url, lease_ms=chaos.LEASE_MS, reader_grace_ms=2000)
    yield cluster
    cluster.stop()


def test_cuts_at_random_bytes_lose_and_double_nothing(backend, cluster):
    assert chaos.cuts(cluster, backend, count=60) >= 60


def test_kills_lose_and_double_nothing(backend, cluster):
    assert chaos.kills(cluster, backend, count=3, n_jobs=8) > 0


@pytest.mark.parametrize("name", chaos.FAULTS)
def test_streams_outlive_redis(backend, cluster, name):
    chaos.fault(cluster, backend, name, n_jobs=6)
