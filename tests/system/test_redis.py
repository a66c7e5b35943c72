"""Long texts in Redis, as one longhandd keeps them there: what other tools see, and what it needs."""

import pathlib
import re
import time

import cluster
import pytest
from chat import Chunks, has_content, read_until, request
from cluster import RedisServer, TcpProxy
from daemon import ROOT, Daemon

ARTICLE = "Write an article of 2,000 words about the history of tea."
HOLD_SECOND = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 400, "name": "gate"}]}
HOLD_FIRST = {"role": "plan", "faults": [{"how": "hold", "at_byte": 0, "name": "gate"}]}
OPERATIONS = ROOT / "docs" / "operations.md"
WAIT_S = 20


@pytest.fixture(name="server")
def fixture_server(tmp_path):
    """redis-server, in memory."""
    server = RedisServer(tmp_path / "redis", is_durable=False)
    yield server
    server.stop()


def await_log(daemon, pattern):
    """The first line that says so."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if found := re.search(pattern, daemon.log()):
            return found.group()
        time.sleep(0.01)
    raise AssertionError(f"{pattern} is not in the log:\n{daemon.log()}")


def on_redis(start, url, **settings):
    """longhandd, once it is ready to write there."""
    daemon = start("--redis", url, **settings)
    await_log(daemon, "redis_up")
    return daemon


def write_text(daemon):
    """The job and the content of a text."""
    answer = daemon.chat(request(ARTICLE, stream=True))
    chunks = Chunks(answer)
    assert chunks.finish == "stop"
    return answer.headers["x-longhand-job"], chunks.text


def events_of(client, job, prefix="longhand"):
    """A job's events, read as docs/operations.md says."""
    return cluster.events_of(client.xrange(f"{prefix}:log:{job}"))


def test_a_text_is_there_while_it_is_written(backend, start, server):
    daemon = on_redis(start, server.url())
    backend.script(HOLD_SECOND)
    answer = daemon.chat(request(ARTICLE, stream=True))
    seen = read_until(answer, has_content)
    job = answer.headers["x-longhand-job"]
    backend.wait(held=1)
    with server.client() as client:
        kinds = [event["kind"] for event in events_of(client, job)]
        assert kinds[0] == "created"
        assert {"planned", "text"} <= set(kinds)
        fields = client.xrange(f"longhand:log:{job}")[-1][1]
        assert fields[b"s"] == b"running"
        writers = [key.decode().removeprefix("longhand:writer:") for key in client.scan_iter("longhand:writer:*")]
        running = {k: v for n in range(16) for k, v in client.hgetall(f"longhand:running:{n}").items()}
        assert {key.decode(): value.decode() for key, value in running.items()} == {job: writers[0]}
        backend.release("gate")
        rest = answer.read()
        assert b"[DONE]" in rest
        assert seen
        fields = client.xrange(f"longhand:log:{job}")[-1][1]
        assert fields[b"s"] == b"ended"
        assert not any(client.hgetall(f"longhand:running:{n}") for n in range(16))


def test_the_log_is_the_text(start, server):
    daemon = on_redis(start, server.url(), redis_prefix="other.prefix")
    job, text = write_text(daemon)
    with server.client() as client:
        events = events_of(client, job, "other.prefix")
        assert "".join(event["text"] for event in events if event["kind"] == "text") == text
        assert events[-1]["kind"] == "done"
        places = [entry.decode() for entry, _ in client.xrange(f"other.prefix:log:{job}")]
        counts = [int(fields[b"n"]) for _, fields in client.xrange(f"other.prefix:log:{job}")]
        assert [event["id"] for event in events][-1] == places[-1]
        assert sum(counts) == len(events)


def test_every_key_goes_by_itself(backend, start, server):
    daemon = on_redis(start, server.url())
    write_text(daemon)
    job, _ = write_text(daemon)
    assert daemon.call("DELETE", f"/v1/longhand/jobs/{job}").status == 200
    backend.script(HOLD_SECOND)
    answer = daemon.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    with server.client() as client:
        keys = list(client.scan_iter(count=1000))
        assert len(keys) >= 5
        assert [key for key in keys if client.pttl(key) <= 0] == []
    backend.release("gate")
    answer.read()


class CountingProxy(TcpProxy):
    """Counts how often the client speaks after the server has."""

    def __init__(self, port):
        self.servers = set()
        self.trips = 0
        self.is_servers_turn = False
        super().__init__(port)

    def _forward(self, source):
        is_server = source.getpeername()[1] == self.upstream
        if not is_server and not self.is_servers_turn:
            self.trips += 1
        self.is_servers_turn = not is_server
        super()._forward(source)


def test_two_round_trips_before_the_backend_is_asked(backend, start, server):
    proxy = CountingProxy(server.port)
    try:
        daemon = on_redis(start, server.url(proxy.port), lease_ms=600000, scan_ms=600000)
        backend.script(HOLD_FIRST)
        before = proxy.trips
        answer = daemon.chat(request(ARTICLE, stream=True))
        backend.wait(held=1)
        assert 1 <= proxy.trips - before <= 2
        backend.release("gate")
        assert b"[DONE]" in answer.read()
        daemon.stop()
    finally:
        proxy.stop()


