"""The scripted backend as a process, and its control surface."""

import json
import pathlib
import subprocess
import sys

import wire

PROGRAM = pathlib.Path(__file__).parent.parent / "fakes" / "scripted_backend.py"


class ScriptedBackend:
    """The program, started on a free port."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--port", "0", *args], stdout=subprocess.PIPE
        )
        self.port = int(self.process.stdout.readline().split()[-1])
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def stop(self):
        """Ends the program."""
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None):
        """The answer to a request, whole."""
        return wire.ask_whole(self.port, method, path, body)

    def control(self, verb, body=None):
        """The answer of the control surface; fails the test when it refuses."""
        answer = self.call("GET" if body is None else "POST", f"/control/{verb}", body)
        assert answer.status == 200, f"{verb}: {answer.status} {answer.raw_body.decode()}"
        return json.loads(answer.raw_body)

    def script(self, *rules, top=None, **default):
        """Sets a script: rules as dicts, the default behaviour as keywords."""
        self.control("script", {**(top or {}), "default": default, "rules": list(rules)})

    def reset(self):
        """As after the start."""
        self.control("reset", {})

    def wait(self, **counts):
        """Waits until the counts are reached (see scripted_backend.py); returns all counts."""
        query = "&".join(f"{name}={count}" for name, count in counts.items())
        return self.control(f"wait?{query}")["counts"]

    def release(self, name):
        """Lets answers held under this name go on."""
        self.control("release", {"name": name})

    def requests(self, role=None):
        """What it was sent; with a role (plan, write …), only chat completions of that role."""
        return self.control("requests" + (f"?role={role}" if role else ""))["requests"]

    def bodies(self, role=None):
        """The bodies of the chat completions it was sent, as JSON."""
        return [json.loads(r["body"]) for r in self.requests(role) if r["call"]]
