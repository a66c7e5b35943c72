"""Backends that fail while a long text is written, and the end of the process."""

import base64
import json
import re

import pytest
from backend_prose import count_words
from chat import Chunks, assert_error, has_content, read_until, request, stream

ARTICLE = "Write an article of 2,000 words about the history of tea."


def assert_fine(got):
    """The text is whole and of its length."""
    plain = re.sub(r"^#+ .*$", "", got.text, flags=re.MULTILINE)
    assert abs(count_words(got.text) - 2000) <= 40
    assert got.finish == "stop"
    assert got.is_done
    sentences = re.findall(r"[^.]{20,}\.", plain)
    assert len(set(sentences)) == len(sentences), "nothing is said twice"
    assert not re.search(r"[a-z]\n\n[a-z]", plain), "no sentence is broken off"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
@pytest.mark.parametrize("role", ["plan", "write"])
def test_a_failed_call_is_made_again(backend, longhand, role, status):
    backend.script({"role": role, "times": 2, "status": status})
    got = stream(longhand, request(ARTICLE))
    assert_fine(got)
    failed = [r for r in backend.requests() if r["rule"] == 0]
    assert len(failed) == 2
    assert got.report["calls"] == len(backend.bodies())


def test_retry_after_is_waited_for(backend, longhand):
    backend.script({"role": "write", "role_calls": [2], "status": 429, "retry_after": 1})
    assert_fine(stream(longhand, request(ARTICLE)))
    calls = backend.requests("write")
    assert calls[2]["at_ms"] - calls[1]["at_ms"] >= 990


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(("of", "at_byte"), [("wire", 0), ("body", 0), ("body", 500), ("body", 20000), ("body", 50001)])
def test_a_failure_within_a_section_goes_on_from_there(backend, longhand, how, of, at_byte):
    backend.script({"role": "write", "role_calls": [2], "words_per_chunk": 1,
                    "faults": [{"how": how, "at_byte": at_byte, "of": of}]})
    got = stream(longhand, request(ARTICLE))
    assert_fine(got)
    assert backend.wait(requests=1)["failed"] == 1


def test_what_was_written_before_a_failure_is_kept(backend, longhand):
    backend.script({"role": "write", "role_calls": [1], "words_per_chunk": 1, "keep_alive": True,
                    "faults": [{"how": "reset", "at_byte": 40000}]}, top={"keep_sent": True})
    got = stream(longhand, request(ARTICLE))
    assert_fine(got)
    broken = backend.requests("write")[0]


    sent = base64.b64decode(broken["sent_base64"]).decode("utf-8", "replace")
    words = re.findall(r'"delta":\{"content":"([^"]*)"\}', sent)
    first = "".join(words)[:300]
    assert first in got.text, "what was already there is not written anew"


def test_a_stall_within_a_section_goes_on_too(backend, start):
    longhand = start(idle_ms=200)
    backend.script({"role": "write", "role_calls": [2], "faults": [{"how": "stall", "at_byte": 3000}]})
    assert_fine(stream(longhand, request(ARTICLE)))


def test_an_error_inside_the_stream_goes_on_too(backend, longhand):
    backend.script({"role": "write", "role_calls": [2], "error_after": 60})
    assert_fine(stream(longhand, request(ARTICLE)))


def test_a_stream_that_ends_without_a_finish_is_a_failure(backend, longhand):
    backend.script({"role": "write", "role_calls": [2], "no_finish": True, "no_done": True, "stop_after": 40})
    assert_fine(stream(longhand, request(ARTICLE)))


def test_a_backend_that_stays_down_ends_the_stream_with_an_error(backend, start):
    longhand = start(retry_tries=3)
    backend.script({"role": "write", "role_calls": list(range(3, 100)), "status": 500})
    answer = longhand.chat(request(ARTICLE, stream=True))
    got = Chunks(answer)
    assert answer.status == 200
    assert answer.is_whole
    assert not got.is_done
    assert got.finish is None
    assert got.text
    job = answer.headers["x-longhand-job"]
    assert job in got.error["message"]
    assert got.error["type"] == "server_error"
    assert len([r for r in backend.requests("write") if r["rule"] == 0]) == 3
    assert longhand.call("GET", f"/v1/longhand/jobs/{job}").json()["status"] == "failed"
    assert longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode() == got.text


