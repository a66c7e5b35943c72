#!/usr/bin/env python3
"""What --state-dir costs: longhandd with it beside longhandd without it, in one run.

    make bench-store

Each writes the same texts at once for clients that stream them, from a backend that sends 50 chunks
a second to each. Printed: longhandd's CPU time per chunk of the backend, the time from a request to
its first text, and the time a whole text took; medians over the rounds, which alternate.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "fakes"))

from chat import has_content, request
from daemon import Daemon
from scripted import ScriptedBackend

CHUNKS_PER_S = 50
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(daemon):
    """User and system time of a process, all threads."""
    fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def read_text(daemon, number, words, times):
    """One client: notes when the first text came, and when the last."""
    since = time.monotonic()
    answer = daemon.chat(request(f"Write an article of {words} words about tea and number {number}.", stream=True))
    first_s = None
    n_chunks = 0
    for event in answer.events():
        if has_content(event):
            first_s = first_s or time.monotonic() - since
            n_chunks += 1
    answer.close()
    times.append((first_s, time.monotonic() - since, n_chunks))


def run_round(daemon, options):
    """CPU microseconds per chunk, median seconds to the first text and for a whole one."""
    times = []
    before = cpu_s(daemon)
    clients = [threading.Thread(target=read_text, args=(daemon, n, options.words, times)) for n in range(options.jobs)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    spent = cpu_s(daemon) - before
    n_chunks = options.jobs * options.words  # the backend sends words one by one
    return spent * 1e6 / n_chunks, statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--words", type=int, default=500)
    options = parser.parse_args()
    backend = ScriptedBackend()
    backend.script(chunk_ms=1000 // CHUNKS_PER_S, words_per_chunk=1)
    rows = {"memory": [], "state-dir": []}
    with tempfile.TemporaryDirectory(dir=".") as home:
        for number in range(options.rounds):
            for name, row in rows.items():
                args = ["--state-dir", f"{home}/{number}"] if name == "state-dir" else []
                daemon = Daemon(backend.url, *args, flush_ms=50)
                row.append(run_round(daemon, options))
                daemon.stop()
    backend.stop()
    print(f"{options.jobs} texts of {options.words} words at once, {CHUNKS_PER_S} chunks/s each, {options.rounds} rounds")
    for name, row in rows.items():
        cpu, first, whole = (statistics.median(values) for values in zip(*row, strict=True))
        print(f"{name:10} {cpu:6.0f} us CPU per chunk   first text after {first * 1e3:5.0f} ms   whole text {whole:5.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
