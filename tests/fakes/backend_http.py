"""A small HTTP/1.1 server on asyncio that can misbehave at a chosen byte.

Connection parses requests one after another and hands each to the application, a coroutine function
`app(request, reply)`. Reply writes the answer; its faults say where it stops, resets or waits. A
client that leaves (or half-closes) while an answer is under way raises ClientGone out of the next
write.
"""

import asyncio
import json
import socket
import struct

REASONS = {
    200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict",
    413: "Payload Too Large", 422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}
HEAD_MAX_BYTES = 65536
BLOCKED_AFTER_S = 0.3


class ClientGone(Exception):
    """The client closed its side before the answer was whole."""


class Broken(Exception):
    """A fault of the script ended the connection."""


class Request:
    """One request as it came: header names in lower case, in order, in `headers`."""

    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.path = target.split("?", 1)[0]
        self.header_list = headers
        self.headers = dict(headers)
        self.body = b""

    def json(self):
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Fault:
    """What happens when so many bytes of the answer are out.

    how: "reset" (RST), "close" (FIN, the body not ended), "hold" (wait until released under `name`,
    then go on; "stall" is a hold that nobody releases). of: "body" counts the bytes of the body
    without the framing of chunks, "wire" counts everything from the status line on.
    """

    def __init__(self, how, at_byte, of="body", name=""):
        self.how = how
        self.at_byte = at_byte
        self.of = of
        self.name = name
        self.is_done = False


class Connection(asyncio.Protocol):
    """One client connection; answers its requests in order."""

    count = 0

    def __init__(self, app):
        Connection.count += 1
        self.id = Connection.count
        self.app = app
        self.data = bytearray()
        self.transport = None
        self.arrived = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.gone = asyncio.Event()
        self.task = None
        self.on_lost = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=65536)
        self.task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data):
        self.data += data
        self.arrived.set()
        if len(self.data) > 8 * 1024 * 1024:
            self.transport.pause_reading()

    def eof_received(self):
        self._leave()
        return False

    def connection_lost(self, exc):
        self._leave()
        if self.on_lost:
            self.on_lost()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def _leave(self):
        self.gone.set()
        self.arrived.set()
        self.writable.set()

    async def _more(self):
        if self.gone.is_set():
            raise ClientGone
        self.arrived.clear()
        self.transport.resume_reading()
        await self.arrived.wait()

    async def _take(self, size):
        while len(self.data) < size:
            await self._more()
        part = bytes(self.data[:size])
        del self.data[:size]
        return part

    async def _take_line(self):
        while (end := self.data.find(b"\r\n")) < 0:
            await self._more()
        return (await self._take(end + 2))[:-2]

    async def _head(self):
        while (end := self.data.find(b"\r\n\r\n")) < 0:
            if len(self.data) > HEAD_MAX_BYTES:
                raise Broken
            await self._more()
        lines = (await self._take(end + 4)).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = []
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers.append((name.strip().lower(), value.strip()))
        return Request(method, target, headers)

    async def _body(self, headers):
        if "chunked" in headers.get("transfer-encoding", "").lower():
            parts = []
            while size := int((await self._take_line()).split(b";")[0], 16):
                parts.append(await self._take(size))
                await self._take_line()
            while await self._take_line():
                pass
            return b"".join(parts)
        return await self._take(int(headers.get("content-length", "0")))

    async def _serve(self):
        try:
            while True:
                request = await self._head()
                if request.headers.get("expect", "").lower() == "100-continue":
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.body = await self._body(request.headers)
                reply = Reply(self, request)
                await self.app(request, reply)
                if not reply.keeps_alive:
                    break
        except (ClientGone, Broken, ValueError, ConnectionError):
            pass
        finally:
            self.transport.close()

    def reset(self):
        """Ends the connection with RST once what was written is in the kernel's hands."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Reply:
    """One answer. `start` sends the head, `body` parts of the body, `end` what ends it.

    wire: {"split": bytes per write, "keep_alive": bool, "framing": "chunked|length|close"}.
    on_state(state) hears "held", "running" and "blocked" (the client has not read for a while).
    """

    def __init__(self, connection, request):
        self.connection = connection
        self.request = request
        self.faults = []
        self.wire = {}
        self.holds = {}
        self.on_state = lambda state: None
        self.keeps_alive = request.headers.get("connection", "").lower() != "close"
        self.wire_bytes = 0
        self.body_bytes = 0
        self.kept = None
        self.framing = "chunked"

    async def start(self, status, headers, length=None):
        """Sends status line and headers; `length` in bytes asks for Content-Length framing."""
        self.framing = self.wire.get("framing") or ("chunked" if length is None else "length")
        if self.wire.get("keep_alive") is False or self.framing == "close":
            self.keeps_alive = False
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.framing == "length":
            lines.append(f"Content-Length: {length}")
        if not self.keeps_alive:
            lines.append("Connection: close")
        await self._send("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def body(self, data):
        """Sends a part of the body, to its last byte or to the next fault."""
        split = self.wire.get("split") or 0
        while data:
            size = min(len(data), split) if split else len(data)
            fault = self._next_fault("body")
            if fault:
                size = min(size, max(fault.at_byte - self.body_bytes, 0))
            if size:
                part, data = data[:size], data[size:]
                self.body_bytes += size
                if self.kept is not None:
                    self.kept += part
                await self._send(b"%x\r\n%b\r\n" % (size, part) if self.framing == "chunked" else part)
                if split:
                    await asyncio.sleep(0)
            if fault and self.body_bytes >= fault.at_byte:
                await self._fail(fault)

    async def end(self):
        """Ends the body."""
        fault = self._next_fault("body")
        if fault and self.body_bytes >= fault.at_byte:
            await self._fail(fault)
        if self.framing == "chunked":
            await self._send(b"0\r\n\r\n")
        await self._drain()

    async def pause(self, seconds):
        """Waits, but not for a client that is gone."""
        try:
            await asyncio.wait_for(self.connection.gone.wait(), seconds)
        except TimeoutError:
            return
        raise ClientGone

    def _next_fault(self, of):
        for fault in self.faults:
            if fault.of == of and not fault.is_done:
                return fault
        return None

    async def _send(self, data):
        while data:
            fault = self._next_fault("wire")
            size = len(data)
            if fault:
                size = min(size, max(fault.at_byte - self.wire_bytes, 0))
            if self.connection.gone.is_set():
                raise ClientGone
            if size:
                self.connection.transport.write(data[:size])
                self.wire_bytes += size
                data = data[size:]
            if not self.connection.writable.is_set():
                await self._drain()
            if fault and self.wire_bytes >= fault.at_byte:
                await self._fail(fault)

    async def _drain(self):
        writable = self.connection.writable
        if not writable.is_set():
            try:
                await asyncio.wait_for(writable.wait(), BLOCKED_AFTER_S)
            except TimeoutError:
                self.on_state("blocked")
                await writable.wait()
                self.on_state("running")
        if self.connection.gone.is_set():
            raise ClientGone

    async def _fail(self, fault):
        fault.is_done = True
        if fault.how == "hold":
            await self._hold(fault.name)
            return
        while self.connection.transport.get_write_buffer_size() and not self.connection.gone.is_set():
            await asyncio.sleep(0)
        if fault.how == "reset":
            self.connection.reset()
        raise Broken

    async def _hold(self, name):
        released = self.holds.setdefault(name, asyncio.Event())
        self.on_state("held")
        waits = [asyncio.ensure_future(e.wait()) for e in (released, self.connection.gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.connection.gone.is_set():
            raise ClientGone
        self.on_state("running")
