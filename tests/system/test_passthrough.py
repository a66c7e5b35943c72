"""What is no long writing passes through as the bytes it came in, both ways."""

import base64
import hashlib
import json
import socket

import pytest
import wire
from chat import assert_error, read_until, request

ODD_WIRES = [
    {},
    {"split": 1, "text": "A short answer, cut at every byte: 短い答え."},
    {"split": 7},
    {"crlf": True},
    {"comments": True},
    {"multiline": True},
    {"escape": True},
    {"framing": "close"},
    {"usage": "always"},
    {"null_first": True},
    {"no_done": True},
    {"no_finish": True},
]
HELLO = "Say hello to the 世界."


ODD_BODY = (
    '{"model":"scripted-model","x_unknown":{"a":[1.50,-0.0,12345678901234567890]},'
    '"messages":[{"role":"user","content":"直接"}]}'
)
NULL_BODY = (
    '{"model":"scripted-model","temperature":null,"stream":null,"stream_options":null,"tools":null,'
    '"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}'
)


def sent(backend, number=-1):
    """The bytes of the body that the backend sent."""
    return base64.b64decode(backend.requests()[number]["sent_base64"])


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("odd", ODD_WIRES, ids=lambda odd: next(iter(odd), "plain"))
def test_answers_come_back_byte_for_byte(backend, longhand, odd, is_stream):
    backend.script(top={"keep_sent": True}, **odd)
    answer = longhand.chat(request(HELLO, "scripted-model", stream=is_stream))
    body = answer.read()
    assert answer.status == 200
    assert answer.is_whole
    assert body == sent(backend)
    assert len(body) > 100
    kind = "text/event-stream" if is_stream else "application/json"
    assert answer.headers["content-type"].startswith(kind)


