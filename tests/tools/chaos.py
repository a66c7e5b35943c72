#!/usr/bin/env python3
"""Three longhandd on one Redis while things die: is every text whole, and was each written once?

    make chaos CHAOS="--kills 100 --cuts 1000"

Scenarios: cuts (readers leave at random bytes and go on at a random replica), kills (kill -9 of a
random replica under running texts), faults (Redis stopped, frozen, restarted empty, cut off), cost
(CPU and memory of Redis as the store). Exit status 1 when anything was lost, doubled or too slow.
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time

from cluster import Cluster
from daemon import Daemon
from scripted import ScriptedBackend
from stubborn import Lost, StubbornClient, read_log

PROMPT = "Write an article of {} words about {}."
SUBJECTS = ["honey", "granite", "lanterns", "orchards", "harbours", "thistles", "canyons", "velvet", "rivers", "salt"]
LEASE_MS = 500
FAULT_LEASES = 9
FIRST_BYTE_LIMIT = 3
TAKEOVER_SLACK_S = 2.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def prompt(number, words):
    """One of many prompts."""
    return PROMPT.format(f"{words:,}", f"{SUBJECTS[number % len(SUBJECTS)]} and number {number}")


def pause(seconds):
    """Lets the world go on."""
    threading.Event().wait(seconds)


def check(cluster, client, follower=None):
    """One text: what was read, the log, and what any replica shows are the same bytes."""
    text = client.whole()
    events, logged = read_log(cluster, client.job)
    if text != logged:
        raise Lost(f"job {client.job}: read {len(text)} bytes, the log has {len(logged)}")
    replica = cluster.replicas[random.choice(cluster.alive())]
    shown = replica.call("GET", f"/v1/longhand/jobs/{client.job}/text").raw_body
    if shown != logged:
        raise Lost(f"job {client.job}: /text has {len(shown)} bytes, the log {len(logged)}")
    if follower is not None and follower.whole() != logged:
        raise Lost(f"job {client.job}: who read it in one go has another text")
    return events


# ---- readers that leave and come back anywhere ----


def first_byte_s(cluster, job, offset):
    """How long until the first content of a text read on from a byte."""
    replica = cluster.replicas[random.choice(cluster.alive())]
    began = time.perf_counter()
    answer = replica.ask("GET", f"/v1/longhand/jobs/{job}/chat?offset={offset}")
    next(e for e in answer.events() if e.json and any(c["delta"].get("content") for c in e.json["choices"]))
    took = time.perf_counter() - began
    answer.close()
    return took


def redis_read_s(client, key):
    """How long Redis alone takes for that log."""
    began = time.perf_counter()
    client.xrange(key)
    return time.perf_counter() - began


def measure_first_bytes(cluster, jobs):
    """Median of the ratio of a resume's first byte and the reading of its log from Redis."""
    ratios = []
    with cluster.redis.client() as client:
        for job in jobs:
            key = next(client.scan_iter(match=f"*log:*{job}*", count=1000))
            alone = statistics.median(redis_read_s(client, key) for _ in range(5))
            ratios.append(statistics.median(first_byte_s(cluster, job, 10) for _ in range(5)) / alone)
    return statistics.median(ratios)


def cuts(cluster, backend, count, first_byte_limit=None, words=600):
    """At least `count` resumes of running texts, each at a random byte on a random replica. Returns how many."""
    backend.script(chunk_ms=2)
    resumes, jobs, number = 0, [], 0
    while resumes < count:
        clients = [StubbornClient(cluster, prompt(number + n, words), number + n, lambda dice: dice.randrange(1, 400))
                   for n in range(10)]
        number += len(clients)
        followers = []
        for client in clients:
            client.start()
        for client in clients:
            client.has_content.wait(30)
            follower = StubbornClient(cluster, "", 0)
            follower.job = client.job
            follower.start()
            followers.append(follower)
        for client, follower in zip(clients, followers, strict=True):
            check(cluster, client, follower)
            resumes += client.connections - 1
            jobs.append(client.job)
    ratio = measure_first_bytes(cluster, random.sample(jobs, min(20, len(jobs))))
    print(f"cuts: {resumes} resumes of {len(jobs)} texts: 0 bytes lost, 0 doubled; "
          f"first byte {ratio:.2f} x reading the log from Redis alone (limit 3)", flush=True)
    if first_byte_limit is not None and ratio > first_byte_limit:
        raise Lost(f"a resume's first byte takes {ratio:.2f} x the reading of its log")
    return resumes


