#!/usr/bin/env python3
"""Requests that break every rule, in rounds; after each, what longhandd still holds.

    make abuse [ABUSE="--rounds 5 --requests 2000 --jobs 32 --seed 1"]

Each request is drawn from ACTS: heads and bodies that are broken, too large, too deep or never
end, shapes that smuggle, clients that leave in every way and at every moment, backends that answer
nonsense, break, stall or never stop; and now and then a request as it should be, whose answer must
be right. After each round everything has to be at rest: no stream, job, upstream call or connection
open, no file descriptors gained; and resident memory flat within 2 MB from the second round on
(--rss-kb 0 leaves that out). Exit code 1: something is not so.
"""

import argparse
import concurrent.futures
import contextlib
import json
import random
import re
import socket
import struct
import sys
import time

import wire
from chat import request
from daemon import Daemon
from scripted import ScriptedBackend

PLAIN = "scripted-model"
ARTICLE = "Write an article of 1,200 words about {}."
HELLO = request("Say hello.", PLAIN)
REST_S = 60
FILES_BESIDE = 4  # connections that a backend has closed and that are not noticed yet
GAUGES = ("longhand_streams_open", "longhand_upstream_open", "longhand_jobs_running", "longhand_jobs_kept")
SETTINGS = {
    "request_read_ms": 300,
    "keepalive_ms": 300,
    "stuck_ms": 300,
    "idle_ms": 1000,
    "first_byte_ms": 3000,
    "total_ms": 5000,
    "reader_grace_ms": 5,
    "json_grace_ms": 5,
    "retention_ms": 50,
    "park_ms": 50,
    "retry_tries": 2,
    "breaker_failures": 0,
    "max_request_bytes": 1 << 20,
    "max_connections": 400,
}


# --- what backends do wrong: by a word in the prompt ---

DELTA = 'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n'
RAW = {
    "garbage": "data: {\n\ndata: nonsense\n\n",
    "binary": "\udcff\udcfe\x00\x01" * 50,
    "unended": DELTA % "words without an end",
    "line": "data: " + "x" * 1000000,
    "comments": ": hb\n\n" * 20000,
    "crlf": (DELTA % "Some text. ").replace("\n", "\r\n") * 20 + "data: [DONE]",
    "numbers": 'data: {"choices":[],"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":-1}}\n\n',
    "nested": "data: " + "[" * 100000 + "\n\n",
}
RULES = [
    {"match": "FAULT-reset", "faults": [{"how": "reset", "at_byte": 600}]},
    {"match": "FAULT-close", "faults": [{"how": "close", "at_byte": 900}]},
    {"match": "FAULT-early", "faults": [{"how": "reset", "at_byte": 5, "of": "wire"}]},
    {"match": "FAULT-stall", "faults": [{"how": "stall", "at_byte": 300}]},
    {"match": "FAULT-silent", "faults": [{"how": "stall", "at_byte": 0, "of": "wire"}]},
    {"match": "FAULT-status", "status": 500, "raw_body": "<html>\udcff"},
    {"match": "FAULT-busy", "status": 429, "retry_after": 1},
    {"match": "FAULT-error", "error_after": 20},
    {"match": "FAULT-bytes", "split": 1, "crlf": True, "comments": True, "multiline": True},
    {"match": "FAULT-big", "big": {"chunks": 60, "chunk_bytes": 65536}},
    {"match": "FAULT-endless", "text": "on and on and on " * 4000, "words_per_chunk": 8},
    {"match": "FAULT-empty", "text": ""},
    *({"match": f"FAULT-raw-{name}", "raw_body": text, "content_type": "text/event-stream"}
      for name, text in RAW.items()),
]
FAULTS = sorted({rule["match"] for rule in RULES})


# --- what clients do wrong ---


def leave(sock, dice):
    """Closes in one of the ways there are."""
    how = dice.randrange(3)
    if how == 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif how == 1:
        with contextlib.suppress(OSError):  # the server has left before
            sock.shutdown(socket.SHUT_WR)
    sock.close()


def read_some(sock, dice, most=20000):
    """Reads up to some bytes; less where the answer ends."""
    left = dice.randrange(most)
    while left > 0 and (part := sock.recv(min(left, 4096))):
        left -= len(part)