def acl_example():
    """The rules in the documentation, as arguments."""
    found = re.search(r"^ACL SETUSER (longhand .*?)\n```", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found.group(1).replace("\\\n", " ").split()


def test_the_documented_permissions_are_enough(start, server):
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", *acl_example())
    daemon = on_redis(start, f"redis://longhand:a-secret@127.0.0.1:{server.port}/0", lease_ms=300)
    job, text = write_text(daemon)
    assert len(text) > 5000
    assert daemon.call("DELETE", f"/v1/longhand/jobs/{job}").status == 200
    with server.client() as client:
        renewed = client.info("commandstats")["cmdstat_pexpire"]["calls"] + 2
        while client.info("commandstats")["cmdstat_pexpire"]["calls"] < renewed:
            time.sleep(0.01)
    assert "redis_refuses" not in daemon.log()
    assert "redis_forbids" not in daemon.log()
    assert "a-secret" not in daemon.log()


def test_missing_permissions_are_told(start, server):
    rules = [rule for rule in acl_example() if rule != "+script|load"]
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", *rules)
    daemon = start("--redis", f"redis://longhand:a-secret@127.0.0.1:{server.port}/0")
    assert "script" in await_log(daemon, "redis_forbids.*")
    assert daemon.call("GET", "/v1/models").status == 200


def test_a_wrong_password_is_told_without_it(start, server):
    daemon = start("--redis", f"redis://:wr0ng@127.0.0.1:{server.port}/0")
    line = await_log(daemon, "redis_down.*")
    assert "AUTH" in line or "WRONGPASS" in line
    assert "wr0ng" not in daemon.log()


def test_eviction_is_warned_of(start, tmp_path):
    server = RedisServer(tmp_path / "evicting", "--maxmemory-policy", "allkeys-lru", is_durable=False)
    try:
        daemon = on_redis(start, server.url())
        assert "detail=allkeys-lru" in await_log(daemon, "redis_evicts.*")
        daemon.stop()
    finally:
        server.stop()


def test_no_eviction_is_not_warned_of(start, server):
    assert "redis_evicts" not in on_redis(start, server.url()).log()


@pytest.fixture(name="replica")
def fixture_replica(server, tmp_path):
    """A replica, in step with the server."""
    replica = RedisServer(tmp_path / "replica", "--replicaof", "127.0.0.1", str(server.port), is_durable=False)
    end = time.monotonic() + WAIT_S
    with replica.client() as client:
        while client.info("replication")["master_link_status"] != "up" and time.monotonic() < end:
            time.sleep(0.01)
    yield replica
    replica.stop()


def test_the_end_has_reached_a_replica_before_it_is_told(start, server, replica):
    daemon = on_redis(start, server.url())
    job, text = write_text(daemon)
    server.stop(9)  # at once: nothing more can reach it
    with replica.client() as client:
        events = events_of(client, job)
        assert events[-1]["kind"] == "done"
        assert "".join(event["text"] for event in events if event["kind"] == "text") == text
    assert "redis_unreplicated" not in daemon.log()
    assert server.start()


def test_a_replica_that_hangs_holds_nothing_up(start, server, replica):
    daemon = on_redis(start, server.url())
    replica.freeze()
    write_text(daemon)
    await_log(daemon, "redis_unreplicated.*")
    replica.thaw()


def fail_over(proxy, server, replica):
    """The server dies, and the name in the URL leads to its replica."""
    server.stop(9)
    proxy.upstream = replica.port
    proxy.cut()
    proxy.heal()


def promote(replica):
    """It is a server of its own from now on, with what it has."""
    with replica.client() as client:
        client.execute_command("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize("loss", ["nothing", "tail", "all"])
def test_a_failover_loses_nothing(backend, server, replica, loss):
    """The replica has all of the log, its beginning, or has never heard of it."""
    proxy = TcpProxy(server.port)
    try:
        daemon = Daemon(backend.url, "--redis", server.url(proxy.port), lease_ms=1000)
        await_log(daemon, "redis_up")
        if loss == "all":
            promote(replica)
        backend.script(
            {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 400, "name": "second"}]},
            {"role": "write", "role_calls": [4], "faults": [{"how": "hold", "at_byte": 400, "name": "fourth"}]},
        )
        answer = daemon.chat(request(ARTICLE, stream=True))
        job = answer.headers["x-longhand-job"]
        backend.wait(held=1)
        if loss == "tail":
            promote(replica)
        backend.release("second")
        backend.wait(held=1)
        if loss == "nothing":
            promote(replica)
        fail_over(proxy, server, replica)
        backend.release("fourth")
        chunks = Chunks(answer)
        assert chunks.finish == "stop"
        with replica.client() as client:
            events = events_of(client, job)
        assert "".join(event["text"] for event in events if event["kind"] == "text") == chunks.text
        assert [event["id"] for event in events] == [f"1-{n}" for n in range(1, len(events) + 1)]
        assert ("log_written_again" in daemon.log()) == (loss == "all")
        daemon.stop()
    finally:
        proxy.stop()


def test_a_process_that_stops_leaves_no_lease(backend, server):
    daemon = Daemon(backend.url, "--redis", server.url())
    await_log(daemon, "redis_up")
    with server.client() as client:
        assert len(list(client.scan_iter("longhand:writer:*"))) == 1
        daemon.stop()
        assert list(client.scan_iter("longhand:writer:*")) == []


def test_it_stops_while_redis_is_away(backend, server, tmp_path):
    assert pathlib.Path(tmp_path).exists()
    daemon = Daemon(backend.url, "--redis", server.url())
    await_log(daemon, "redis_up")
    server.freeze()
    daemon.stop()
    server.thaw()