def test_a_backend_that_stays_down_before_anything_is_a_status(backend, start):
    longhand = start(retry_tries=2, breaker_failures=0)
    backend.script(status=500)
    plan = {"plan": [{"title": "One", "words": 900}, {"title": "Two", "words": 1100}]}
    for options in ({}, plan):
        for is_stream in (True, False):
            body = request(ARTICLE, stream=is_stream, longhand=options)
            assert_error(longhand.chat(body), 502, "server_error")


def test_a_whole_answer_of_a_backend_that_stays_down(backend, start):
    longhand = start(retry_tries=2)
    backend.script({"role": "write", "role_calls": list(range(2, 100)), "status": 503})
    assert_error(longhand.chat(request(ARTICLE)), 503, "server_error")


def test_a_whole_answer_that_has_begun_is_cut(backend, start):
    longhand = start(retry_tries=1, json_whitespace_after_ms=20)
    backend.script({"role": "write", "role_calls": [2],
                    "faults": [{"how": "hold", "at_byte": 0, "name": "gate"}, {"how": "reset", "at_byte": 10}]})
    answer = longhand.chat(request(ARTICLE))
    assert answer.read_some().strip() == b""
    backend.release("gate")
    answer.read()
    assert not answer.is_whole, "a client must not take it for an answer"


def test_a_window_too_small_is_kept_to(backend, start):
    longhand = start("--backend-window-tokens", "4000")
    backend.script(window=4000)
    got = stream(longhand, request("Write an article of 6,000 words about the history of tea."))
    assert got.finish == "stop"
    assert abs(got.report["words"] - 6000) <= 120
    assert not [r for r in backend.requests() if r["call"] and r["sent_body_bytes"] < 300], "no call was too long"


# --- the end of the process ---


def test_sigterm_lets_answers_end(backend, longhand):
    gate = {"faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
    backend.script({"role": "chat", **gate}, {"role": "write", **gate})
    passing = longhand.chat(request("Say 90 words.", "scripted-model", stream=True))
    writing = longhand.chat(request(ARTICLE, stream=True))
    backend.wait(held=2)
    longhand.terminate()
    backend.release("gate")
    assert b"[DONE]" in passing.read()
    assert Chunks(writing).is_done
    assert longhand.wait() == 0


def test_sigterm_is_told_by_readyz_before_the_door_closes(backend, start):
    longhand = start(drain_delay_ms=2000)
    assert longhand.call("GET", "/readyz").status == 200
    backend.script(faults=[{"how": "hold", "at_byte": 600, "name": "gate"}])
    passing = longhand.chat(request("Say 90 words.", "scripted-model", stream=True))
    backend.wait(held=1)
    longhand.terminate()
    statuses = []
    while 503 not in statuses:
        statuses.append(longhand.call("GET", "/readyz").status)
    backend.reset()
    assert longhand.call("GET", "/healthz").status == 200, "it still answers"
    assert longhand.call("POST", "/v1/chat/completions", request("Hi.", "scripted-model")).status == 200
    passing.close()
    assert longhand.wait() == 0


def test_after_the_grace_answers_end_with_an_error(backend, start):
    longhand = start(shutdown_grace_ms=100)
    backend.script({"role": "write", "role_calls": [2], "faults": [{"how": "stall", "at_byte": 600}]})
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    longhand.terminate()
    body = answer.read().decode()
    assert "[DONE]" not in body
    errors = [json.loads(line[6:])["error"] for line in body.splitlines() if line.startswith('data: {"error"')]
    assert len(errors) == 1
    assert answer.headers["x-longhand-job"] in errors[0]["message"]
    assert "/text" not in errors[0]["message"], "it is not kept"
    assert longhand.wait() == 0


def test_a_second_sigterm_does_not_wait(backend, start):
    longhand = start(shutdown_grace_ms=600000)
    backend.script(faults=[{"how": "stall", "at_byte": 600}])
    answer = longhand.chat(request("Say 90 words.", "scripted-model", stream=True))
    backend.wait(held=1)
    longhand.terminate()
    answer.close()
    assert longhand.wait() == 0
