"""longhandd started again on its directory: its jobs are there, and go on where somebody wants them."""

import json
import time

import pytest
from chat import Chunks, assert_error, has_content, request, stream
from daemon import Daemon

ARTICLE = "Write an article of 2,000 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
RETRY = {"x-stainless-retry-count": "1"}
BODY = request(ARTICLE, stream=True)
WAIT_S = 30


@pytest.fixture(name="run")
def fixture_run(backend, tmp_path):
    """A function that starts longhandd on the directory; what is not killed must end well."""
    started = []

    def run(**settings):
        daemon = Daemon(backend.url, "--state-dir", str(tmp_path / "state"), **settings)
        started.append(daemon)
        return daemon

    yield run
    for daemon in started:
        if daemon.process.returncode is None:
            daemon.stop()


def job_of(answer):
    """The job of a long answer."""
    return answer.headers["x-longhand-job"]


def path_of(job, tail=""):
    """The path of a job."""
    return f"/v1/longhand/jobs/{job}{tail}"


def wait_for(longhand, job, status):
    """Asks until a job has this status."""
    end = time.monotonic() + WAIT_S
    while (now := longhand.call("GET", path_of(job)).json().get("status")) != status:
        assert time.monotonic() < end, now


def content(events):
    """The content that events of a stream brought, as bytes."""
    deltas = [c["delta"] for e in events if e.json for c in e.json.get("choices", [])]
    return "".join(d.get("content") or "" for d in deltas).encode()


def until_cut(events):
    """What comes before the connection breaks."""
    seen = []
    try:
        seen.extend(iter(events))
    except (OSError, ValueError, AssertionError):
        pass
    return seen


def begin_and_kill(backend, longhand, body=BODY, headers=None):
    """A job that is killed in mid text: its id, and what its reader got."""
    backend.script(GATE)
    answer = longhand.chat(body, headers)
    events = answer.events()
    seen = [next(event for event in events if has_content(event))]
    backend.wait(held=1)
    longhand.kill()
    seen += until_cut(events)
    answer.close()
    backend.script()
    return job_of(answer), content(seen)


def read_rest(longhand, job, offset):
    """The content from that byte on, to its end."""
    got = Chunks(longhand.ask("GET", path_of(job, f"/chat?offset={offset}")))
    assert got.is_done, got.error
    return got.text.encode()


def test_a_reader_goes_on_at_the_byte(backend, run):
    job, got = begin_and_kill(backend, run())
    again = run()
    wait_for(again, job, "parked")
    assert [j["id"] for j in again.call("GET", "/v1/longhand/jobs").json()["data"]] == [job]
    whole = got + read_rest(again, job, len(got))
    assert whole == again.call("GET", path_of(job, "/text")).raw_body
    said = again.call("GET", path_of(job)).json()
    assert said["status"] == "done"
    assert abs(said["words"] - 2000) <= 40


def test_a_request_that_comes_again_takes_its_job_up(backend, run):
    job, got = begin_and_kill(backend, run())
    again = run()
    answer = stream(again, BODY, RETRY)
    assert job_of(answer.answer) == job
    assert answer.is_done
    assert answer.text.encode().startswith(got)
    assert abs(answer.report["words"] - 2000) <= 40


def test_so_it_does_by_its_key_and_no_other(backend, run):
    key = {"Idempotency-Key": "abc"}
    job, got = begin_and_kill(backend, run(), headers=key)
    again = run()
    assert_error(again.chat(request(ARTICLE + " Please."), key), 422, code="idempotency_key_reused")
    answer = stream(again, BODY, key)
    assert job_of(answer.answer) == job
    assert answer.text.encode().startswith(got)
    text = answer.text
    again.kill()
    third = run()
    assert stream(third, BODY, key).text == text, "also when it has ended"
    assert job_of(stream(third, BODY).answer) != job, "it was delivered: asked for anew"


def test_what_is_to_be_kept_goes_on_by_itself(backend, run):
    job, got = begin_and_kill(backend, run(), request(ARTICLE, stream=True, longhand={"keep": True}))
    again = run()
    wait_for(again, job, "done")
    text = again.call("GET", path_of(job, "/text")).raw_body
    assert text.startswith(got)


def test_a_parked_job_is_cancelled_after_a_restart(backend, run):
    job, got = begin_and_kill(backend, run())
    again = run()
    calls = len(backend.requests())
    said = again.call("POST", path_of(job, "/cancel"))
    assert said.status == 200, said.raw_body
    assert said.json()["status"] == "cancelled"
    assert again.call("GET", path_of(job, "/text")).raw_body.startswith(got)
    assert len(backend.requests()) == calls


@pytest.mark.parametrize("keep", [False, True])
def test_sigterm_parks_and_tells_where_to_go_on(backend, run, keep):
    longhand = run(shutdown_grace_ms=200)
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True, longhand={"keep": keep}))
    events = answer.events()
    seen = [next(event for event in events if has_content(event))]
    backend.wait(held=1)
    longhand.terminate()
    seen += list(events)
    assert longhand.wait() == 0, longhand.log()
    assert "keeps the text" in json.loads(seen[-1].data)["error"]["message"], seen[-1].data
    assert "shutting_down" in seen[-1].data
    backend.script()
    again = run()
    job, got = job_of(answer), content(seen[:-1])
    wait_for(again, job, "done" if keep else "parked")
    whole = got + read_rest(again, job, len(got))
    assert whole == again.call("GET", path_of(job, "/text")).raw_body
