"""Long texts in a directory: there again after kill -9, and through a full disk."""

import json
import os
import random
import resource
import subprocess
import time

import pytest
from chat import Chunks, has_content, request, stream
from daemon import BINARY, Daemon
from stubborn import StubbornClient, read_log

ARTICLE = "Write an article of 2,000 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
WAIT_S = 30
CLIENTS = int(os.environ.get("CLIENTS", "6"))
# How often the process is killed: `make state-kills` says 100, with more texts.
KILLS = int(os.environ.get("KILLS", "5"))


@pytest.fixture(name="state_dir")
def fixture_state_dir(tmp_path):
    """Where a longhandd keeps its texts; it makes the directory itself."""
    return tmp_path / "state"


@pytest.fixture(name="run")
def fixture_run(backend, state_dir):
    """A function that starts longhandd on the directory; what is not killed must end well."""
    started = []

    def run(**settings):
        daemon = Daemon(backend.url, "--state-dir", str(state_dir), **settings)
        started.append(daemon)
        return daemon

    yield run
    for daemon in started:
        if daemon.process.returncode is None:
            daemon.stop()


def wait_until(condition):
    """Waits for what the daemon does by itself."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline


def content_of(events):
    """The text that events of a stream brought, as bytes."""
    deltas = [c["delta"] for e in events if e.json for c in e.json.get("choices", [])]
    return "".join(d.get("content") or "" for d in deltas).encode()


def logged(state_dir, job):
    """The events of a job's log, as less and jq see them."""
    lines = [json.loads(line) for line in (state_dir / "jobs" / f"{job}.log").read_text().splitlines()]
    return [line for line in lines if "kind" in line]


def logged_text(state_dir, job):
    """The text of a job's log, as bytes."""
    return "".join(e["text"] for e in logged(state_dir, job) if e["kind"] == "text").encode()


def metric(longhand, name):
    """One figure of /metrics."""
    lines = longhand.call("GET", "/metrics").raw_body.decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def job_path(job, tail=""):
    """The path of a job."""
    return f"/v1/longhand/jobs/{job}{tail}"


# ---- kill -9 ----


def test_what_a_client_has_read_is_on_the_disk(backend, run, state_dir):
    longhand = run()
    backend.script(chunk_ms=1)
    answer = longhand.chat(request(ARTICLE, stream=True))
    job = answer.headers["x-longhand-job"]
    got = b""
    for event in answer.events():
        got += content_of([event])
        if event.json and has_content(event):
            assert logged_text(state_dir, job).startswith(got)
    answer.close()
    assert got == logged_text(state_dir, job)
    assert got == longhand.call("GET", job_path(job, "/text")).raw_body
    assert (state_dir.stat().st_mode & 0o777, (state_dir / "jobs" / f"{job}.log").stat().st_mode & 0o777) == (0o700, 0o600)


def test_kill_9_in_mid_text_loses_nothing_that_was_read(backend, run, state_dir):
    longhand = run()
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    job = answer.headers["x-longhand-job"]
    events = answer.events()
    got = content_of([next(event for event in events if has_content(event))])
    backend.wait(held=1)
    longhand.kill()
    got += content_of(events_until_cut(events))
    answer.close()
    kept = logged_text(state_dir, job)
    assert got
    assert kept.startswith(got)

    again = run()
    assert "logs=1 unfinished=1" in again.log()
    backend.release("gate")
    shown = again.call("GET", job_path(job))
    assert shown.status == 200, shown.raw_body
    assert again.call("GET", job_path(job, "/text")).raw_body.startswith(kept)
    for offset in [0, len(got), len(kept)]:
        rest = Chunks(again.ask("GET", job_path(job, f"/chat?offset={offset}")))
        assert rest.is_done
        assert rest.finish == "stop"
        whole = again.call("GET", job_path(job, "/text")).raw_body
        assert whole.startswith(kept)
        assert len(whole) > len(kept)
        assert rest.text.encode() == whole[offset:]
    assert [e["kind"] for e in logged(state_dir, job)].count("done") == 1


def events_until_cut(events):
    """What comes before the connection breaks."""
    seen = []
    try:
        seen.extend(iter(events))
    except (OSError, ValueError, AssertionError):
        pass
    return seen


class OneByOne:
    """Processes on one directory, one after the other, as a cluster for clients that come back."""

    def __init__(self, run, state_dir):
        self.run = lambda: run(reader_grace_ms=2000)
        self.state_dir = state_dir
        self.replicas = [self.run()]

    def alive(self):
        """The one there is."""
        return [0]

    def log_of(self, job):
        """The entries of a log, as Redis would have them."""
        entries = []
        for line in (self.state_dir / "jobs" / f"{job}.log").read_bytes().splitlines(keepends=True):
            if line.startswith(b'{"entry"'):
                said = json.loads(line)
                entries.append((said["entry"].encode(), {b"n": str(said["events"]).encode(), b"d": b""}))
            elif line.startswith(b'{"v"'):
                entries[-1][1][b"d"] += line
        return entries

    def kill(self):
        """Ends the process at once and starts another."""
        self.replicas[0].kill()
        self.replicas[0] = self.run()