# ---- kill -9 ----


def writers(client):
    """The names of the processes whose lease holds."""
    return {key.decode().rsplit(":", 1)[-1] for key in client.scan_iter(match="*writer:*", count=1000)}


def orphans(client, alive):
    """How many running jobs name a process that is gone."""
    names = [name.decode() for key in client.scan_iter(match="*running:*", count=1000) for name in client.hvals(key)]
    return sum(1 for name in names if name not in alive)


def time_takeover(cluster, began, before):
    """Seconds from a kill until no running job belongs to who died."""
    with cluster.redis.client() as client:
        while time.monotonic() - began < 20:
            alive = writers(client)
            if before - alive and orphans(client, alive) == 0:
                return time.monotonic() - began
            pause(0.01)
    raise Lost("jobs of a killed process were not taken up within 20 s")


def keep_asking(cluster, numbers, done, is_over, words):
    """One seat: a text after the other until it is enough."""
    while not is_over.is_set():
        number = next(numbers)
        client = StubbornClient(cluster, prompt(number, words), number)
        client.start()
        client.join()
        done.append(client)


def kills(cluster, backend, count, n_jobs=30, words=600):
    """kill -9 of a random replica, `count` times, under `n_jobs` texts."""
    backend.script(chunk_ms=5)
    calls_before = backend.wait()["chats"]
    done, is_over, numbers = [], threading.Event(), iter(range(10**9))
    seats = [threading.Thread(target=keep_asking, args=(cluster, numbers, done, is_over, words)) for _ in range(n_jobs)]
    for seat in seats:
        seat.start()
    takeovers = []
    with cluster.redis.client() as client:
        for _ in range(count):
            pause(random.uniform(0.2, 0.6))
            before = writers(client)
            victim = random.choice(cluster.alive())
            began = time.monotonic()
            cluster.kill(victim)
            takeovers.append(time_takeover(cluster, began, before))
            cluster.start(victim)
    is_over.set()
    for seat in seats:
        seat.join()
    claims, logged_calls = 0, 0
    for client in done:
        events = check(cluster, client)
        claims += sum(event["kind"] == "claimed" for event in events)
        logged_calls += sum(event["kind"] == "call" for event in events)
    # A call that no log has was running when its process died: one for each take-over at most.
    repeated = backend.wait()["chats"] - calls_before - logged_calls
    limit = LEASE_MS / 1000 + TAKEOVER_SLACK_S
    print(f"kills: {count} x kill -9 under {n_jobs} texts: {len(done)} texts, each whole and once; {claims} take-overs, {repeated} model calls repeated; "
          f"longest {max(takeovers):.2f} s, median {statistics.median(takeovers):.2f} s (limit {limit:.1f} s)", flush=True)
    if repeated > claims:
        raise Lost(f"{repeated} calls repeated by {claims} take-overs")
    if max(takeovers) > limit:
        raise Lost(f"a take-over took {max(takeovers):.2f} s")
    return claims


# ---- Redis goes ----


def stopped(cluster):
    """It is away, and comes back with what it had."""
    cluster.redis.stop()
    pause(FAULT_LEASES * LEASE_MS / 1000)
    assert cluster.redis.start()


def frozen(cluster):
    """It takes what it is sent and answers nothing."""
    cluster.redis.freeze()
    pause(FAULT_LEASES * LEASE_MS / 1000)
    cluster.redis.thaw()


