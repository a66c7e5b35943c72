"""Backends that speak HTTP and server-sent events in ways that are rare, on the long path."""

import json

from chat import request, stream

SHORT = {"longhand": {"target_words": 30}}
SENTENCE = "Tea came to the west by ship and by road, over many years of trade and of quiet war."


def event(**choice):
    """One chunk of a backend."""
    return "data: " + json.dumps({"choices": [{"index": 0, **choice}]}) + "\n\n"


def answer(*texts):
    """A whole stream of these pieces of text."""
    pieces = [event(delta={"content": text}) for text in texts]
    return "".join(pieces) + event(delta={}, finish_reason="stop") + "data: [DONE]\n\n"


def script(backend, body, **more):
    """The backend answers every call with this stream."""
    backend.script({"raw_body": body, "content_type": "text/event-stream", **more})


def test_what_comes_after_done_does_not_count(backend, longhand):
    script(backend, answer(SENTENCE) + answer(" It is drunk in the morning too, and late at night."))
    got = stream(longhand, request("Write about tea.", **SHORT))
    assert got.finish == "stop"
    assert "morning" not in got.text


def test_a_backend_that_stays_open_after_done(backend, start):
    longhand = start(idle_ms=600000, total_ms=0)
    script(backend, answer(SENTENCE + " " + SENTENCE.replace("Tea", "It")) + ": never sent", framing="chunked",
           faults=[{"how": "hold", "at_byte": len(answer(SENTENCE + " " + SENTENCE.replace("Tea", "It"))), "name": "end"}])
    got = stream(longhand, request("Write about tea.", **SHORT))
    assert got.finish == "stop"
    assert got.text.startswith("Tea came")
    backend.release("end")


def test_zero_bytes_in_a_text_are_dropped(backend, longhand):
    script(backend, answer("\0" + SENTENCE[:20] + "\0", "\0", SENTENCE[20:] + "\0\0"))
    got = stream(longhand, request("Write about tea.", **SHORT))
    assert got.text.startswith(SENTENCE)


def test_an_emoji_cut_in_two_does_not_end_the_text(backend, longhand):
    script(backend, answer("Green tea \ud83c", "\udf75 " + SENTENCE))
    got = stream(longhand, request("Write about tea.", **SHORT))
    assert got.text.startswith("Green tea \ufffd\ufffd Tea came")
    assert got.finish == "stop"
