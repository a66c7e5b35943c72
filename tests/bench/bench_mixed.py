"""make bench-mixed: what passes through, while long texts are written and while none is.

Paced requests that are not streamed go through longhandd to a backend that answers at once; their
p99 with so many long texts under way, each written at 50 words a second by the same backend and
read by a client, is set against the p99 with none. Without limits of the backend, and with: calls
at once, long texts leaving room. Many short rounds, each with and without texts in changing order,
in the same processes; what counts is the median of the rounds' quotients. Where that is allowed,
all of it runs at real-time priority: a p99 on a busy machine is else the time that a process waits
for a processor, and nothing of ours.
"""

import argparse
import contextlib
import json
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench import Load, Proxy, running, wait_until

LIMIT = 1.2
SETTLE_S = 0.5
SECTIONS = 24
SECTION_WORDS = 500
LIMITS = {"no limits": "", "limits": ", max_in_flight: 24, jobs_in_flight: 16, requests_per_minute: 1000000"}


def port_of(log: int) -> int:
    log_text = os.pread(log, 1 << 16, 0).decode("utf-8", "replace")
    found = re.search(r"listening .*?address=127\.0\.0\.1:(\d+)", log_text)
    return int(found.group(1)) if found else 0


@contextlib.contextmanager
def longhandd(build: Path, backend: int, limits: str) -> Iterator[Proxy]:
    """longhandd in front of one backend with these limits."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGHAND")}
    environment["LONGHAND_SHUTDOWN_GRACE_MS"] = environment["LONGHAND_READER_GRACE_MS"] = "0"
    with tempfile.TemporaryDirectory(prefix="longhand-bench-") as directory:
        config = Path(directory, "longhand.yaml")
        url = f"http://127.0.0.1:{backend}/v1"
        config.write_text(f"backends:\n  default: {{url: '{url}', model: mock{limits}}}\n", encoding="ascii")
        command = [str(build / "longhandd"), "--listen", "127.0.0.1:0", "--config", str(config)]
        with tempfile.TemporaryFile() as log, running(command, env=environment, stderr=log) as process:
            wait_until(lambda: port_of(log.fileno()) > 0, "longhandd")
            yield Proxy(port_of(log.fileno()), process.pid)


class Texts:
    """Long texts under way, and a thread that reads what comes of them."""

    def __init__(self, port: int, count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.is_over = False
        self.got: dict[socket.socket, int] = {}
        for number in range(count):
            self._ask(port, number)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _ask(self, port: int, number: int) -> None:
        plan = [{"title": f"Part {n + 1}", "words": SECTION_WORDS} for n in range(SECTIONS)]
        body = json.dumps({
            "model": "longhand", "stream": True, "longhand": {"plan": plan},
            "messages": [{"role": "user", "content": f"Write chronicle number {number + 1}."}],
        }).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(head.encode() + body)
        self.got[sock] = 0
        self.selector.register(sock, selectors.EVENT_READ)

    def _read(self) -> None:
        while not self.is_over:
            for key, _ in self.selector.select(0.05):
                data = key.fileobj.recv(65536)
                self.got[key.fileobj] += len(data)
                if not data:
                    self.selector.unregister(key.fileobj)

    def close(self) -> None:
        self.is_over = True
        self.reader.join()
        for sock in self.got:
            sock.close()


def metric(port: int, name: str) -> int:
    """The value of a series without labels."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        text = b""
        while part := sock.recv(65536):
            text += part
    return int(re.search(rf"^{name} (\d+)$", text.decode(), re.MULTILINE).group(1))