def emptied(cluster):
    """It is away, and comes back with nothing."""
    cluster.redis.stop(9)
    pause(FAULT_LEASES * LEASE_MS / 1000)
    for path in sorted(cluster.redis.home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert cluster.redis.start()


def cut_off(cluster):
    """All connections break, and no new one can be made."""
    for link in cluster.links:
        link.cut()
    pause(FAULT_LEASES * LEASE_MS / 1000)
    for link in cluster.links:
        link.heal()


def one_cut_off(cluster):
    """One process cannot reach it, so that the others take its texts up."""
    cluster.links[0].cut()
    pause(FAULT_LEASES * LEASE_MS / 1000)
    cluster.links[0].heal()


FAULTS = {"stopped": stopped, "frozen": frozen, "emptied": emptied, "cut off": cut_off, "cut off from one": one_cut_off}


def fault(cluster, backend, name, n_jobs=12, words=1200):
    """Streams that run while Redis is gone end complete, on the connection that they had."""
    backend.script(chunk_ms=20)
    clients = [StubbornClient(cluster, prompt(n, words), n) for n in range(n_jobs)]
    for client in clients:
        client.start()
    for client in clients:
        client.has_content.wait(30)
    FAULTS[name](cluster)
    for client in clients:
        check(cluster, client)
    again = sum(client.connections - 1 for client in clients)
    if again > 0:
        raise Lost(f"Redis {name}: {again} streams broke")
    print(f"faults: Redis {name} for {FAULT_LEASES} leases: {n_jobs} running streams complete, equal to their logs", flush=True)


# ---- what it costs ----


def cpu_s(daemon):
    """User and system time of a process."""
    fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class Alone:
    """One longhandd as a cluster of one, for the clients."""

    def __init__(self, daemon):
        self.replicas = [daemon]

    def alive(self):
        """It."""
        return [0]


def cost_of(daemon, backend, n_jobs, words):
    """CPU seconds per MB of text, with n_jobs texts at once; their ids and lengths."""
    backend.script(chunk_ms=20, words_per_chunk=1)
    before = cpu_s(daemon)
    clients = [StubbornClient(Alone(daemon), prompt(n, words), n) for n in range(n_jobs)]
    for client in clients:
        client.start()
    sizes = {client.job or n: len(client.whole()) for n, client in enumerate(clients)}
    sizes = {client.job: len(client.content) for client in clients}
    return (cpu_s(daemon) - before) / sum(sizes.values()) * 1e6, sizes


def cost(cluster, backend, rounds=3, n_jobs=50, words=1500):
    """CPU with Redis against the memory store, and Redis' memory against the text."""
    ratios, space = [], []
    for _ in range(rounds):
        memory = Daemon(backend.url)
        alone, _ = cost_of(memory, backend, n_jobs, words)
        memory.stop()
        shared, sizes = cost_of(cluster.replicas[0], backend, n_jobs, words)
        ratios.append(shared / alone)
        with cluster.redis.client() as client:
            used = sum(client.memory_usage(next(client.scan_iter(match=f"*log:*{job}*", count=1000)), samples=0) for job in sizes)
        space.append(used / sum(sizes.values()))
    print(f"cost: {n_jobs} texts at 50 chunks/s: CPU with Redis {statistics.median(ratios):.2f} x the memory store "
          f"(limit 1.2), Redis' memory {statistics.median(space):.2f} x the text (limit 2.5)", flush=True)
    if statistics.median(ratios) > 1.2 or statistics.median(space) > 2.5:
        raise Lost("too dear")


def run(options, backend, home):
    """All scenarios asked for, each in a cluster of its own; the number that failed."""
    scenarios = []
    if options.cuts:
        scenarios.append(lambda cluster: cuts(cluster, backend, options.cuts, FIRST_BYTE_LIMIT))
    if options.kills:
        scenarios.append(lambda cluster: kills(cluster, backend, options.kills))
    scenarios += [lambda cluster, name=name: fault(cluster, backend, name) for name in FAULTS if options.faults]
    if options.cost:
        scenarios.append(lambda cluster: cost(cluster, backend))
    failed = 0
    for number, scenario in enumerate(scenarios):
        backend.reset()
        cluster = Cluster(pathlib.Path(home) / str(number), backend.url, lease_ms=LEASE_MS, reader_grace_ms=2000)
        try:
            scenario(cluster)
        except Lost as lost:
            failed += 1
            print(f"FAILED: {lost}", flush=True)
        finally:
            cluster.stop()
    return failed


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--no-faults", dest="faults", action="store_false")
    parser.add_argument("--no-cost", dest="cost", action="store_false")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    backend = ScriptedBackend()
    with tempfile.TemporaryDirectory() as home:
        failed = run(options, backend, home)
    backend.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
