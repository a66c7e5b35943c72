"""HTTP as bytes: requests on sockets of our own, answers read piece by piece.

The tests want to see what a library hides: where a body was cut, which comments a stream held, when
a byte came, what happens to a request that is never finished.
"""

import json
import socket

TIMEOUT_S = 30


class Event:
    """One server-sent event: `data` (str) or a comment."""

    def __init__(self, data=None, comment=None, fields=()):
        self.data = data
        self.comment = comment
        self.fields = list(fields)

    @property
    def json(self):
        """The data as JSON; None for [DONE] and comments."""
        return json.loads(self.data) if self.data not in (None, "[DONE]") else None


class Answer:
    """One answer on a socket. `is_whole` says whether its body ended as HTTP wants it."""

    def __init__(self, sock, method="GET"):
        self.sock = sock
        self.data = b""
        self.raw_body = b""
        self.is_whole = False
        self.is_reset = False
        self.left = 0
        self._head(method)

    def _head(self, method):
        while True:
            head = self._until(b"\r\n\r\n").decode("latin-1")
            lines = head.split("\r\n")
            self.status = int(lines[0].split(" ")[1])
            if self.status != 100:
                break
        self.header_list = [tuple(line.split(": ", 1)) for line in lines[1:-2]]
        self.headers = {name.lower(): value for name, value in self.header_list}
        if method == "HEAD" or self.status == 204:
            self.framing, self.left = "length", 0
        elif "chunked" in self.headers.get("transfer-encoding", ""):
            self.framing = "chunked"
        elif "content-length" in self.headers:
            self.framing, self.left = "length", int(self.headers["content-length"])
        else:
            self.framing = "close"

    def _receive(self):
        try:
            part = self.sock.recv(65536)
        except ConnectionResetError:
            self.is_reset = True
            part = b""
        self.data += part
        return len(part) > 0

    def _until(self, mark):
        while mark not in self.data:
            if not self._receive():
                raise ConnectionError(f"the peer closed after {self.data!r}")
        head, self.data = self.data.split(mark, 1)
        return head + mark

    def read_some(self):
        """The next piece of the body as it comes; b"" at its end, whole or not."""
        piece = b"" if self.is_whole else self._piece()
        self.raw_body += piece
        return piece

    def _piece(self):
        try:
            if self.framing == "chunked":
                return self._chunk()
        except ConnectionError:
            return b""
        if self.framing == "length" and self.left == 0:
            self.is_whole = True
            return b""
        if not self.data and not self._receive():
            self.is_whole = self.framing == "close" and not self.is_reset
            return b""
        size = len(self.data) if self.framing == "close" else self.left
        piece, self.data = self.data[:size], self.data[size:]
        self.left -= len(piece)
        return piece

    def _chunk(self):
        if self.left == 0:
            self.left = int(self._until(b"\r\n").split(b";")[0], 16)
            if self.left == 0:
                self._until(b"\r\n")
                self.is_whole = True
                return b""
        if not self.data and not self._receive():
            return b""
        piece, self.data = self.data[: self.left], self.data[self.left :]
        self.left -= len(piece)
        if self.left == 0:
            self._until(b"\r\n")
        return piece

    def read(self):
        """The whole rest of the body."""
        while self.read_some():
            pass
        return self.raw_body

    def json(self):
        """The whole body as JSON."""
        return json.loads(self.read())

    def events(self):
        """The events of a stream as they come; ends where the body ends."""
        text = b""
        while piece := self.read_some():
            text += piece
            while b"\n\n" in text:
                block, text = text.split(b"\n\n", 1)
                yield parse_event(block.decode())
        assert text == b"", f"the stream ends within an event: {text!r}"

    def close(self):
        """Leaves."""
        self.sock.close()


def parse_event(block):
    """One event from its lines."""
    fields = [line.partition(":") for line in block.split("\n")]
    data = [value.removeprefix(" ") for name, _, value in fields if name == "data"]
    comments = [value.strip() for name, _, value in fields if name == ""]
    return Event(
        data="\n".join(data) if data else None,
        comment=comments[0] if comments else None,
        fields=[name for name, _, _ in fields],
    )


def connect(port, receive_buffer=None):
    """A connection to a port on this machine."""
    sock = socket.socket()
    sock.settimeout(TIMEOUT_S)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect(("127.0.0.1", port))
    return sock


def head_of(method, path, headers):
    """The bytes of a request's head."""
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def send(sock, method, path, body=None, headers=None):
    """Sends a request: `body` is bytes, or something to be sent as JSON."""
    said = {"Host": "test", **(headers or {})}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        said.setdefault("Content-Type", "application/json")
    if body is not None:
        said.setdefault("Content-Length", str(len(body)))
    said = {name: value for name, value in said.items() if value is not None}
    sock.sendall(head_of(method, path, said) + (body or b""))


def ask(port, method, path, body=None, headers=None):
    """Sends a request on a new connection; the answer has its head and is still to be read."""
    sock = connect(port)
    send(sock, method, path, body, headers)
    return Answer(sock, method)


def ask_whole(port, method, path, body=None, headers=None):
    """The same, with the body read and the connection closed."""
    answer = ask(port, method, path, body, headers)
    answer.read()
    answer.close()
    return answer
