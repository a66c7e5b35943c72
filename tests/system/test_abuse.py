"""Clients and backends that break the rules, over real sockets: whatever they do, the next request is
answered, and nothing is left open."""

import contextlib
import json
import re
import socket
import sys
import threading

import pytest
import wire
from chat import Chunks, assert_error, request
from daemon import ROOT

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import misbehave

HELLO = request("Say hello.", "scripted-model")
ARTICLE = "Write an article of 1,200 words about tea."
DELTA = 'data: {"choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}\n\n'
FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def assert_at_rest(longhand):
    """The next request is answered as ever, and then nothing is open."""
    answer = longhand.call("GET", "/healthz")
    assert answer.status == 200
    left = misbehave.wait_for_rest(longhand)
    del left["longhand_jobs_kept"]
    assert not any(left.values()), left


@pytest.fixture(name="patient")
def fixture_patient(start):
    """A longhandd that waits for no client for long, and forgets jobs at once."""
    return start(request_read_ms=250, keepalive_ms=250, stuck_ms=250, retention_ms=0, park_ms=0,
                 reader_grace_ms=5, json_grace_ms=5)


class RawBackend:
    """A backend whose every byte is the test's: `serve(sock)` answers one request each connection."""

    def __init__(self, serve):
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with contextlib.suppress(OSError):  # closed by the test
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock):
        with contextlib.suppress(OSError), sock:
            data = b""
            while b"\r\n\r\n" not in data:
                data += sock.recv(65536) or b"\r\n\r\n"
            head, body = data.split(b"\r\n\r\n", 1)
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                           if line.lower().startswith(b"content-length:")), 0)
            while len(body) < length:
                body += sock.recv(65536) or b" " * length
            self.serve(sock)

    def close(self):
        """Takes no more connections."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture(name="raw_backend")
def fixture_raw_backend():
    """A function that starts backends of bytes."""
    started = []

    def begin(serve):
        started.append(RawBackend(serve))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def events(text):
    """A serve function: one event stream, then the end of the connection."""
    raw = text.encode() if isinstance(text, str) else text

    def serve(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + raw)

    return serve


# --- clients: slow, half-closed, many requests at once ---


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_request_that_drips_is_ended(backend, patient, part):
    """Each byte is in time; the whole is not."""
    whole = misbehave.chat_bytes(request("x" * 4000, "scripted-model"))
    sock = wire.connect(patient.port)
    at = 30 if part == "head" else whole.index(b"\r\n\r\n") + 10
    sock.sendall(whole[:at])
    sock.settimeout(0.02)
    sent, is_open = 0, True
    while is_open and at + sent < len(whole):
        try:
            is_open = len(sock.recv(4096)) > 0
        except TimeoutError:
            with contextlib.suppress(OSError):
                sock.sendall(whole[at + sent : at + sent + 1])
            sent += 1
        except ConnectionResetError:
            is_open = False
    assert not is_open, "it may not go on for as long as the client likes"
    sock.close()
    assert backend.requests() == []
    assert_at_rest(patient)


@pytest.mark.parametrize("body", [HELLO, {**HELLO, "stream": True}, request(ARTICLE, stream=True), request(ARTICLE)],
                         ids=["whole", "stream", "long stream", "long whole"])
def test_a_client_that_closes_its_half_leaves_nothing_behind(patient, body):
    sock = wire.connect(patient.port)
    sock.sendall(misbehave.chat_bytes(body))
    sock.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionResetError):
        while sock.recv(65536):
            pass
    sock.close()
    assert_at_rest(patient)


def test_pipelined_requests_are_answered_in_their_order(patient):
    """Passed through, our own and long ones in a row."""
    get = wire.head_of("GET", "/v1/models", {"Host": "a"})
    wrong = wire.head_of("PUT", "/healthz", {"Host": "a"})
    sock = wire.connect(patient.port)
    sock.sendall((misbehave.chat_bytes(HELLO) + get + wrong + misbehave.chat_bytes(request(ARTICLE))) * 3)
    data = b""
    seen = []
    for _ in range(12):
        answer = wire.Answer.__new__(wire.Answer)
        answer.sock, answer.data, answer.raw_body = sock, data, b""
        answer.is_whole = answer.is_reset = False
        answer.left = 0
        answer._head("GET")
        answer.read()
        assert answer.is_whole
        data = answer.data
        seen.append((answer.status, json.loads(answer.raw_body).get("object", "error"),
                     "x-longhand-job" in answer.headers))
    sock.close()
    row = [(200, "chat.completion", False), (200, "list", False), (405, "error", False), (200, "chat.completion", True)]
    assert seen == row * 3
    assert_at_rest(patient)


# --- shapes that a proxy in front may read otherwise ---

HOST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("shape", [
    HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    HOST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + SMUGGLED,
    HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    HOST + b"X: y\r\n Content-Length: %d\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    HOST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + SMUGGLED,
    HOST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + SMUGGLED,
    HOST + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
    HOST + b"Content-Length: 1e1\r\n\r\n" + SMUGGLED,
], ids=["both", "two lengths", "two codings", "vertical tab", "tab before colon", "chunk too large", "chunk below 0",
        "length below 0", "length 1e1"])
def test_nothing_is_smuggled_to_a_backend(backend, patient, shape):
    sock = wire.connect(patient.port)
    sock.sendall(shape)
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            got += part
    sock.close()
    # libmicrohttpd sends the head of some refusals of its own twice; a second answer it is not.
    assert set(re.findall(rb"HTTP/1\.[01] (\d)", got)) <= {b"4"}, got[:200]
    assert [r for r in backend.requests() if "smuggled" in r["path"]] == []
    assert_at_rest(patient)


# --- bodies ---

DEEP = 5_000_000  # opened and closed: 10 MB


@pytest.mark.parametrize("frame", [
    '{"model":"scripted-model","messages":[{"role":"user","content":"hi"}],"x":%s}',
    '{"model":"scripted-model","messages":%s}',
    '{"model":"longhand","messages":[{"role":"user","content":"hi"}],"longhand":{"plan":%s}}',
], ids=["member", "messages", "plan"])
def test_ten_megabytes_of_nesting_are_refused(backend, start, frame):
    """By one that is patient with slow clients: so much takes its time on a busy machine."""
    longhand = start()
    body = (frame % ("[" * DEEP + "]" * DEEP)).encode()
    assert_error(longhand.ask("POST", "/v1/chat/completions", body), 400, "invalid_request_error")
    assert backend.requests() == []
    assert_at_rest(longhand)


@pytest.mark.parametrize("member", [
    '"max_tokens":1e999', '"n":1e999,"longhand":{"mode":"serial"}', '"max_tokens":-1', '"seed":1e30', '"temperature":1e400', '"top_p":-0.1',
    '"longhand":{"target_words":1e308}', '"longhand":{"target_words":99999999999999999999}',
    '"longhand":{"plan":[{"title":"A","words":99999999999999999999}]}',
])
def test_huge_numbers_are_refused_by_name(backend, patient, member):
    body = f'{{"model":"longhand","messages":[{{"role":"user","content":"{ARTICLE}"}}],{member}}}'.encode()
    assert_error(patient.ask("POST", "/v1/chat/completions", body), 400, "invalid_request_error")
    assert backend.requests("write") == []
    assert_at_rest(patient)


@pytest.mark.parametrize("prompt", ["Write an essay of 0 words, 0 pages.", "Write 0 words.",
                                    f"Write {'9' * 300} words.", f"请写{'亿' * 100}字的小说。"])
def test_lengths_that_cannot_be_are_answered(patient, prompt):
    answer = patient.call("POST", "/v1/chat/completions", request(prompt, "scripted-model"))
    assert answer.status in (200, 400)
    assert_at_rest(patient)


# --- backends: every byte, every kind of line, no end ---


def test_a_passed_stream_cut_at_every_byte_stays_cut(raw_backend, start):
    stream = (DELTA % '"caf\u00e9"' + ": hb\r\n\r\n" + FINISH).encode()
    cuts = iter(range(len(stream)))

    def serve(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(stream)
                     + stream[: next(cuts)])

    longhand = start(backend_url=raw_backend(serve).url, breaker_failures=0)
    for cut in range(len(stream)):
        answer = longhand.chat({**HELLO, "stream": True})
        body = answer.read()
        answer.close()
        assert answer.status == 200 or (answer.status == 502 and cut == 0), answer.status
        if answer.status == 200:
            assert body.startswith(stream[:cut])
            assert not answer.is_whole or b'"error"' in body[cut:], "it must not look complete"
    assert_at_rest(longhand)


@pytest.mark.parametrize(("head", "said"), [
    ("Content-Type: audio/mpeg\r\nContent-Length: 5000000000\r\n", {"content-length": "5000000000"}),
    ("Content-Length: 0\r\n", {"content-length": "0"}),
    ("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", {"content-length": None}),
], ids=["huge", "empty", "stream"])
def test_head_is_answered_as_the_backend_did(raw_backend, start, head, said):
    def serve(sock):
        sock.sendall(f"HTTP/1.1 200 OK\r\nX-Of: backend\r\n{head}\r\n".encode())

    longhand = start(backend_url=raw_backend(serve).url)
    answer = longhand.ask("HEAD", "/v1/files/1")
    assert (answer.status, answer.headers["x-of"]) == (200, "backend")
    assert {name: answer.headers.get(name) for name in said} == said
    answer.close()
    assert_at_rest(longhand)


def test_a_body_in_answer_to_head_spoils_no_other_answer(backend, longhand):
    """The scripted backend sends one, and keeps the connection."""
    for _ in range(5):
        answer = longhand.call("HEAD", "/v1/other")
        assert answer.raw_body == b""
        assert longhand.call("POST", "/v1/embeddings", {"input": "x"}).status == 200
        assert longhand.call("POST", "/v1/chat/completions", HELLO).status == 200
    assert len(backend.requests()) == 15
    assert_at_rest(longhand)


PROSE = " ".join(f"Sentence number {n} of this text is about tea and its cups." for n in range(40))
STREAMS = {
    "one line of a megabyte": ": " + "x" * 1_000_000 + "\n" + DELTA % json.dumps(PROSE) + FINISH,
    "a megabyte of data": DELTA.replace('"index":0', f'"index":0,"pad":"{"x" * 1_000_000}"') % json.dumps(PROSE) + FINISH,
    "no final newline": (DELTA % json.dumps(PROSE) + FINISH).rstrip("\n"),
    "no newline behind the finish": (DELTA % json.dumps(PROSE) + FINISH).split("\n\ndata: [DONE]")[0],
    "carriage returns": (DELTA % json.dumps(PROSE) + FINISH).replace("\n", "\r"),
    "lines of data": (DELTA % json.dumps(PROSE)).replace(",", ",\ndata:") + FINISH,
    "fields nobody knows": "\ufeffid: 1\nevent: x\nretry: 0\nfoo\n:\n" + DELTA % json.dumps(PROSE) + ":\n\n" * 5000 + FINISH,
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_long_text_comes_out_of_any_right_stream(raw_backend, start, name):
    longhand = start("--model", "m", backend_url=raw_backend(events(STREAMS[name])).url, retention_ms=0)
    got = Chunks(longhand.chat(request("Write a story of 300 words about tea.", stream=True)))
    assert got.finish == "stop", got.error
    assert "of this text is about tea" in got.text
    got.answer.close()
    assert_at_rest(longhand)


ENDLESS = {
    "text": DELTA % '"and on and on, "',
    "sentences": DELTA % '"It goes on. "',
    "comments": ": hb\n\n",
    "nothing": DELTA % '""',
    "thoughts": 'data: {"choices":[{"delta":{"reasoning_content":"hm "}}]}\n\n',
    "one line": "x" * 1000,
    "blank lines": "\n" * 1000,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_backend_that_never_ends_is_left(raw_backend, start, name):
    """By the words that were asked for, else by the time a call may take."""

    def serve(sock):
        events("")(sock)
        while True:
            sock.sendall(ENDLESS[name].encode() * 20)

    longhand = start("--model", "m", backend_url=raw_backend(serve).url, total_ms=500, retry_tries=2,
                     breaker_failures=0, retention_ms=0)
    answer = longhand.chat(request("Write a story of 200 words about tea.", stream=True))
    if answer.status == 200:
        got = Chunks(answer)
        assert got.finish == "stop" or got.error
        assert len(got.text.split()) < 500
    else:
        assert_error(answer, answer.status, "server_error")
        assert answer.status in (502, 504)
    answer.close()
    assert_at_rest(longhand)


# --- all of it at once ---


def test_rounds_of_misbehaviour_leave_nothing_behind(backend, start):
    """`make abuse` in small: memory is not looked at here, a sanitizer keeps what is freed."""
    backend.script(*misbehave.RULES, top={"keep_requests": False}, keep_alive=False)
    longhand = start(**{**misbehave.SETTINGS, "request_read_ms": 3000, "keepalive_ms": 3000})
    rounds = list(misbehave.run_rounds(longhand, rounds=5, requests=200, jobs=16, seed=1))
    assert misbehave.faults_of(rounds, rss_kb=0) == []
