#!/usr/bin/env python3
"""A scripted OpenAI backend over real HTTP, for tests and measurements.

    python3 tests/fakes/scripted_backend.py [--host H] --port 0 [--port-file F] [--script JSON|@FILE]

It prints "listening on PORT" (and writes PORT to F) once it listens. What it answers is a script:
see backend_script.py for its keys, backend_model.py for what it understands of a prompt.

Control surface (not recorded):
    POST /control/script        sets the script, and forgets what was
    POST /control/reset         back to the script of the command line, and forgets what was
    POST /control/release       {"name": "…"}: lets held answers go on
    GET  /control/requests      ?role=write: all it was sent, and what became of each
    GET  /control/wait          ?open=1&closed=2…&timeout_ms=10000: answers when all counts are there,
                                or 408; every answer has the counts
Counts: requests, chats, finished, closed (the client left early), held and blocked (now), failed
(ended by a fault), connections, most_open (at once), and one per role, at least as many; open and
connections_open, just as many.
"""

import argparse
import asyncio
import base64
import hashlib
import itertools
import json
import pathlib
import re
import sys
import time
import urllib.parse

from backend_chat import Chat
from backend_http import Broken, ClientGone, Connection, Fault
from backend_model import Model, Prompt
from backend_script import CHAT_PATH, Script, ScriptError

BODY_KEPT_BYTES = 4 * 1024 * 1024
EXACT = {"open", "connections_open"}
COUNTS = ("requests", "chats", "finished", "closed", "failed", "open", "held", "blocked", "connections", "most_open",
          "plan", "write", "summarise", "chat")
ENDS = ("finished", "closed", "failed")
ERROR_TYPES = {401: "invalid_request_error", 429: "requests", 404: "invalid_request_error"}


class Record:
    """What is known of one request, and of the answer to it."""

    def __init__(self, number, request, reply):
        self.reply = reply
        self.said = {
            "n": number, "at_ms": time.monotonic_ns() // 1000000, "method": request.method, "target": request.target, "path": request.path,
            "headers": request.headers, "header_list": request.header_list,
            "body_bytes": len(request.body), "sha256": hashlib.sha256(request.body).hexdigest(),
            "body": request.body[:BODY_KEPT_BYTES].decode("utf-8", "surrogateescape"),
            "connection": reply.connection.id, "role": None, "call": None, "rule": None,
            "state": "running",
        }

    def describe(self):
        """The record as JSON, with what was sent up to now."""
        sent = {
            "closed_early": self.said["state"] == "closed",
            "sent_bytes": self.reply.wire_bytes, "sent_body_bytes": self.reply.body_bytes,
        }
        if self.reply.kept is not None:
            sent["sent_base64"] = base64.b64encode(self.reply.kept).decode()
        return {**self.said, **sent}


class Board:
    """All requests, their counts, and those who wait for counts."""

    def __init__(self):
        self.counts = {"connections_open": 0}
        self.changed = asyncio.Event()
        self.clear()

    def clear(self):
        """Forgets all but the open connections."""
        self.records = []
        self.counts = {**dict.fromkeys(COUNTS, 0), "connections_open": self.counts["connections_open"]}
        self.changed.set()

    def add(self, name, by=1):
        self.counts[name] += by
        self.counts["most_open"] = max(self.counts["most_open"], self.counts["open"])
        self.changed.set()

    async def wait(self, wanted, timeout_s):
        """Whether the counts were reached in time."""
        def is_there():
            return all(
                self.counts[k] == n if k in EXACT else self.counts[k] >= n for k, n in wanted.items()
            )
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not is_there():
            left = deadline - asyncio.get_running_loop().time()
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), max(left, 0.001))
            except TimeoutError:
                return is_there()
        return True


