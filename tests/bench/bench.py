"""make bench: longhandd beside nginx as a plain proxy, in one run.

Each round measures each figure on both, one right after the other, the first one alternating; every
measurement has processes of its own. What counts is the quotient of the medians, against the
limits below. CPU is that of the proxy's process (nginx: its worker) from /proc, whatever else runs
on the machine; the delays suffer from a busy machine, on both sides.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SIDES = ("nginx", "longhandd")
START_S = 20
READY_S = 60
STOP_S = 20
# Two descriptors for each stream of the proxy, and room.
FILES_NEEDED = 12_000

NGINX_CONF = """
{user}
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log crit;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    upstream backend {{
        server 127.0.0.1:{backend};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 300s;
        }}
    }}
}}
"""


class Proxy:
    """A proxy under test: where it listens and which process does the work."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid

    def cpu_s(self) -> float:
        fields = (
            Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found, "no VmRSS"
        return int(found.group(1))


@contextlib.contextmanager
def running(command: list[str], **options) -> Iterator[subprocess.Popen]:
    """A process that is stopped and gone at the end, however that comes."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def wait_until(is_true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + START_S
    while not is_true():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {what} did not start")
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text(encoding="ascii").split()]


@contextlib.contextmanager
def nginx(build: Path, backend: int) -> Iterator[Proxy]:
    binary = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not binary:
        raise SystemExit("bench: nginx is missing: apt-get install nginx-light")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    with tempfile.TemporaryDirectory(prefix="longhand-bench-") as directory:
        port = free_port()
        config = NGINX_CONF.format(
            user="user root;" if os.getuid() == 0 else "",
            dir=directory,
            files=files,
            connections=files - 100,
            backend=backend,
            port=port,
        )
        path = Path(directory, "nginx.conf")
        path.write_text(config, encoding="ascii")
        with running(
            [binary, "-p", directory, "-c", str(path), "-e", f"{directory}/error.log"]
        ) as process:
            wait_until(lambda: answers(port) and children(process.pid), "nginx")
            yield Proxy(port, children(process.pid)[0])


@contextlib.contextmanager
def longhandd(build: Path, backend: int, wrapped_by: tuple[str, ...] = ()) -> Iterator[Proxy]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGHAND")}
    environment["LONGHAND_SHUTDOWN_GRACE_MS"] = "100"
    command = [*wrapped_by, str(build / "longhandd"), "--listen", "127.0.0.1:0"]
    command += ["--backend", f"http://127.0.0.1:{backend}/v1", "--model", "mock"]
    with tempfile.TemporaryFile() as log, running(command, env=environment, stderr=log) as process:

        def port() -> int:
            log_text = os.pread(log.fileno(), 1 << 16, 0).decode("utf-8", "replace")
            found = re.search(r"listening .*?address=127\.0\.0\.1:(\d+)", log_text)
            return int(found.group(1)) if found else 0

        wait_until(lambda: port() > 0, "longhandd")
        yield Proxy(port(), process.pid)


PROXIES = {"nginx": nginx, "longhandd": longhandd}


class Load:
    """The load generator at work on a proxy."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def line(self) -> dict:
        text = self.process.stdout.readline()
        if not text:
            raise SystemExit("bench: the load generator gave up")
        return json.loads(text)

    def begin(self) -> None:
        self.process.stdin.write("begin\n")
        self.process.stdin.flush()


class Scenario:
    """One kind of load, and what is measured under it."""

    def __init__(
        self, load: str, connections: int, seconds: int, settle_s: float, pace_ms: int = 0
    ) -> None:
        self.load, self.connections, self.seconds = load, connections, seconds
        self.settle_s, self.pace_ms = settle_s, pace_ms

    def command(self, build: Path, port: int) -> list[str]:
        pace = [str(self.pace_ms)] if self.pace_ms else []
        numbers = [str(port), str(self.connections), str(self.seconds), *pace]
        return [str(build / "bench" / "load"), self.load, *numbers]

    def measure(self, build: Path, side: str) -> dict[str, float]:
        """All that it can tell about one side."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with contextlib.ExitStack() as stack:
            mock = stack.enter_context(running([str(build / "bench" / "mock_upstream")], **pipes))
            proxy = stack.enter_context(PROXIES[side](build, int(mock.stdout.readline())))
            empty_kib = proxy.rss_kib()
            load = Load(stack.enter_context(running(self.command(build, proxy.port), **pipes)))
            load.line()
            time.sleep(self.settle_s)
            before_s = proxy.cpu_s()
            load.begin()
            counted = load.line()
            used_s = proxy.cpu_s() - before_s
            return {
                "cpu_us": used_s / max(counted["count"], 1) * 1e6,
                "kib": (proxy.rss_kib() - empty_kib) / self.connections,
                "per_second": counted["count"] / counted["seconds"],
                **load.line(),
            }


PACED = Scenario("stream", 400, seconds=4, settle_s=0.5, pace_ms=20)
WHOLE = Scenario("whole", 64, seconds=4, settle_s=0.5)
COUNTED = Scenario("whole", 64, seconds=10, settle_s=2)
OPEN = Scenario("stream", 5000, seconds=6, settle_s=2.5, pace_ms=2000)


class Figure:
    """One line of the table: a value of a scenario and how far above nginx's it may be."""

    def __init__(self, name: str, text: str, scenario: Scenario, value: str, limit: float) -> None:
        self.name, self.text, self.scenario, self.value, self.limit = (
            name,
            text,
            scenario,
            value,
            limit,
        )


FIGURES = (
    Figure("chunk", "CPU per paced chunk, 400 streams x 20 ms (us)", PACED, "cpu_us", 1.3),
    Figure("request", "CPU per request that is not streamed (us)", WHOLE, "cpu_us", 2.2),
    Figure("delay", "p99 delay of a chunk, 5,000 streams (us)", OPEN, "p99_us", 2.5),
    Figure("memory", "memory per stream, 5,000 streams (KiB)", OPEN, "kib", 1.7),
)


def raise_files_limit() -> int:
    """The soft limit of open files, raised to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def affordable(figures: list[Figure]) -> list[Figure]:
    """Without those that the limit of open files does not allow, and says so."""
    files = raise_files_limit()
    if files == resource.RLIM_INFINITY or files >= FILES_NEEDED:
        return figures
    print(
        f"bench: `ulimit -n` is {files} at most, 5,000 streams need {FILES_NEEDED}: their figures are "
        "left out, and the run counts as failed. Raise the hard limit (`ulimit -Hn`).",
        file=sys.stderr,
    )
    return [figure for figure in figures if figure.scenario is not OPEN]


Results = dict[tuple[Scenario, str], list[dict[str, float]]]


def measure_all(build: Path, figures: list[Figure], rounds: int) -> Results:
    scenarios = list(dict.fromkeys(figure.scenario for figure in figures))
    results: Results = {(scenario, side): [] for scenario in scenarios for side in SIDES}
    for number in range(rounds):
        for scenario in scenarios:
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                measured = scenario.measure(build, side)
                results[scenario, side].append(measured)
                text = "  ".join(f"{name} {value:.1f}" for name, value in measured.items())
                print(
                    f"{number + 1}/{rounds} {side:9} {scenario.connections:4} {scenario.load}  {text}",
                    flush=True,
                )
    return results


def print_table(results: Results, figures: list[Figure], rounds: int) -> bool:
    """True: no figure is over its limit."""
    is_ok = True
    print(f"\nmedians of {rounds} interleaved rounds")
    print(f"{'':49}{'nginx':>9}{'longhandd':>11}{'quotient':>10}{'limit':>7}")
    for figure in figures:
        nginx_value, own_value = (
            statistics.median(measured[figure.value] for measured in results[figure.scenario, side])
            for side in SIDES
        )
        quotient = own_value / nginx_value
        is_ok = is_ok and quotient <= figure.limit
        verdict = "ok" if quotient <= figure.limit else "over"
        print(
            f"{figure.text:49}{nginx_value:9.1f}{own_value:11.1f}{quotient:10.2f}{figure.limit:7.1f}  {verdict}"
        )
    return is_ok


def count_instructions(build: Path) -> int:
    """Prints what a request takes of the processor outside the kernel: the same on a busy machine."""
    if not shutil.which("valgrind"):
        raise SystemExit("bench: valgrind is missing: apt-get install valgrind")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with tempfile.TemporaryDirectory(prefix="longhand-bench-") as directory:
        profile = f"{directory}/profile"
        valgrind = ("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={profile}")
        with contextlib.ExitStack() as stack:
            mock = stack.enter_context(running([str(build / "bench" / "mock_upstream")], **pipes))
            proxy = stack.enter_context(longhandd(build, int(mock.stdout.readline()), valgrind))
            load = Load(stack.enter_context(running(COUNTED.command(build, proxy.port), **pipes)))
            load.line()
            time.sleep(COUNTED.settle_s)
            subprocess.run(["callgrind_control", "-i", "on", str(proxy.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            load.begin()
            requests = load.line()["count"]
            subprocess.run(["callgrind_control", "-i", "off", str(proxy.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        told = subprocess.run(["callgrind_annotate", "--threshold=100", profile], check=True, capture_output=True, text=True).stdout
    lines = [(int(m[1].replace(",", "")), m[2]) for m in re.finditer(r"^ *([\d,]+) \([^)]*\)  (.*)$", told, re.MULTILINE)]
    total = next(count for count, name in lines if name == "PROGRAM TOTALS")
    clearing = sum(count for count, name in lines if "memset" in name)
    print(f"instructions per request that is not streamed: {(total - clearing) // requests:,}, and {clearing // requests:,} of memset")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), help="where the binaries are")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is measured")
    parser.add_argument("--only", action="append", choices=[figure.name for figure in FIGURES])
    parser.add_argument("--instructions", action="store_true", help="count them, by valgrind; nothing else")
    arguments = parser.parse_args()
    if arguments.instructions:
        return count_instructions(arguments.build.resolve())
    asked = [figure for figure in FIGURES if not arguments.only or figure.name in arguments.only]
    figures = affordable(asked)
    if not figures:
        return 2
    results = measure_all(arguments.build.resolve(), figures, arguments.rounds)
    is_ok = print_table(results, figures, arguments.rounds)
    return 2 if len(figures) < len(asked) else 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