def chat_bytes(body):
    """A chat completion as bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"Host": "test", "Content-Type": "application/json", "Content-Length": str(len(raw))}
    return wire.head_of("POST", "/v1/chat/completions", head) + raw


def wrong_body(dice):
    """A chat completion that is none."""
    deep = dice.choice((100, 600, 300000))
    good = json.dumps(HELLO)
    return dice.choice([
        b"", b"{", b"\xff\xfe", b"[" * deep, b'{"a":' * deep, good.encode()[:-1] + b"\xc3\x28}",
        b'{"model":"m","messages":' + b"[" * deep + b"]" * deep + b"}",
        b'{"model":"\\ud800","messages":[{"role":"user","content":"\\udfff"}]}',
        b'{"model":"m","seed":' + b"9" * 4000 + b',"messages":[{"role":"user","content":"Write 0 words, 0 pages."}]}',
        b'{"model":"longhand","max_tokens":1e999,"messages":[{"role":"user","content":"Write 9' + b"9" * 200 + b' words"}]}',
        json.dumps(request(ARTICLE.format("x"), longhand={"target_words": dice.choice((-1, 1e300, "9" * 50, [], 10**40))})).encode(),
        json.dumps(request(ARTICLE.format("x"), longhand={"plan": [{"title": "\0" * 400, "words": 10**9}] * 500})).encode(),
        json.dumps(request("x" * 900000, PLAIN)).encode(),
        good.encode() + bytes(dice.randrange(256) for _ in range(20)),
    ])


def act_leave_at_once(port, dice):
    leave(wire.connect(port), dice)


def act_part_of_a_request(port, dice):
    sock = wire.connect(port)
    whole = chat_bytes(request(ARTICLE.format("tea"), stream=True))
    sock.sendall(whole[: dice.randrange(len(whole))])
    if dice.random() < 0.2:
        read_some(sock, dice)  # until the server has had enough of it
    leave(sock, dice)


def act_drip(port, dice):
    """A request byte by byte, slower than it may be."""
    sock = wire.connect(port)
    try:
        for byte in chat_bytes(HELLO)[: dice.randrange(5, 40)]:
            sock.sendall(bytes([byte]))
    except OSError:
        pass
    leave(sock, dice)


def act_wrong_body(port, dice):
    sock = wire.connect(port)
    try:
        sock.sendall(chat_bytes(wrong_body(dice)))
        read_some(sock, dice)
    except OSError:
        pass  # refused while it was still being sent
    leave(sock, dice)


def act_wrong_head(port, dice):
    shapes = [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc",
        b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nabc",
        b"GET /healthz HTTP/1.1\r\n" + b"X: " + b"y" * 90000 + b"\r\n\r\n",
        b"GET /" + b"a" * 90000 + b" HTTP/1.1\r\n\r\n",
        b"GET /v1/\x00models HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET /v1/models HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
        b"GET /v1/models HTTP/9.9\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\n" * 3000,
        bytes(dice.randrange(256) for _ in range(400)),
    ]
    sock = wire.connect(port)
    try:
        sock.sendall(dice.choice(shapes))
        read_some(sock, dice)
    except OSError:
        pass
    leave(sock, dice)


def act_leave_an_answer(port, dice):
    """A stream or a whole answer, long or passed through, left somewhere."""
    prompt = ARTICLE.format(dice.choice(("tea", "salt", "rope", "FAULT-bytes", "FAULT-endless")))
    sock = wire.connect(port, receive_buffer=dice.choice((None, 4096)))
    sock.sendall(chat_bytes(request(prompt, dice.choice((PLAIN, "longhand")), stream=dice.random() < 0.7)))
    read_some(sock, dice, dice.choice((2, 500, 20000)))
    leave(sock, dice)


def act_wrong_backend(port, dice):
    """A backend that breaks the rules; the answer is read to its end, whatever it is."""
    prompt = ARTICLE.format(dice.choice(FAULTS)) if dice.random() < 0.5 else f"Say {dice.choice(FAULTS)}."
    answer = wire.ask(port, "POST", "/v1/chat/completions", request(prompt, PLAIN, stream=dice.random() < 0.7))
    answer.read()
    answer.close()


def act_half_closed(port, dice):
    """Says that it will send no more, and reads on."""
    sock = wire.connect(port)
    sock.sendall(chat_bytes(dice.choice((HELLO, request(ARTICLE.format("tea"), stream=True)))))
    sock.shutdown(socket.SHUT_WR)
    read_some(sock, dice, 100000)
    sock.close()


def act_pipeline(port, dice):
    """Several requests at once; all answers are right, or the client has left before."""
    sock = wire.connect(port)
    get = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    sock.sendall((get + chat_bytes(HELLO)) * 4)
    for _ in range(dice.randrange(9)):
        answer = wire.Answer(sock)
        answer.read()
        assert answer.status == 200, answer.status
        if answer.data:
            break  # the rest of what was received belongs to the next answer
    leave(sock, dice)


def act_cancel(port, dice):
    answer = wire.ask(port, "POST", "/v1/chat/completions", request(ARTICLE.format("tea"), stream=True))
    job = answer.headers["x-longhand-job"]
    for _, _ in zip(range(dice.randrange(20)), answer.events(), strict=False):
        pass
    for _ in range(dice.randrange(1, 3)):
        status = wire.ask_whole(port, "POST", f"/v1/longhand/jobs/{job}/cancel").status
        assert status in (200, 404), status
    answer.read()
    answer.close()


def act_wrong_path(port, dice):
    method = dice.choice(("GET", "PUT", "DELETE", "BREW", "OPTIONS", "HEAD"))
    path = dice.choice(("/", "/v1/models/%ff%00", "/v1/longhand/jobs/" + "f" * 32, "/v1/longhand/jobs/../../x",
                        "/v1/chat/completions", "/metrics/x", "/v1/" + "%2e" * 500, "//v1//models", "*"))
    wire.ask_whole(port, method, path).close()


def act_right(port, _dice):
    """As it should be: the answer is there, and right."""
    answer = wire.ask_whole(port, "POST", "/v1/chat/completions", HELLO)
    assert answer.status == 200 and answer.is_whole, (answer.status, answer.raw_body)
    assert json.loads(answer.raw_body)["choices"][0]["message"]["content"]


ACTS = (
    (act_leave_at_once, 1), (act_part_of_a_request, 2), (act_drip, 1), (act_wrong_body, 3), (act_wrong_head, 3),
    (act_leave_an_answer, 3), (act_wrong_backend, 3), (act_half_closed, 1), (act_pipeline, 1), (act_cancel, 1),
    (act_wrong_path, 1), (act_right, 2),
)


def misbehave(port, seed):
    """One request; returns what is wrong with how it was answered, None when nothing is."""
    dice = random.Random(seed)
    act = dice.choices([act for act, _ in ACTS], [weight for _, weight in ACTS])[0]
    try:
        act(port, dice)
    except TimeoutError:
        return f"{act.__name__} ({seed}): no answer within {wire.TIMEOUT_S} s"
    except OSError as error:  # refused or closed while it was at it: right, but for what is right
        return f"{act.__name__} ({seed}): {error}" if act is act_right else None
    except AssertionError as error:
        return f"{act.__name__} ({seed}): {error}"
    return None


# --- rounds ---


def gauges(daemon):
    """What /metrics says is open; connections without the one that asks."""
    text = daemon.call("GET", "/metrics").raw_body.decode()
    figures = {name: int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE).group(1)) for name in GAUGES}
    connections = re.search(r"^longhand_connections_open (\d+)$", text, re.MULTILINE)
    return {**figures, "longhand_connections_open": int(connections.group(1)) - 1}


def wait_for_rest(daemon):
    """Asks until nothing is open; returns the gauges, which are not all 0 where that never came."""
    end = time.monotonic() + REST_S
    while any((now := gauges(daemon)).values()) and time.monotonic() < end:
        pass
    return now


class Round:
    """What one round left behind."""

    def __init__(self, daemon, seeds, jobs):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            self.wrong = [text for text in pool.map(lambda seed: misbehave(daemon.port, seed), seeds) if text]
        self.open = {name: count for name, count in wait_for_rest(daemon).items() if count}
        self.rss_kb = daemon.rss_kb()
        self.files = daemon.open_files()


def start(backend, **settings):
    """A longhandd that expects the worst."""
    backend.script(*RULES, top={"keep_requests": False}, keep_alive=False)
    return Daemon(backend.url, **{**SETTINGS, **settings})


def run_rounds(daemon, rounds, requests, jobs, seed):
    """All rounds, one after another."""
    for number in range(rounds):
        first = (seed * rounds + number) * requests
        yield Round(daemon, range(first, first + requests), jobs)


def faults_of(rounds, rss_kb):
    """What must not be, as lines; none: all is well."""
    lines = [f"round {n}: {text}" for n, r in enumerate(rounds, 1) for text in r.wrong]
    lines += [f"round {n}: still open: {r.open}" for n, r in enumerate(rounds, 1) if r.open]
    steady = rounds[1:] or rounds
    if steady[-1].files > steady[0].files + FILES_BESIDE:
        lines.append(f"file descriptors: {[r.files for r in rounds]}")
    spread = max(r.rss_kb for r in steady) - min(r.rss_kb for r in steady)
    if rss_kb and spread > rss_kb:
        lines.append(f"resident memory after rounds 2 and later differs by {spread} kB")
    return lines


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rss-kb", type=int, default=2048)
    options = parser.parse_args()
    backend = ScriptedBackend()
    daemon = start(backend)
    done = []
    print(f"{'round':>5}{'requests':>10}{'seconds':>9}{'RSS at rest, kB':>17}{'descriptors':>13}  open at rest")
    try:
        began = time.monotonic()
        for result in run_rounds(daemon, options.rounds, options.requests, options.jobs, options.seed):
            done.append(result)
            print(f"{len(done):>5}{options.requests:>10}{time.monotonic() - began:>9.1f}{result.rss_kb:>17,}"
                  f"{result.files:>13}  {result.open or 'nothing'}", flush=True)
            began = time.monotonic()
    finally:
        daemon.stop()
        backend.stop()
    faults = faults_of(done, options.rss_kb)
    print("\n".join(faults) if faults else "no crash, nothing left open, memory and descriptors flat")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
