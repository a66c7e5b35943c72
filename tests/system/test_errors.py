"""What Longhand refuses, it refuses early, in OpenAI's shape, naming what is wrong."""

import json

import pytest
import wire
from chat import assert_error, request

LONG = "Write an article of 3,000 words about the history of tea."


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"not json", b"[]", b'"text"', b"null", b'{"model":"m","messages":[}', b"\xff\xfe{}",
     b'{"model":"\xff","messages":[]}', b'{"model":"m"} x', b"[" * 100000],
    ids=["empty", "open", "words", "array", "string", "null", "inside", "utf-16", "bad utf-8", "more behind", "deep"],
)
def test_what_is_no_json_object_is_400(backend, longhand, body):
    assert_error(longhand.ask("POST", "/v1/chat/completions", body), 400, "invalid_request_error")
    assert backend.requests() == []


MESSAGES = [{"role": "user", "content": LONG}]
BAD = [
    ({"messages": 1}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": None}, "messages"),
    ({"model": 5}, "model"),
    ({"stream": "yes"}, "stream"),
    ({"longhand": 5}, "longhand"),
    ({"longhand": []}, "longhand"),
    ({"longhand": {"colour": "red"}}, "longhand.colour"),
    ({"longhand": {"mode": "fast"}}, "longhand.mode"),
    ({"longhand": {"mode": 1}}, "longhand.mode"),
    ({"longhand": {"mode": "parallel"}}, "longhand.mode"),
    ({"longhand": {"target_words": "many"}}, "longhand.target_words"),
    ({"longhand": {"target_words": 0}}, "longhand.target_words"),
    ({"longhand": {"target_words": -5}}, "longhand.target_words"),
    ({"longhand": {"target_words": 1.5}}, "longhand.target_words"),
    ({"longhand": {"target_words": 10**12}}, "longhand.target_words"),
    ({"longhand": {"plan": 7}}, "longhand.plan"),
    ({"longhand": {"plan": [{"title": 7, "words": 100}]}}, "longhand.plan[0].title"),
    ({"longhand": {"plan": [{"title": "A", "words": 100}, {"title": "B", "words": -1}]}}, "longhand.plan[1].words"),
    ({"longhand": {"plan": [{"title": "A", "words": 100, "x": 1}]}}, "longhand.plan[0].x"),
    ({"longhand": {"plan_only": "yes"}}, "longhand.plan_only"),
    ({"longhand": {"headings": "loud"}}, "longhand.headings"),
    ({"longhand": {"count": "roman"}}, "longhand.count"),
    ({"longhand": {"show_plan": "always"}}, "longhand.show_plan"),
    ({"longhand": {"delivery": "reviewed"}}, "longhand.delivery"),
    ({"longhand": {"plan_from": "abc"}}, "longhand.plan_from"),
    ({"longhand": {"mode": "serial"}, "tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
    ({"longhand": {"mode": "serial"}, "n": 2}, "n"),
    ({"longhand": {"target_words": 2000}, "logprobs": True}, "logprobs"),
    ({"longhand": {"target_words": 2000}, "response_format": {"type": "json_object"}}, "response_format"),
    ({"longhand": {"mode": "serial"}, "max_tokens": "x"}, "max_tokens"),
    ({"longhand": {"mode": "serial"}, "temperature": "hot"}, "temperature"),
    ({"longhand": {"mode": "serial"}, "stop": 5}, "stop"),
]


@pytest.mark.parametrize(("extra", "param"), BAD, ids=lambda value: json.dumps(value)[:60])
def test_wrong_members_are_400_and_named(backend, longhand, extra, param):
    body = {"model": "longhand", "messages": MESSAGES, **extra}
    error = assert_error(longhand.chat(body), 400, "invalid_request_error", param)
    assert len(error["message"]) > 10
    assert backend.requests("write") == []
    assert backend.requests("plan") == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Longhand-Mode", "parallel"),
        ("X-Longhand-Mode", "fast"),
        ("X-Longhand-Target-Words", "12abc"),
        ("X-Longhand-Plan-Only", "yesplease"),
    ],
)
def test_wrong_option_headers_are_400_too(longhand, header, value):
    answer = longhand.chat({"model": "longhand", "messages": MESSAGES}, {header: value})
    assert_error(answer, 400, "invalid_request_error", header)


def test_parallel_says_what_works(longhand):
    answer = longhand.chat(request(LONG, longhand={"mode": "parallel"}))
    error = assert_error(answer, 400, param="longhand.mode", code="option_not_available")
    assert "serial" in error["message"]


def test_an_unknown_model_of_ours_is_named(backend, longhand):
    error = assert_error(longhand.chat({"messages": MESSAGES, "model": ""}), 400, "invalid_request_error", "model")
    assert error["message"]
    assert backend.requests("write") == []


LIMIT = 100_000


def test_too_large_by_its_length_is_refused_before_it_is_sent(backend, start):
    longhand = start(max_request_bytes=LIMIT)
    for path in ("/v1/chat/completions", "/v1/files"):
        sock = wire.connect(longhand.port)
        sock.sendall(wire.head_of("POST", path, {"Host": "x", "Content-Length": str(LIMIT + 1)}))
        assert_error(wire.Answer(sock), 413, "invalid_request_error", code="request_too_large")
    sock = wire.connect(longhand.port)
    head = {"Host": "x", "Content-Length": str(LIMIT + 1), "Expect": "100-continue"}
    sock.sendall(wire.head_of("POST", "/v1/chat/completions", head))
    assert sock.recv(16).startswith(b"HTTP/1.1 413"), "it is not told to go on"
    assert backend.requests() == []


def test_too_large_in_chunks_is_refused_while_it_is_sent(backend, start):
    longhand = start(max_request_bytes=LIMIT)
    sock = wire.connect(longhand.port)
    sock.sendall(wire.head_of("POST", "/v1/chat/completions", {"Host": "x", "Transfer-Encoding": "chunked"}))
    piece = b"%x\r\n%b\r\n" % (1000, b" " * 1000)
    for _ in range(LIMIT // 1000 + 1):
        sock.sendall(piece)
    assert_error(wire.Answer(sock), 413, "invalid_request_error")
    assert backend.requests() == []


def test_up_to_the_limit_is_taken(start):
    longhand = start(max_request_bytes=LIMIT)
    body = json.dumps(request("Say hello.", "scripted-model")).encode()
    assert longhand.call("POST", "/v1/chat/completions", body + b" " * (LIMIT - len(body))).status == 200
    assert longhand.call("POST", "/v1/chat/completions", body + b" " * (LIMIT + 1 - len(body))).status == 413


def test_length_with_chunks_is_refused(backend, longhand):
    sock = wire.connect(longhand.port)
    head = {"Host": "x", "Content-Length": "5", "Transfer-Encoding": "chunked"}
    sock.sendall(wire.head_of("POST", "/v1/chat/completions", head) + b"0\r\n\r\n")
    assert wire.Answer(sock).status == 400
    assert backend.requests() == []


def test_one_connection_too_many_is_429(backend, start):
    longhand = start(max_connections=3)
    backend.script(faults=[{"how": "stall", "at_byte": 200}])
    socks = []
    for _ in range(3):
        socks.append(wire.connect(longhand.port))
        wire.send(socks[-1], "POST", "/v1/chat/completions", request("Hi.", "scripted-model", stream=True))
    backend.wait(held=3)
    answer = longhand.ask("POST", "/v1/chat/completions", request("Hi.", "scripted-model"))
    assert_error(answer, 429, "requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 59
    for sock in socks:
        sock.close()
    backend.wait(closed=3, open=0)
    backend.reset()
    answer = longhand.call("POST", "/v1/chat/completions", request("Hi.", "scripted-model"))
    assert answer.status == 200, "there is room again"


def test_one_job_too_many_is_429(backend, start):
    longhand = start(max_jobs=1)
    backend.script({"role": "write", "times": 1, "faults": [{"how": "hold", "at_byte": 500, "name": "gate"}]})
    first = longhand.chat(request(LONG, stream=True))
    backend.wait(held=1)
    answer = longhand.chat(request(LONG, stream=True))
    assert_error(answer, 429, "requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 59
    short = longhand.call("POST", "/v1/chat/completions", request("Hi.", "scripted-model"))
    assert short.status == 200, "passing through is no job"
    backend.release("gate")
    assert b"[DONE]" in first.read()
    second = longhand.chat(request(LONG, stream=True))
    assert second.status == 200
    assert b"[DONE]" in second.read()


def test_headers_beyond_all_measure_are_refused(longhand):
    answer = longhand.ask("GET", "/v1/models", None, {"X-Filler": "x" * 60000})
    assert answer.status in (400, 431)


def test_garbage_does_no_harm(longhand):
    for garbage in (b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n"):
        sock = wire.connect(longhand.port)
        sock.sendall(garbage)
        sock.close()
    assert longhand.call("GET", "/healthz").status == 200


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(("said", "kept"), [(7, "7"), (3600, "59"), ("1e300", None), ("soon", None), (None, None)])
def test_a_busy_backends_retry_after_reaches_the_client(backend, start, said, kept, is_stream):
    """Clients wait for that long, and not for what they think of; longer than 59 s they would not."""
    backend.script(status=429, retry_after=said)
    answer = start(retry_tries=1).chat(request(LONG, stream=is_stream))
    assert_error(answer, 503, "server_error", None, "backend_busy")
    assert answer.headers.get("retry-after") == kept
