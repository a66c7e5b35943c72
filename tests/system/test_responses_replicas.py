"""Responses on replicas with one Redis: asked of one, had from any."""

import json
import random
import re
import time

import pytest
from cluster import Cluster

ARTICLE = "Write an article of 1,500 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 900, "name": "gate"}]}
WAIT_S = 30


@pytest.fixture(name="replicas")
def fixture_replicas(backend, tmp_path):
    """Three of them."""
    cluster = Cluster(tmp_path, backend.url)
    yield cluster.replicas
    cluster.stop()


def create(replica, **more):
    """The answer to a request for a long text."""
    return replica.call("POST", "/v1/responses", {"model": "longhand", "input": ARTICLE, **more})


def object_of(replica, name):
    """The response as this replica has it."""
    return replica.call("GET", f"/v1/responses/{name}").json()


def wait_for(replica, name, status):
    """Polls until the response has this status."""
    deadline = time.monotonic() + WAIT_S
    while (seen := object_of(replica, name))["status"] != status:
        assert time.monotonic() < deadline, seen["status"]
        time.sleep(0.02)
    return seen


def test_events_have_the_same_bytes_everywhere(replicas):
    answer = create(replicas[0], stream=True)
    name = "resp_" + answer.headers["x-longhand-job"]
    for replica in replicas:
        assert replica.call("GET", f"/v1/responses/{name}?stream=true").raw_body == answer.raw_body
    blocks = answer.raw_body.split(b"\n\n")
    after = len(blocks) // 2
    rest = replicas[1].call("GET", f"/v1/responses/{name}?stream=true&starting_after={after}").raw_body
    assert rest == b"\n\n".join(blocks[after + 1 :])
    assert object_of(replicas[2], name) == object_of(replicas[0], name)


def test_a_running_one_is_followed_anywhere(replicas, backend):
    backend.script(GATE)
    first = create(replicas[0], background=True).json()
    backend.wait(held=1)
    following = replicas[1].ask("GET", f"/v1/responses/{first['id']}?stream=true")
    while b"output_text.delta" not in following.raw_body:
        assert following.read_some()
    backend.release("gate")
    following.read()
    wait_for(replicas[2], first["id"], "completed")
    again = replicas[2].call("GET", f"/v1/responses/{first['id']}?stream=true").raw_body
    assert re.sub(rb"(?m)^: [^\n]*\n\n", b"", following.raw_body) == again


def test_a_background_one_outlives_its_process(replicas, backend):
    backend.script({"role": "write", "role_calls": [2], "faults": [{"how": "stall", "at_byte": 900}]})
    first = create(replicas[0], background=True).json()
    backend.wait(held=1)
    replicas[0].kill()
    done = wait_for(replicas[1], first["id"], "completed")
    text = done["output"][-1]["content"][0]["text"]
    streamed = replicas[2].call("GET", f"/v1/responses/{first['id']}?stream=true").raw_body.decode()
    events = [json.loads(line[6:]) for line in streamed.split("\n") if line.startswith("data: ")]
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta") == text


def test_it_is_cancelled_and_erased_anywhere(replicas, backend):
    backend.script({"role": "write", "role_calls": [2], "faults": [{"how": "stall", "at_byte": 900}]})
    first = create(replicas[0], background=True).json()
    backend.wait(held=1)
    assert replicas[1].call("POST", f"/v1/responses/{first['id']}/cancel").json()["status"] == "cancelled"
    assert wait_for(replicas[2], first["id"], "cancelled")
    assert replicas[2].call("DELETE", f"/v1/responses/{first['id']}").json()["deleted"] is True
    assert replicas[2].call("GET", f"/v1/responses/{first['id']}").status == 404


def test_cuts_resume_on_any_replica(replicas, backend):
    backend.script(chunk_ms=1)
    rng = random.Random(7)
    name = create(replicas[0], background=True).json()["id"]
    raw, number, tries = b"", -1, 0
    while True:
        query = f"?stream=true&starting_after={number}" if number >= 0 else "?stream=true"
        answer = rng.choice(replicas).ask("GET", f"/v1/responses/{name}{query}")
        assert answer.status == 200
        tries += 1
        cut = rng.randrange(1, 3000 if tries < 30 else 60000)  # the last events are large
        while len(answer.raw_body) < cut and answer.read_some():
            pass
        answer.sock.close()
        got = re.sub(rb"(?m)^: [^\n]*\n\n", b"", answer.raw_body)
        raw += got[: got.rfind(b"\n\n") + 2] if b"\n\n" in got else b""
        numbers = re.findall(rb'"sequence_number":(\d+)', raw)
        number = int(numbers[-1]) if numbers else -1
        if answer.is_whole and b"event: response.completed" in raw:
            break
    assert raw == replicas[0].call("GET", f"/v1/responses/{name}?stream=true").raw_body