def test_a_closed_answer_of_known_length_is_whole(backend, longhand):
    backend.script(framing="length", keep_alive=False, top={"keep_sent": True})
    answer = longhand.chat(request(HELLO, "scripted-model"))
    assert answer.read() == sent(backend)
    assert answer.is_whole


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"scripted-model","messages":[{"role":"user","content":"hi"}]}',
        b' {\n"messages" : [ {"content":"\\u4f60\\ud83d\\ude00 \\/ \\n","role":"user"} ] , "model":"scripted-model"\t} \r\n',
        ODD_BODY.encode(),
        NULL_BODY.encode(),
    ],
    ids=["plain", "odd space and escapes", "unknown members", "nulls and parts"],
)
def test_requests_arrive_byte_for_byte(backend, longhand, body):
    answer = longhand.call("POST", "/v1/chat/completions", body)
    assert answer.status == 200, answer.raw_body
    assert backend.requests()[-1]["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_large_request_arrives_whole(backend, longhand):
    body = json.dumps(request("Summarise: " + "all of it " * 800000, "scripted-model")).encode()
    assert len(body) > 8_000_000
    answer = longhand.call("POST", "/v1/chat/completions", body)
    assert answer.status == 200, answer.raw_body
    assert backend.requests()[-1]["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_chunked_request_arrives_whole(backend, longhand):
    body = json.dumps(request(HELLO, "scripted-model")).encode()
    sock = wire.connect(longhand.port)
    sock.sendall(wire.head_of("POST", "/v1/chat/completions", {"Host": "x", "Transfer-Encoding": "chunked"}))
    for at in range(0, len(body), 10):
        part = body[at : at + 10]
        sock.sendall(b"%x\r\n%b\r\n" % (len(part), part))
    sock.sendall(b"0\r\n\r\n")
    answer = wire.Answer(sock)
    assert answer.json()["object"] == "chat.completion"
    assert backend.requests()[-1]["sha256"] == hashlib.sha256(body).hexdigest()


def test_expect_is_answered_with_continue(longhand):
    body = json.dumps(request(HELLO, "scripted-model")).encode()
    head = {"Host": "x", "Expect": "100-continue", "Content-Length": str(len(body))}
    sock = wire.connect(longhand.port)
    sock.sendall(wire.head_of("POST", "/v1/chat/completions", head))
    assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
    sock.sendall(body)
    assert wire.Answer(sock).status == 200


def test_a_form_content_type_is_json_all_the_same(longhand):
    body = json.dumps(request(HELLO, "scripted-model")).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert longhand.call("POST", "/v1/chat/completions", body, headers).status == 200


def test_one_connection_serves_many_requests(backend, longhand):
    sock = wire.connect(longhand.port)
    for count in range(3):
        wire.send(sock, "POST", "/v1/chat/completions", request(f"{HELLO} {count}", "scripted-model"))
        answer = wire.Answer(sock)
        assert answer.status == 200
        assert answer.json()["choices"]
    assert backend.wait(finished=3)["connections"] == 1, "the backend's connection is kept too"


@pytest.mark.parametrize(
    "behaviour",
    [
        {"status": 400, "error": {"message": "max_tokens is too large", "param": "max_tokens", "code": "invalid_value"}},
        {"status": 401, "error": {"code": "invalid_api_key"}},
        {"status": 404, "error": {"code": "model_not_found"}},
        {"status": 429, "retry_after": 7, "error": {"code": "rate_limit_exceeded"}},
        {"status": 422, "raw_body": "[1, 2,   3]"},
        {"status": 500, "raw_body": "<html>ouch</html>", "content_type": "text/html"},
        {"status": 503, "raw_body": "", "content_type": "text/plain", "retry_after": "20"},
    ],
    ids=lambda behaviour: str(behaviour["status"]),
)
@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_errors_of_the_backend_are_kept(backend, longhand, behaviour, is_stream):
    backend.script(top={"keep_sent": True}, headers={"X-Request-Id": "abc"}, **behaviour)
    answer = longhand.chat(request(HELLO, "scripted-model", stream=is_stream))
    assert answer.status == behaviour["status"]
    assert answer.read() == sent(backend)
    assert answer.headers["content-type"] == behaviour.get("content_type", "application/json")
    assert answer.headers.get("retry-after") == (str(behaviour.get("retry_after", "")) or None)
    assert len(backend.requests()) == 1, "passthrough is never retried"


@pytest.mark.parametrize("at_byte", [0, 300])
@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("how", ["close", "half-close", "reset"])
def test_a_client_that_leaves_takes_the_upstream_with_it(backend, longhand, at_byte, is_stream, how):
    backend.script(faults=[{"how": "stall", "at_byte": at_byte}])
    sock = wire.connect(longhand.port)
    wire.send(sock, "POST", "/v1/chat/completions", request("Say 90 words.", "scripted-model", stream=is_stream))
    backend.wait(held=1)
    if is_stream and at_byte:
        read_until(wire.Answer(sock), lambda event: event.json is not None)
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    if how == "half-close":
        sock.shutdown(socket.SHUT_WR)
    else:
        sock.close()
    backend.wait(closed=1, open=0)


def test_what_is_gone_leaves_nothing_behind(backend, longhand):
    longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model"))
    before = longhand.open_files()
    backend.script(faults=[{"how": "stall", "at_byte": 10}])
    socks = []
    for _ in range(40):
        socks.append(wire.connect(longhand.port))
        wire.send(socks[-1], "POST", "/v1/chat/completions", request(HELLO, "scripted-model", stream=True))
    backend.wait(held=40)
    for sock in socks:
        sock.close()
    backend.wait(closed=40, open=0)
    backend.reset()
    assert longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model")).status == 200
    assert longhand.open_files() <= before + 4


def test_a_slow_reader_does_not_fill_the_memory(backend, start):
    longhand = start(env={"ASAN_OPTIONS": "quarantine_size_mb=1"})
    longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model"))
    before_kb = longhand.rss_kb()
    backend.script(big={"chunks": 40000, "chunk_bytes": 7000})
    sock = wire.connect(longhand.port, receive_buffer=65536)
    wire.send(sock, "POST", "/v1/chat/completions", request(HELLO, "scripted-model", stream=True))
    answer = wire.Answer(sock)
    backend.wait(blocked=1)
    assert longhand.rss_kb() - before_kb < 8192
    was = backend.requests()[-1]["sent_body_bytes"]
    assert was < 40_000_000
    while len(answer.raw_body) < was + 1_000_000:
        assert answer.read_some()
    assert longhand.rss_kb() - before_kb < 8192
    answer.close()
    backend.wait(closed=1, open=0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/completions"),
        ("POST", "/v1/embeddings"),
        ("GET", "/v1/files?purpose=batch&limit=3"),
        ("DELETE", "/v1/files/a%2Fb"),
        ("PUT", "/v1/whatever"),
        ("PATCH", "/v1/whatever/else"),
        ("GET", "/v1/chat/completions?limit=2&metadata%5Ba%5D=b"),
        ("DELETE", "/v1/chat/completions/chatcmpl-1"),
        ("POST", "/v1/audio/speech"),
    ],
)
def test_other_paths_go_to_the_backend(longhand, method, path):
    body = None if method in ("GET", "DELETE") else {"input": "ö"}
    answer = longhand.call(method, path, body)
    assert answer.status == 200, answer.raw_body
    echo = answer.json()
    assert (echo["method"], echo["target"]) == (method, path)
    assert echo["body"] == ("" if body is None else json.dumps(body))


@pytest.mark.parametrize("path", ["/", "/v2/models", "/chat/completions", "/v1x/models", "/favicon.ico"])
def test_paths_outside_v1_are_unknown(backend, longhand, path):
    assert_error(longhand.ask("GET", path), 404, "invalid_request_error")
    assert backend.requests() == []


LONG = "Write an article of 3,000 words about the history of tea."


@pytest.mark.parametrize(
    "extra",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
        {"response_format": {"type": "json_object"}},
        {"n": 2},
        {"logprobs": True},
        {"longhand": {"mode": "off"}},
        {"messages": [
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "text", "text": LONG}]}]},
        {"messages": [{"role": "user", "content": LONG}, {"role": "assistant", "content": "Tea is"}]},
    ],
    ids=["tools", "response_format", "n", "logprobs", "mode off", "images", "trailing assistant"],
)
def test_what_cannot_be_planned_passes_through(backend, longhand, extra):
    answer = longhand.chat({**request(LONG, "scripted-model"), **extra})
    answer.read()
    assert answer.status == 200, answer.raw_body
    assert "x-longhand-job" not in answer.headers
    assert len(backend.requests()) == 1


