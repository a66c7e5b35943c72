"""Three longhandd on one Redis: any of them serves any job, and none of them is missed."""

import time

import pytest
from chat import Chunks, has_content, request, stream
from cluster import Cluster, RedisServer
from daemon import Daemon

ARTICLE = "Write an article of 2,000 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
BODY = request(ARTICLE, stream=True)
RETRY = {"x-stainless-retry-count": "1"}
LEASE_S = 0.5
WAIT_S = 30


@pytest.fixture(name="cluster")
def fixture_cluster(backend, tmp_path):
    """Three replicas; what is not killed must end well."""
    server = RedisServer(tmp_path / "redis", is_durable=False)
    cluster = Cluster(tmp_path, backend.url, server=server, lease_ms=int(LEASE_S * 1000))
    yield cluster
    cluster.stop()


def job_of(answer):
    """The job of a long answer."""
    return answer.headers["x-longhand-job"]


def path_of(job, tail=""):
    """The path of a job."""
    return f"/v1/longhand/jobs/{job}{tail}"


def status_of(replica, job):
    """A job's status, as a replica sees it; None where there is none."""
    return replica.call("GET", path_of(job)).json().get("status")


def wait_for(condition):
    """Asks until it is so."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end


def text_of(replica, job):
    """A job's text, as bytes."""
    return replica.call("GET", path_of(job, "/text")).raw_body


class Reader:
    """A stream that is read piece by piece."""

    def __init__(self, answer):
        self.answer = answer
        self.events = answer.events()
        self.seen = []

    def read_some(self):
        """Up to the first content."""
        for event in self.events:
            self.seen.append(event)
            if has_content(event):
                return self
        raise AssertionError(f"it ends before: {self.seen[-1].data}")

    def read_all(self):
        """To the end of the stream."""
        self.seen += list(self.events)
        return self

    @property
    def content(self):
        """The content read so far, as bytes."""
        deltas = [c["delta"] for e in self.seen if e.json for c in e.json.get("choices", [])]
        return "".join(d.get("content") or "" for d in deltas).encode()

    @property
    def last(self):
        """The last event's data."""
        return self.seen[-1].data

    @property
    def job(self):
        """The job of the answer."""
        return job_of(self.answer)


def follow(replica, job):
    """Another reader of a job, from its start."""
    return Reader(replica.ask("GET", path_of(job, "/chat?offset=0"))).read_some()


def begin(backend, replica, body=BODY):
    """A job held in mid text, and its reader."""
    backend.script(GATE)
    reader = Reader(replica.chat(body)).read_some()
    backend.wait(held=1)
    return reader


def read_rest(replica, job, offset):
    """The content from that byte on, to its end."""
    got = Chunks(replica.ask("GET", path_of(job, f"/chat?offset={offset}")))
    assert got.is_done, got.error
    return got.text.encode()


def test_a_job_is_read_anywhere_while_it_is_written(backend, cluster):
    first, second, third = cluster.replicas
    reader = begin(backend, first)
    job = reader.job
    other = follow(second, job)
    assert status_of(third, job) == "writing"
    assert [j["id"] for j in third.call("GET", "/v1/longhand/jobs").json()["data"]] == [job]
    backend.release("gate")
    assert reader.read_all().last == other.read_all().last == "[DONE]"
    assert reader.content == other.content == text_of(third, job)
    events = [r.call("GET", path_of(job, "/events")).raw_body for r in cluster.replicas]
    assert events[0] == events[1] == events[2]


def test_a_parked_job_goes_on_anywhere(backend, cluster):
    first, second, third = cluster.replicas
    reader = begin(backend, first)
    job, got = reader.job, reader.content
    reader.answer.close()
    wait_for(lambda: status_of(second, job) == "parked")
    backend.script()
    rest = read_rest(second, job, len(got))
    assert got + rest == text_of(third, job)
    assert status_of(first, job) == "done"


def test_a_retry_takes_its_job_up_anywhere(backend, cluster):
    first, second, _ = cluster.replicas
    reader = begin(backend, first)
    reader.answer.close()
    wait_for(lambda: status_of(second, reader.job) == "parked")
    backend.script()
    again = stream(second, BODY, RETRY)
    assert job_of(again.answer) == reader.job
    assert again.text.encode().startswith(reader.content)
    assert again.is_done


def test_a_job_is_cancelled_anywhere(backend, cluster):
    first, second, third = cluster.replicas
    reader = begin(backend, first, request(ARTICLE, stream=True, longhand={"keep": True}))
    said = second.call("POST", path_of(reader.job, "/cancel"))
    assert said.status == 200, said.raw_body
    assert said.json()["status"] == "cancelled"
    backend.release("gate")
    assert reader.read_all().last == "[DONE]"
    assert reader.content == text_of(third, reader.job)
    assert {status_of(r, reader.job) for r in cluster.replicas} == {"cancelled"}


def test_a_job_is_erased_anywhere(backend, cluster):
    first, second, third = cluster.replicas
    reader = begin(backend, first)
    other = follow(third, reader.job)
    assert second.call("DELETE", path_of(reader.job)).status == 200
    backend.release("gate")
    assert "job_erased" in reader.read_all().last
    assert "job_erased" in other.read_all().last
    assert [status_of(r, reader.job) for r in cluster.replicas] == [None, None, None]