def test_kills_at_any_moment_lose_and_double_nothing(backend, run, state_dir):
    backend.script(chunk_ms=2)
    cluster = OneByOne(run, state_dir)
    chance = random.Random(5)
    clients = []
    n_cut = 0
    for _ in range(KILLS):
        while len(running := [client for client in clients if not client.is_over]) < CLIENTS:
            clients.append(StubbornClient(cluster, f"{ARTICLE} Number {len(clients)}.", len(clients)))
            clients[-1].start()
        client = chance.choice(running or clients)
        client.has_content.clear()
        client.has_content.wait(1)
        n_cut += sum(not client.is_over for client in clients)
        cluster.kill()
    n_bytes = 0
    for client in clients:
        whole = client.whole()
        _, kept = read_log(cluster, client.job)
        assert whole == kept
        assert whole == cluster.replicas[0].call("GET", job_path(client.job, "/text")).raw_body
        n_bytes += len(whole)
    assert len(list((state_dir / "jobs").iterdir())) == len(clients)
    assert n_cut >= KILLS
    print(f"\n{KILLS} x kill -9 under {n_cut / KILLS:.1f} texts: {len(clients)} texts whole, {n_bytes:,} bytes, "
          "0 lost, 0 doubled")


def test_a_finished_text_outlives_the_process(run):
    first = run()
    got = stream(first, request(ARTICLE))
    job = got.answer.headers["x-longhand-job"]
    first.kill()
    again = run()
    shown = again.call("GET", job_path(job))
    assert shown.status == 200, shown.raw_body
    assert shown.json()["status"] == "done"
    assert again.call("GET", job_path(job, "/text")).raw_body == got.text.encode()
    assert again.call("DELETE", job_path(job)).status in (200, 204)
    again.kill()
    assert run().call("GET", job_path(job)).status == 404


def test_finished_texts_go_in_time_though_nobody_runs(run, state_dir):
    first = run(retention_ms=300)
    stream(first, request("Write an article of 1,000 words about tea."))
    first.kill()
    run(retention_ms=300)
    wait_until(lambda: not list((state_dir / "jobs").iterdir()))


# ---- the directory ----


def start_and_fail(backend, *args):
    """The exit code and the log of a longhandd that cannot start."""
    command = [BINARY, "--listen", "127.0.0.1:0", "--backend", backend.url, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_second_process_is_told_who_has_the_directory(backend, run, state_dir):
    first = run()
    code, log = start_and_fail(backend, "--state-dir", str(state_dir))
    assert code == 1
    assert f"process {first.process.pid} uses it" in log
    assert start_and_fail(backend, "--check-config", "--state-dir", str(state_dir))[0] == 0
    first.stop()
    run()


def test_a_directory_that_cannot_be_used_is_found_before_the_start(backend, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path in [file, tmp_path / "not" / "there"]:
        code, log = start_and_fail(backend, "--check-config", "--state-dir", str(path))
        assert (code, str(path) in log) == (2, True), log
        code, log = start_and_fail(backend, "--state-dir", str(path))
        assert (code, "store_refused" in log) == (1, True), log
    assert start_and_fail(backend, "--check-config", "--state-dir", str(tmp_path / "new"))[0] == 0
    assert not (tmp_path / "new").exists()


# ---- a full disk: no file may become longer than it is ----


def up_to(events, condition):
    """Events up to the first for which the condition holds."""
    for event in events:
        yield event
        if condition(event):
            return
    raise AssertionError("the stream ended before")


def limit_files(daemon, size_bytes):
    """Writes beyond so many bytes of a file fail from now on."""
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))


def test_a_full_disk_is_survived(backend, run, state_dir):
    longhand = run(heartbeat_ms=100)
    backend.script(chunk_ms=1)
    answer = longhand.chat(request(ARTICLE, stream=True))
    events = answer.events()
    seen = list(up_to(events, has_content))
    limit_files(longhand, 9000)
    wait_until(lambda: "store_failing" in longhand.log())
    # Its reader hears that it goes on, whatever else is asked is answered, and it is said.
    seen += up_to(events, lambda event: event.comment == "hb")
    assert longhand.call("GET", "/readyz").status == 200
    passed = longhand.chat(request("Say hello.", model="alpha"))
    assert passed.status == 200
    passed.close()
    assert metric(longhand, "longhand_store_up") == 0
    assert metric(longhand, "longhand_store_errors_total") > 0
    seen += up_to(events, lambda event: event.comment == "hb")
    assert longhand.log().count("store_failing") == 1

    limit_files(longhand, resource.RLIM_INFINITY)
    wait_until(lambda: "store_recovered" in longhand.log())
    seen += events
    answer.close()
    assert seen[-1].data == "[DONE]"
    job = answer.headers["x-longhand-job"]
    assert content_of(seen) == logged_text(state_dir, job)
    assert content_of(seen) == longhand.call("GET", job_path(job, "/text")).raw_body
    assert metric(longhand, "longhand_store_up") == 1
    assert longhand.log().count("store_failing") == 1
    places = [tuple(map(int, e["id"].split("-"))) for e in logged(state_dir, job)]
    assert places == sorted(set(places))
