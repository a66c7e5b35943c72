"""SIGHUP: new settings for what comes, the old ones for what is there."""

import concurrent.futures
import hashlib
import os
import signal
import threading
import time

import pytest
from chat import Chunks, assert_error, has_content, read_until, request, stream

ARTICLE = "Write an article of 2,000 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
# `make reloads` says 200 streams at a time for 60 s, and a reload each second.
STREAMS = int(os.environ.get("RELOAD_STREAMS", "50"))
PERIOD_S = float(os.environ.get("RELOAD_PERIOD_S", "0.05"))
SECONDS = float(os.environ.get("RELOAD_SECONDS", "0"))
CHUNK_MS = int(os.environ.get("RELOAD_CHUNK_MS", "3"))


class Reloadable:
    """longhandd with a file that can be written anew."""

    def __init__(self, start, path, text, **settings):
        self.path = path
        path.write_text(text)
        self.longhand = start("--config", str(path), **settings)

    def count(self, word):
        """How often a word has been logged."""
        return self.longhand.log().count(word)

    def reload(self, text, says=" reloaded "):
        """Writes the file, asks for a reload and waits for what it logs."""
        before = self.count(says)
        self.path.write_text(text)
        self.longhand.process.send_signal(signal.SIGHUP)
        while self.count(says) == before:
            assert self.longhand.call("GET", "/healthz").status == 200


@pytest.fixture(name="make")
def fixture_make(start, tmp_path):
    """A function that makes one."""
    return lambda text, **settings: Reloadable(start, tmp_path / "longhand.yaml", text, **settings)


def key_line(name, key):
    """A key of the file."""
    return f"  {name}: {{hash: sha256:{hashlib.sha256(key.encode()).hexdigest()}}}\n"


def models(longhand, **headers):
    """The ids of GET /v1/models."""
    return [model["id"] for model in longhand.call("GET", "/v1/models", headers=headers).json()["data"]]


def test_new_presets_and_limits_hold_for_new_requests(make):
    served = make("max_target_words: 5000\n")
    longhand = served.longhand
    assert "longhand-essay" not in models(longhand)
    served.reload("max_target_words: 1000\npresets:\n  longhand-essay: {target_words: 600}\n")
    assert "longhand-essay" in models(longhand)
    assert stream(longhand, request("Write an essay about tea.", model="longhand-essay")).report["target_words"] == 600
    assert_error(longhand.chat(request(ARTICLE)), 400, param="longhand.target_words")
    served.reload("")
    assert "longhand-essay" not in models(longhand)


def test_keys_come_and_go(make):
    served = make("keys:\n" + key_line("alice", "sk-a"))
    longhand = served.longhand
    alice, bob = {"Authorization": "Bearer sk-a"}, {"Authorization": "Bearer sk-b"}
    job = longhand.chat(request(ARTICLE), alice)
    job.read()
    path = f"/v1/longhand/jobs/{job.headers['x-longhand-job']}"
    assert longhand.call("GET", path, headers=bob).status == 401
    served.reload("keys:\n" + key_line("alice", "sk-a") + key_line("bob", "sk-b"))
    assert longhand.call("GET", path, headers=bob).status == 404
    assert longhand.call("GET", path, headers=alice).status == 200
    served.reload("keys:\n" + key_line("bob", "sk-b"))
    assert longhand.call("GET", path, headers=alice).status == 401


def test_a_broken_file_changes_nothing(make):
    served = make("presets:\n  longhand-essay: {target_words: 600}\n")
    for text, fault in (("max_jobs: many\n", ":1:11: max_jobs: "), ("presets: [", "did not find"), ("what: 5\n", "what is not")):
        served.reload(text, says="reload_refused")
        assert fault in served.longhand.log()
        assert "longhand-essay" in models(served.longhand)
    served.path.unlink()
    served.longhand.process.send_signal(signal.SIGHUP)
    while "No such file" not in served.longhand.log():
        assert "longhand-essay" in models(served.longhand)


def test_what_cannot_change_is_named(make):
    served = make("max_connections: 100\n", stuck_ms=60000)
    served.reload("keepalive_ms: 1000\nprompts_dir: /nowhere\nmax_target_words: 1000\n")
    for name in ("keepalive_ms", "prompts_dir"):
        assert f"setting_unchanged setting={name} " in served.longhand.log()
    assert "setting=max_target_words" not in served.longhand.log()
    assert_error(served.longhand.chat(request(ARTICLE)), 400, param="longhand.target_words")


def test_a_running_text_keeps_its_backend(make, backend):
    here = f"backends:\n  default: {{url: '{backend.url}'}}\n"
    served = make(here, backend_url="")
    backend.script(GATE)
    answer = served.longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    served.reload("backends:\n  default: {url: 'http://127.0.0.1:1/v1', model: gone}\n")
    assert_error(served.longhand.chat(request("Hello", model="scripted")), 502, code="backend_unavailable")
    backend.release("gate")
    chunks = Chunks(answer)
    assert chunks.is_done
    assert chunks.finish == "stop"
    served.reload(here)
    assert served.longhand.chat(request("Hello", model="scripted")).status == 200


def test_reloads_under_streams_break_none(make, backend):
    """Passed through and written long, while backends, keys and presets change underneath."""
    texts = [
        f"backends:\n  default: {{url: '{backend.url}', models: {{m{n}: scripted-model}}}}\n"
        f"presets:\n  longhand-{n}: {{target_words: 600}}\nheartbeat_ms: {n + 100}\n" for n in range(3)
    ]
    served = make(texts[0], backend_url="", max_connections=400)
    backend.script(chunk_ms=CHUNK_MS)
    stop = threading.Event()
    end_s = time.monotonic() + SECONDS

    def keep_reloading():
        count = 0
        while not stop.wait(PERIOD_S):
            count += 1
            served.path.with_suffix(".new").write_text(texts[count % len(texts)])
            served.path.with_suffix(".new").replace(served.path)
            served.longhand.process.send_signal(signal.SIGHUP)
        return count

    def one_stream(number):
        if number % 2 == 0:
            return stream(served.longhand, request("Tell me of tea in 300 words.", model="scripted-model"))
        return stream(served.longhand, request("Write an article of 600 words about tea.", model="longhand"))

    def streams(number):
        got = [one_stream(number), one_stream(number + 1)]
        while time.monotonic() < end_s:
            got.append(one_stream(number + len(got)))
        return got

    with concurrent.futures.ThreadPoolExecutor(STREAMS + 1) as pool:
        reloading = pool.submit(keep_reloading)
        try:
            got = [chunks for each in pool.map(streams, range(STREAMS)) for chunks in each]
        finally:
            stop.set()
        asked = reloading.result()
    assert asked > 5
    assert served.count(" reloaded ") > 5
    assert "reload_refused" not in served.longhand.log()
    for number, chunks in enumerate(got):
        assert chunks.is_done, number
        assert chunks.error is None, chunks.error
        assert chunks.finish == "stop"
    seen = served.longhand.call("GET", "/metrics").raw_body.decode()
    assert "longhand_streams_open 0" in seen
    assert "longhand_jobs_running 0" in seen
    print(f"\n{len(got):,} streams, {STREAMS} at a time, under {served.count(' reloaded ')} reloads: 0 broken")
