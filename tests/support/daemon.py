"""longhandd as a process: the binary that the tests are about, started on a free port."""

import os
import pathlib
import re
import signal
import subprocess
import threading

import wire

ROOT = pathlib.Path(__file__).parent.parent.parent
BINARY = os.environ.get("LONGHANDD") or str(ROOT / "build" / "asan" / "longhandd")
LISTENING = re.compile(r"listening .*?address=(?:127\.0\.0\.1:(\d+)|unix:)")
START_S = 30
STOP_S = 30
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|detected memory leaks")

# What every test starts with: nothing waits longer than it must. Times in ms.
QUICK = {
    "shutdown_grace_ms": 5000,
    "retry_base_ms": 5,
    "retry_cap_ms": 20,
    "flush_ms": 5,
    "max_connections": 200,
}


class Daemon:
    """One longhandd in front of a backend. Settings go through the environment.

    It listens on a free port, `port`, or on a unix socket where `listen` says so.
    """

    def __init__(self, backend_url, *args, env=None, listen="127.0.0.1:0", **settings):
        self.log_lines = []
        self.logged = threading.Condition()
        self.port = None
        self.is_listening = False
        self.found_port = threading.Event()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGHAND")}
        environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
        for name, value in {**QUICK, **settings}.items():
            environment[f"LONGHAND_{name.upper()}"] = str(value)
        environment.update(env or {})
        command = [BINARY, "--listen", listen, *(["--backend", backend_url] if backend_url else []), *args]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        self.found_port.wait(START_S)
        assert self.is_listening, f"{' '.join(command)} did not start:\n{self.log()}"

    def _read_log(self):
        for line in self.process.stderr:
            text = line.decode("utf-8", "replace")
            with self.logged:
                self.log_lines.append(text)
                self.logged.notify_all()
            if not self.is_listening and (found := LISTENING.search(text)):
                self.port = int(found.group(1) or 0)
                self.is_listening = True
                self.found_port.set()
        self.found_port.set()

    def log(self):
        """All it has logged up to now."""
        return "".join(self.log_lines)

    def wait_log(self, text):
        """Waits until it has logged a text."""
        with self.logged:
            assert self.logged.wait_for(lambda: text in self.log(), START_S), f"no {text!r} in:\n{self.log()}"

    def base_url(self):
        """What clients are pointed at."""
        return f"http://127.0.0.1:{self.port}/v1"

    def rss_kb(self):
        """Resident memory."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def open_files(self):
        """How many descriptors it has open."""
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def ask(self, method, path, body=None, headers=None):
        """An answer whose body is still to be read."""
        return wire.ask(self.port, method, path, body, headers)

    def call(self, method, path, body=None, headers=None):
        """An answer, whole."""
        return wire.ask_whole(self.port, method, path, body, headers)

    def chat(self, body, headers=None):
        """The answer to a chat completion, its body still to be read."""
        return self.ask("POST", "/v1/chat/completions", body, headers)

    def terminate(self):
        """Sends SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """Ends it at once (SIGKILL), and waits until it is gone."""
        self.process.kill()
        self.wait()

    def freeze(self):
        """Stops it where it is (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Lets it go on."""
        self.process.send_signal(signal.SIGCONT)

    def wait(self):
        """The exit code, once it has ended by itself."""
        code = self.process.wait(STOP_S)
        self.reader.join(STOP_S)
        self.process.stderr.close()
        return code

    def stop(self):
        """Ends it, and fails the test when it did not end well: code 0, nothing leaked."""
        if self.process.poll() is None:
            self.terminate()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end on SIGTERM; log:\n{self.log()}") from None
        assert not SANITIZER.search(self.log()), self.log()
        assert code == 0, f"exit code {code}; log:\n{self.log()}"