def test_an_ended_job_that_another_replica_erased_is_gone(cluster):
    writer, other, third = cluster.replicas
    job = job_of(stream(writer, request("Write an article of 300 words about tea.")).answer)
    assert status_of(writer, job) == "done"
    assert other.call("DELETE", path_of(job)).status == 200
    for replica in (writer, other, third):
        assert replica.call("GET", path_of(job)).status == 404
        assert replica.call("GET", path_of(job, "/text")).status == 404


@pytest.mark.parametrize("keep", [False, True])
def test_a_killed_replica_is_not_missed(backend, cluster, keep):
    first, second, third = cluster.replicas
    reader = begin(backend, first, request(ARTICLE, stream=True, longhand={"keep": keep}))
    follower = follow(second, reader.job)
    backend.script()
    killed_at = time.time()
    first.kill()
    reader.answer.close()
    assert follower.read_all().last == "[DONE]"
    assert follower.content == text_of(third, reader.job)
    assert follower.content.startswith(reader.content)
    events = [e.json for e in third.ask("GET", path_of(reader.job, "/events")).events()]
    assert len([e for e in events if e["kind"] == "done"]) == 1
    claims = [e for e in events if e["kind"] == "claimed"]
    assert claims
    assert claims[0]["t_ms"] / 1000 - killed_at <= LEASE_S + 2


def test_an_orphan_that_nobody_reads_is_parked_or_kept(backend, cluster):
    first, second, _ = cluster.replicas
    backend.script(chunk_ms=5)
    readers = {
        keep: Reader(first.chat(request(ARTICLE, stream=True, longhand={"keep": keep}))).read_some()
        for keep in (False, True)
    }
    first.kill()
    backend.script()
    wait_for(lambda: status_of(second, readers[True].job) == "done")
    wait_for(lambda: status_of(second, readers[False].job) == "parked")
    for reader in readers.values():
        assert text_of(second, reader.job).startswith(reader.content)


def test_sigterm_hands_over(backend, cluster):
    first, second, third = cluster.replicas
    reader = begin(backend, first)
    backend.script()
    asked_at = time.time()
    first.terminate()
    assert reader.read_all().last == "[DONE]", "it follows to the end"
    assert reader.content == text_of(second, reader.job) == text_of(third, reader.job)
    events = [e.json for e in second.ask("GET", path_of(reader.job, "/events")).events()]
    kinds = [e["kind"] for e in events]
    assert kinds.index("parked") + 1 == kinds.index("claimed")
    assert events[kinds.index("claimed")]["t_ms"] / 1000 - asked_at <= 2
    assert first.wait() == 0, first.log()


def test_a_frozen_replica_sends_and_writes_nothing_more(backend, cluster):
    first, second, third = cluster.replicas
    reader = begin(backend, first)
    follower = follow(second, reader.job)
    first.freeze()
    wait_for(lambda: any(entry[0].startswith(b"2-") for entry in cluster.log_of(reader.job)))
    backend.release("gate")
    follower.read_all()
    first.thaw()
    assert reader.read_all().last == follower.last == "[DONE]", "it follows the other's text"
    assert reader.content == follower.content == text_of(third, reader.job)


def test_redis_may_go_for_a_while(backend, cluster):
    first, second, third = cluster.replicas
    backend.script(chunk_ms=2)
    reader = Reader(first.chat(BODY)).read_some()
    follower = follow(second, reader.job)
    cluster.redis.freeze()
    time.sleep(4 * LEASE_S)  # what is measured: it is away for so long
    cluster.redis.thaw()
    assert reader.read_all().last == follower.read_all().last == "[DONE]"
    assert reader.content == follower.content == text_of(third, reader.job)


def test_new_texts_are_refused_while_the_store_is_away(tmp_path, start):
    server = RedisServer(tmp_path / "redis", is_durable=False)
    try:
        daemon = start("--redis", server.url(), store_down="refuse")
        wait_for(lambda: daemon.chat(BODY).status == 200)
        server.stop()
        wait_for(lambda: b"store_unavailable" in daemon.call("POST", "/v1/chat/completions", BODY).raw_body)
        refused = daemon.call("POST", "/v1/chat/completions", BODY)
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert daemon.chat(request("Hello.")).status == 200, "what passes through is untouched"
        server.start()
        wait_for(lambda: daemon.call("POST", "/v1/chat/completions", request(ARTICLE)).status == 200)
    finally:
        server.stop()


def test_two_processes_share_a_port_and_their_jobs(backend, tmp_path):
    server = RedisServer(tmp_path / "redis", is_durable=False)
    settings = {"reuse_port": "true", "follow_ms": 20, "scan_ms": 100}
    first = Daemon(backend.url, "--redis", server.url(), **settings)
    second = Daemon(backend.url, "--redis", server.url(), listen=f"127.0.0.1:{first.port}", **settings)
    try:
        reader = begin(backend, first)
        others = [follow(first, reader.job) for _ in range(12)]  # the kernel deals them out
        backend.release("gate")
        reader.read_all()
        assert {other.read_all().content for other in others} == {reader.content}
        served = [d.call("GET", "/metrics") for d in (first, second) for _ in range(8)]
        assert len({a.raw_body.split(b"\nlonghand_jobs_kept ")[1][:1] for a in served}) == 2, "both answer"
    finally:
        first.stop()
        second.stop()
        server.stop()