def test_our_own_options_stay_with_us(backend, longhand):
    body = request(HELLO, "scripted-model", longhand={"mode": "off"}, temperature=0.5)
    longhand.call("POST", "/v1/chat/completions", body)
    longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model"), {"X-Longhand-Mode": "off"})
    first, second = backend.requests()
    assert json.loads(first["body"]) == request(HELLO, "scripted-model", temperature=0.5)
    assert not [name for name in second["headers"] if name.startswith("x-longhand")]


def test_the_model_longhand_is_the_default_model(backend, longhand):
    assert longhand.call("POST", "/v1/chat/completions", request(HELLO)).status == 200
    assert backend.bodies()[-1]["model"] == "scripted-model"


def test_the_clients_key_goes_on_where_the_backend_has_none(backend, longhand):
    backend.script(key="sk-client")
    assert longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model")).status == 401
    headers = {"Authorization": "Bearer sk-client"}
    assert longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model"), headers).status == 200


def test_the_backends_key_comes_from_the_environment(backend, start):
    longhand = start("--backend-key-env", "MY_KEY", env={"MY_KEY": "sk-secret-1"})
    backend.script(key="sk-secret-1")
    headers = {"Authorization": "Bearer sk-client"}
    answer = longhand.call("POST", "/v1/chat/completions", request(HELLO, "scripted-model"), headers)
    assert answer.status == 200
    assert "sk-client" not in json.dumps(backend.requests()[-1]["headers"])
    assert "sk-secret-1" not in longhand.log()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("at_byte", [0, 200, 900])
def test_a_stream_that_breaks_does_not_look_finished(backend, longhand, how, at_byte):
    backend.script(faults=[{"how": how, "at_byte": at_byte}])
    answer = longhand.chat(request("Say 90 words.", "scripted-model", stream=True))
    body = answer.read()
    assert b"[DONE]" not in body
    assert b'"finish_reason":"stop"' not in body
    assert not answer.is_whole or b'"error"' in body or answer.status == 502
    assert len(backend.requests()) == 1


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_whole_answer_that_breaks_does_not_look_finished(backend, longhand, how):
    backend.script(faults=[{"how": how, "at_byte": 100}])
    answer = longhand.chat(request("Say 90 words.", "scripted-model"))
    answer.read()
    assert not answer.is_whole or answer.status == 502
