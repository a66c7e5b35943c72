"""A backend that refuses, is late or breaks: which status the client gets, and that nothing hangs."""

import json
import socket

import pytest
from chat import assert_error, request

HELLO = request("Say hello.", "scripted-model")


def closed_port():
    """A port at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
def test_a_backend_that_is_not_there_is_502(start, is_stream, path):
    longhand = start("--model", "m", backend_url=f"http://127.0.0.1:{closed_port()}/v1")
    assert_error(longhand.ask("POST", path, {**HELLO, "stream": is_stream}), 502, "server_error")


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("at_byte", [0, 5])
def test_a_backend_that_breaks_before_its_answer_is_502(backend, longhand, how, is_stream, at_byte):
    backend.script(faults=[{"how": how, "at_byte": at_byte, "of": "wire"}])
    assert_error(longhand.chat({**HELLO, "stream": is_stream}), 502, "server_error")
    assert len(backend.requests()) == 1, "it may have been at work: passthrough is not repeated"


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_a_backend_without_a_first_byte_is_504(backend, start, is_stream):
    longhand = start(first_byte_ms=150)
    backend.script(faults=[{"how": "stall", "at_byte": 0, "of": "wire"}])
    assert_error(longhand.chat({**HELLO, "stream": is_stream}), 504, "server_error")
    backend.wait(closed=1, open=0)


def test_a_stream_that_stalls_ends_with_an_error(backend, start):
    longhand = start(idle_ms=150)
    backend.script(faults=[{"how": "stall", "at_byte": 700}])
    answer = longhand.chat({**request("Say 90 words.", "scripted-model"), "stream": True})
    body = answer.read()
    assert answer.status == 200
    assert b"[DONE]" not in body
    assert not answer.is_whole or b'"error"' in body
    backend.wait(closed=1, open=0)


def test_a_call_has_an_end_in_all(backend, start):
    longhand = start(total_ms=300, idle_ms=250)
    backend.script(chunk_ms=50, words_per_chunk=1)
    answer = longhand.chat({**request("Say 400 words.", "scripted-model"), "stream": True})
    assert b"[DONE]" not in answer.read()
    backend.wait(closed=1, open=0)


def test_a_broken_backend_is_left_alone_and_tried_again(backend, start):
    longhand = start(breaker_failures=3, breaker_open_ms=60000)
    backend.script(faults=[{"how": "reset", "at_byte": 0, "of": "wire"}])
    for _ in range(3):
        assert_error(longhand.chat(HELLO), 502)
    answer = longhand.chat(HELLO)
    assert_error(answer, 503, "server_error")
    assert 1 <= int(answer.headers["retry-after"]) <= 59
    assert len(backend.requests()) == 3


def test_a_breaker_closes_again(backend, start):
    longhand = start(breaker_failures=1, breaker_open_ms=100)
    backend.script({"times": 1, "faults": [{"how": "reset", "at_byte": 0, "of": "wire"}]})
    assert_error(longhand.chat(HELLO), 502)
    statuses = []
    while not statuses or statuses[-1] == 503:
        statuses.append(longhand.call("POST", "/v1/chat/completions", HELLO).status)
    assert statuses[-1] == 200
    assert longhand.call("POST", "/v1/chat/completions", HELLO).status == 200


def test_client_errors_do_not_open_the_breaker(backend, start):
    longhand = start(breaker_failures=2)
    backend.script(status=400)
    for _ in range(5):
        assert longhand.call("POST", "/v1/chat/completions", HELLO).status == 400
    assert len(backend.requests()) == 5


def test_several_backends_by_name(backend, start, tmp_path):
    config = tmp_path / "longhand.yaml"
    config.write_text(
        f"""backends:
  near:
    url: {backend.url}
    models:
      pretty-name: ugly/model-0.1
  gone:
    url: http://127.0.0.1:{closed_port()}/v1
    models:
      lost: lost
default_backend: near
""",
        encoding="utf-8",
    )
    longhand = start("--config", str(config), backend_url="")
    answer = longhand.call("POST", "/v1/chat/completions", {**HELLO, "model": "pretty-name"})
    assert answer.status == 200, answer.raw_body
    sent = json.loads(backend.requests()[-1]["body"])
    assert sent == {**HELLO, "model": "ugly/model-0.1"}
    assert_error(longhand.chat({**HELLO, "model": "lost"}), 502)
    names = {model["id"] for model in longhand.call("GET", "/v1/models").json()["data"]}
    assert {"pretty-name", "longhand"} <= names
