"""Several longhandd on one Redis, each of which may be killed, frozen or cut off."""

import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import threading

import redis
from daemon import Daemon
from proxy import free_port

READY = re.compile(r"Ready to accept connections")
START_TRIES = 5
STOP_S = 20


class RedisServer:
    """redis-server (or valkey-server) on a free port, its files in `home`."""

    def __init__(self, home, *args, is_durable=True):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.args = [*args, "--appendonly", "yes" if is_durable else "no", "--appendfsync", "always"]
        for _ in range(START_TRIES):
            self.port = free_port()
            if self.start():
                break
        assert self.process is not None, (self.home / "output").read_text(encoding="utf-8")

    def start(self):
        """Starts it on its port; false where that is taken."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "redis-server is missing: apt-get install redis-server"
        output = self.home / "output"
        self.process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.home), *self.args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        said = []
        for line in self.process.stdout:
            said.append(line)
            if READY.search(line):
                # Nobody reads on: what it says from now on is little, and fits the pipe.
                return True
        output.write_text("".join(said), encoding="utf-8")
        self.process.wait()
        self.process = None
        return False

    def stop(self, number=signal.SIGTERM):
        """Ends it; what it has stays in `home`."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(STOP_S)
            self.process.stdout.close()
        self.process = None

    def restart_empty(self):
        """Ends it, and starts another without anything of it."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.home)
        self.home.mkdir()
        assert self.start()

    def freeze(self):
        """It takes connections, and answers nothing (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """It answers again."""
        self.process.send_signal(signal.SIGCONT)

    def client(self):
        """A client, for looking at what is in it."""
        return redis.Redis(port=self.port, socket_timeout=10)

    def url(self, port=None):
        """What longhandd is given; with the port of what stands in between."""
        return f"redis://127.0.0.1:{port or self.port}/0"


def events_of(entries):
    """The events of a log's entries, (id, fields) each, as docs/operations.md says how to read them."""
    events = []
    for place, fields in entries:
        epoch, last = (int(part) for part in place.split(b"-"))
        lines = fields[b"d"].decode().splitlines()
        assert len(lines) == int(fields[b"n"])
        for seq, line in enumerate(lines, last + 1 - len(lines)):
            event = json.loads(line)
            if isinstance(event, list):
                section, at_byte, t_ms, text = event
                event = {"v": 1, "id": f"{epoch}-{seq}", "kind": "text", "section": section,
                         "at_byte": at_byte, "t_ms": t_ms, "text": text}
            assert event["id"] == f"{epoch}-{seq}"
            events.append(event)
    return events


class TcpProxy:
    """Stands between a client and a port, until it is cut."""

    def __init__(self, port):
        self.upstream = port
        self.pairs = {}
        self.lock = threading.Lock()
        self.is_cut = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.wake, self.waker = os.pipe()
        self.is_over = False
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_over:
            for key, _ in self.selector.select():
                if key.fileobj == self.wake:
                    os.read(self.wake, 100)
                elif key.fileobj is self.listener:
                    self._accept()
                else:
                    self._forward(key.fileobj)

    def _accept(self):
        client, _ = self.listener.accept()
        with self.lock:
            if self.is_cut:
                client.close()
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                client.close()
                return
            self.pairs[client], self.pairs[server] = server, client
            self.selector.register(client, selectors.EVENT_READ)
            self.selector.register(server, selectors.EVENT_READ)

    def _forward(self, source):
        with self.lock:
            if source not in self.pairs:
                return
            try:
                data = source.recv(65536)
                if data:
                    self.pairs[source].sendall(data)
            except OSError:
                data = b""
            if not data:
                self._close(source)

    def _close(self, side):
        for sock in (side, self.pairs.pop(side)):
            self.pairs.pop(sock, None)
            self.selector.unregister(sock)
            sock.close()

    def cut(self):
        """Breaks all connections, and takes no more."""
        with self.lock:
            self.is_cut = True
            while self.pairs:
                self._close(next(iter(self.pairs)))
        os.write(self.waker, b"x")

    def heal(self):
        """Takes connections again."""
        with self.lock:
            self.is_cut = False

    def stop(self):
        """Ends it."""
        self.cut()
        self.is_over = True
        os.write(self.waker, b"x")
        self.thread.join()
        self.listener.close()
        self.selector.close()
        os.close(self.wake)
        os.close(self.waker)


class Cluster:
    """Replicas on one Redis and one backend, each behind a proxy of its own to Redis."""

    def __init__(self, home, backend_url, size=3, server=None, **settings):
        self.backend_url = backend_url
        self.settings = {"lease_ms": 500, "scan_ms": 100, "follow_ms": 20, **settings}
        self.redis = server or RedisServer(pathlib.Path(home) / "redis")
        self.links = [TcpProxy(self.redis.port) for _ in range(size)]
        self.replicas = [self._start(link) for link in self.links]

    def _start(self, link):
        return Daemon(self.backend_url, "--redis", self.redis.url(link.port), **self.settings)

    def kill(self, number):
        """kill -9; it stays away until start()."""
        self.replicas[number].kill()

    def start(self, number):
        """Another process in the place of one that is gone."""
        self.replicas[number] = self._start(self.links[number])

    def alive(self):
        """The replicas that run, as numbers."""
        return [n for n, replica in enumerate(self.replicas) if replica.process.poll() is None]

    def log_of(self, job):
        """A job's log as Redis has it: (id, fields) for each entry."""
        with self.redis.client() as client:
            keys = [key for key in client.scan_iter(match=f"*log:*{job}*", count=1000)]
            assert len(keys) == 1, keys
            return client.xrange(keys[0])

    def stop(self):
        """Ends all of it, and checks that each replica ended well."""
        for replica in self.replicas:
            if replica.process.poll() is None:
                replica.thaw()
        try:
            for number in self.alive():
                self.replicas[number].stop()
        finally:
            for link in self.links:
                link.stop()
            self.redis.stop()