class Backend:
    """The application: routes requests, keeps the script and the board."""

    def __init__(self, given):
        self.given = given
        self.board = Board()
        self.use(Script(given))

    def use(self, script):
        """Starts over with this script. Answers under way end as they began."""
        self.script = script
        self.model = Model(script.seed)
        self.calls = itertools.count(1)
        self.role_calls = {}
        self.holds = {}
        self.board.clear()

    async def handle(self, request, reply):
        """Answers one request."""
        if request.path.startswith("/control/"):
            await self._control(request, reply)
            return
        board = self.board
        record = Record(len(board.records) + 1, request, reply)
        counts = board.counts
        if self.script.keep_requests:
            board.records.append(record)
        self._count_connection(reply.connection)
        board.add("requests")
        board.add("open")
        reply.holds = self.holds
        reply.on_state = lambda state: self._on_state(record, counts, state)
        if self.script.keep_sent:
            reply.kept = bytearray()
        try:
            await self._answer(request, reply, record)
            reply.on_state("finished")
        except ClientGone:
            reply.on_state("closed")
            raise
        except (Broken, ConnectionError):
            reply.on_state("failed")
            raise

    def _count_connection(self, connection):
        if not connection.on_lost:
            self.board.add("connections")
            self.board.add("connections_open")
            connection.on_lost = lambda: self.board.add("connections_open", -1)

    def _on_state(self, record, counts, state):
        """Moves one request to another state; the counts of an earlier script stay as they are."""
        was, record.said["state"] = record.said["state"], state
        if counts is not self.board.counts:
            return
        if was in COUNTS:
            self.board.add(was, -1)
        if state in COUNTS:
            self.board.add(state)
        if state in ENDS:
            self.board.add("open", -1)

    # --- the OpenAI surface ---

    def _behaviour(self, request, record, prompt):
        is_chat = request.path == CHAT_PATH and request.method == "POST"
        role, call, role_call, stream = None, None, None, False
        if is_chat:
            role, call, stream = prompt.role, next(self.calls), prompt.body.get("stream") is True
            role_call = self.role_calls[role] = self.role_calls.get(role, 0) + 1
            self.board.add("chats")
            self.board.add(role)
        behaviour, rule = self.script.behaviour({
            "path": request.path, "method": request.method, "match": prompt.last if prompt else "",
            "stream": stream, "role": role, "calls": call, "role_calls": role_call,
        })
        record.said.update(role=role, call=call, rule=rule)
        return behaviour

    async def _answer(self, request, reply, record):
        body = request.json()
        prompt = Prompt(body if isinstance(body, dict) else {})
        behaviour = self._behaviour(request, record, prompt)
        reply.wire = {k: behaviour[k] for k in ("split", "keep_alive", "framing")}
        reply.faults = [
            Fault("hold" if f["how"] == "stall" else f["how"], f.get("at_byte", 0), f.get("of", "body"),
                  f.get("name", "" if f["how"] == "hold" else f"stall {id(f)}"))
            for f in behaviour["faults"]
        ]
        reply.faults.sort(key=lambda fault: fault.at_byte)
        if behaviour["delay_ms"]:
            await reply.pause(behaviour["delay_ms"] / 1000)
        if behaviour["key"] and request.headers.get("authorization") != f"Bearer {behaviour['key']}":
            behaviour = {**behaviour, "status": 401, "error": {"code": "invalid_api_key"}}
        if behaviour["status"] != 200 or behaviour["raw_body"] is not None:
            await self._plain(reply, behaviour)
        elif request.path == CHAT_PATH and request.method == "POST":
            await self._chat(reply, behaviour, prompt, body)
        else:
            await self._other(request, reply, behaviour)

    async def _send(self, reply, behaviour, status, body, content_type="application/json"):
        headers = [("Content-Type", behaviour["content_type"] or content_type)]
        if behaviour["retry_after"] is not None:
            headers.append(("Retry-After", behaviour["retry_after"]))
        headers += behaviour["headers"].items()
        await reply.start(status, headers, len(body))
        if behaviour["first_ms"]:
            await reply.pause(behaviour["first_ms"] / 1000)
        await reply.body(body)
        await reply.end()

    async def _plain(self, reply, behaviour, **said):
        status = behaviour["status"]
        if behaviour["raw_body"] is not None:
            await self._send(reply, behaviour, status, behaviour["raw_body"].encode("utf-8", "surrogateescape"))
            return
        error = {
            "message": f"scripted {status}", "param": None, "code": None,
            "type": ERROR_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
            **said, **(behaviour["error"] or {}),
        }
        await self._send(reply, behaviour, status, json.dumps({"error": error}).encode())

    async def _other(self, request, reply, behaviour):
        path = urllib.parse.unquote(request.path)
        models = [
            m if isinstance(m, dict) else {"id": m, "object": "model", "created": 1700000000, "owned_by": "scripted"}
            for m in self.script.models
        ]
        if path in self.script.paths:
            said = self.script.paths[path]
        elif path == "/v1/models" and request.method == "GET":
            said = {"object": "list", "data": models}
        elif path.startswith("/v1/models/") and request.method == "GET":
            found = [m for m in models if m["id"] == path.removeprefix("/v1/models/")]
            if not found:
                error = {"message": "no such model", "code": "model_not_found"}
                await self._plain(reply, {**behaviour, "status": 404, "error": error})
                return
            said = found[0]
        elif path.startswith("/v1/responses"):
            # As most servers: chat completions only. A script gives it responses by "paths" and rules.
            await self._plain(reply, {**behaviour, "status": 404, "raw_body": '{"detail":"Not Found"}'})
            return
        elif path.startswith("/v1/"):
            said = {
                "object": "echo", "method": request.method, "target": request.target,
                "body": request.body.decode("utf-8", "replace"),
            }
        else:
            await self._plain(reply, {**behaviour, "status": 404})
            return
        await self._send(reply, behaviour, 200, json.dumps(said, ensure_ascii=False).encode())

    async def _chat(self, reply, behaviour, prompt, body):
        bad = None
        if not isinstance(body, dict) or not prompt.messages:
            bad = {"message": "messages must be a non-empty array", "param": "messages"}
        elif prompt.schema is not None and behaviour["schema"] == "reject":
            bad = {"message": "response_format is not supported", "param": "response_format"}
        elif prompt.prefix and behaviour["continues"] == "reject":
            bad = {"message": "the last message must be from the user", "param": "messages"}
        elif behaviour["window"] and prompt.tokens > behaviour["window"]:
            bad = {"message": f"the prompt has {prompt.tokens} tokens, the context {behaviour['window']}",
                   "code": "context_length_exceeded"}
        if bad:
            await self._plain(reply, {**behaviour, "status": 400, "error": {**bad, **(behaviour["error"] or {})}})
            return
        answer = self.model.answer(prompt, behaviour)
        chat = Chat(behaviour, prompt, answer)
        if body.get("stream") is True:
            await chat.stream(reply)
        else:
            await self._send(reply, behaviour, 200, chat.whole())

    # --- the control surface ---

    async def _control(self, request, reply):
        verb = request.path.removeprefix("/control/")
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query))
        status, said = 200, {}
        try:
            if verb == "script":
                self.use(Script(json.loads(request.body)))
            elif verb == "reset":
                self.use(Script(self.given))
            elif verb == "release":
                name = (request.json() or {}).get("name", "")
                self.holds.setdefault(name, asyncio.Event()).set()
            elif verb == "requests":
                role = query.get("role")
                said = {"requests": [
                    r.describe() for r in self.board.records if role in (None, r.said["role"])
                ]}
            elif verb == "wait":
                timeout_s = int(query.pop("timeout_ms", "10000")) / 1000
                is_there = await self.board.wait({k: int(n) for k, n in query.items()}, timeout_s)
                status = 200 if is_there else 408
            else:
                status = 404
        except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
            status, said = 400, {"error": f"{type(error).__name__}: {error}"}
        said["counts"] = self.board.counts
        data = json.dumps(said).encode()
        await reply.start(status, [("Content-Type", "application/json")], len(data))
        await reply.body(data)
        await reply.end()


def announce(port, port_file):
    """Tells whoever started this program its port."""
    print(f"listening on {port}", flush=True)
    if port_file:
        pathlib.Path(port_file).write_text(f"{port}\n", encoding="ascii")


async def serve(args):
    """Listens until it is killed."""
    backend = Backend(json.loads(args.script))

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(backend.handle), args.host, args.port, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    announce(port, args.port_file)
    await server.serve_forever()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--script", default="{}", help="JSON, or @FILE")
    args = parser.parse_args()
    try:
        if args.script.startswith("@"):
            args.script = pathlib.Path(args.script[1:]).read_text(encoding="utf-8")
        asyncio.run(serve(args))
    except (ScriptError, json.JSONDecodeError, OSError) as error:
        sys.exit(f"scripted_backend: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