class Served:
    """longhandd with its backend and the load on it, for all rounds."""

    def __init__(self, options: argparse.Namespace, limits: str, stack: contextlib.ExitStack) -> None:
        build = options.build.resolve()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        mock = stack.enter_context(running([str(build / "bench" / "mock_upstream")], **pipes))
        self.proxy = stack.enter_context(longhandd(build, int(mock.stdout.readline()), limits))
        self.seconds = options.seconds
        numbers = [self.proxy.port, options.connections, options.seconds, options.pace_ms]
        command = [str(build / "bench" / "load"), "whole", *map(str, numbers)]
        self.load = Load(stack.enter_context(running(command, **pipes)))
        self.load.line()

    def measure(self, count: int) -> dict[str, float]:
        """Percentiles of what passes through with so many texts under way."""
        port = self.proxy.port
        texts = Texts(port, count)
        try:
            wait_until(lambda: metric(port, "longhand_jobs_running") == count, f"{count} texts")
            time.sleep(SETTLE_S)
            before, before_s = metric(port, "longhand_events_total"), self.proxy.cpu_s()
            self.load.begin()
            seconds = self.load.line()["seconds"]
            used_s = self.proxy.cpu_s() - before_s
            measured = self.load.line()
            events = metric(port, "longhand_events_total") - before
        finally:
            texts.close()
        if count > 0 and events < count * seconds / 2:
            raise SystemExit(f"bench: {count} long texts made only {events} events: they do not run")
        wait_until(lambda: metric(port, "longhand_jobs_running") == 0, "the end of the texts")
        return {**measured, "cpu": used_s / seconds, "events_per_second": events / seconds}


Results = dict[tuple[str, int], list[dict[str, float]]]


def measure_all(options: argparse.Namespace) -> Results:
    """All rounds, each of all variants."""
    counts = (0, options.texts)
    results: Results = {(name, count): [] for name in LIMITS for count in counts}
    with contextlib.ExitStack() as stack:
        served = {name: Served(options, limits, stack) for name, limits in LIMITS.items()}
        for number in range(options.rounds):
            for name in LIMITS:
                for count in counts if number % 2 == 0 else reversed(counts):
                    measured = served[name].measure(count)
                    results[name, count].append(measured)
                    text = "  ".join(f"{key} {value:.2f}" for key, value in measured.items())
                    print(f"{number + 1}/{options.rounds} {name:9} {count:3} texts  {text}", flush=True)
    return results


def print_table(results: Results, options: argparse.Namespace) -> bool:
    """True: no quotient is over the limit."""
    is_ok = True
    rate = options.connections * 1000 / options.pace_ms
    print(f"\nmedians of {options.rounds} interleaved rounds, and of their quotients; {rate:.0f} requests a second pass through")
    print(f"{'':22}{'no texts':>10}{f'{options.texts} texts':>10}{'quotient':>10}{'limit':>7}")
    for name in LIMITS:
        for value, limit in (("p50_us", None), ("p99_us", LIMIT)):
            alone, mixed = ([m[value] for m in results[name, count]] for count in (0, options.texts))
            quotient = statistics.median(b / a for a, b in zip(alone, mixed, strict=True))
            is_good = limit is None or quotient <= limit
            is_ok = is_ok and is_good
            verdict = "" if limit is None else f"{limit:7.1f}  {'ok' if is_good else 'over'}"
            row = f"{name}, {value[:3]} (us)"
            print(f"{row:22}{statistics.median(alone):10.1f}{statistics.median(mixed):10.1f}{quotient:10.2f}{verdict}")
    return is_ok


def go_first() -> str:
    """All processes of the measurement before what else the machine does, where that is allowed (as root).

    They need a small part of the processors, and what would wait for one is not what is measured.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return "at normal priority: not allowed to go first"
    return "at real-time priority"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), help="where the binaries are")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--texts", type=int, default=20, help="long texts under way")
    parser.add_argument("--connections", type=int, default=8, help="that what passes through comes on")
    parser.add_argument("--pace-ms", type=int, default=10, help="between two requests of a connection")
    options = parser.parse_args()
    print(f"bench: {go_first()}", flush=True)
    return 0 if print_table(measure_all(options), options) else 1


if __name__ == "__main__":
    sys.exit(main())
