"""Slow backends: heartbeats, white space, and the head of the answer."""

import json

import pytest
from chat import Chunks, assert_error, has_content, read_until, request

ARTICLE = "Write an article of 2,000 words about the history of tea."
HOLD_SECOND = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 400, "name": "gate"}]}


def test_silence_is_filled_with_heartbeats(backend, start):
    longhand = start(heartbeat_ms=30)
    backend.script(HOLD_SECOND)
    answer = longhand.chat(request(ARTICLE, stream=True))
    chunks = Chunks.__new__(Chunks)
    chunks.answer, chunks.events, chunks.chunks, chunks.comments = answer, [], [], []
    chunks.error, chunks.is_done = None, False
    for event in answer.events():
        chunks.add(event)
        if len(chunks.comments) == 3:
            backend.release("gate")
    assert set(chunks.comments) == {"hb"}
    assert b": hb\n\n" in answer.raw_body
    assert chunks.is_done
    assert chunks.finish == "stop"


def test_passthrough_has_no_heartbeats(backend, start):
    longhand = start(heartbeat_ms=10)
    backend.script(chunk_ms=40, words_per_chunk=2)
    answer = longhand.chat(request("Say 20 words.", "scripted-model", stream=True))
    assert b": hb" not in answer.read()


def test_a_whole_answer_waits_with_white_space(backend, start):
    longhand = start(json_whitespace_after_ms=30, heartbeat_ms=30)
    backend.script(HOLD_SECOND)
    answer = longhand.chat(request(ARTICLE))
    while len(answer.raw_body) < 3:
        assert answer.read_some().strip() == b""
    backend.release("gate")
    body = json.loads(answer.read())
    assert body["choices"][0]["finish_reason"] == "stop"
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-longhand-job"]


def test_a_whole_answer_without_waiting_has_no_white_space(longhand):
    assert longhand.chat(request(ARTICLE)).read()[:1] == b"{"


def test_text_is_sent_as_it_is_written(backend, longhand):
    backend.script(HOLD_SECOND)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    assert backend.wait(held=1)["held"] == 1, "text came while the second section was still held"
    backend.release("gate")
    assert b"[DONE]" in answer.read()


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_at_the_start_is_a_status(backend, longhand, status, is_stream):
    backend.script(status=status, error={"message": "no, thank you"})
    answer = longhand.chat(request(ARTICLE, stream=is_stream))
    # that the backend does not take our key is not the client's fault
    assert_error(answer, 502 if status == 401 else status, code="backend_rejected")
    assert len(backend.requests()) <= 4, "asking again is of no use"


def test_headers_do_not_wait_for_ever(backend, start):
    longhand = start(first_status_ms=50, heartbeat_ms=30)
    backend.script({"calls": [1], "faults": [{"how": "hold", "at_byte": 0, "of": "wire", "name": "gate"}]})
    answer = longhand.chat(request(ARTICLE, stream=True))
    assert answer.status == 200
    read_until(answer, lambda event: event.comment == "hb")
    backend.release("gate")
    assert b"[DONE]" in answer.read()
