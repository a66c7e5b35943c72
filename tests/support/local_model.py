"""The embedded local model as a process: deploy/local-model/serve.py on a free port."""

import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
SERVE = ROOT / "deploy" / "local-model" / "serve.py"
STOP_S = 30

# What longhandd must be told of it.
FLAGS = (
    "--backend-dialect",
    "llamacpp",
    "--model",
    "smollm2-135m-instruct",
    "--context",
    "direct",
)


class LocalModel:
    """Starts the model; when the constructor returns, it answers at `url`."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [sys.executable, str(SERVE), "--port", "0", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = []
        for line in self.process.stdout:
            if line.startswith("ready "):
                self.url = line.split()[1]
                return
            said.append(line)
        self.process.wait()
        self.process.stdout.close()
        raise RuntimeError(f"the local model did not start:\n{''.join(said)}")

    def stop(self):
        """Ends it; the exit code, 0 when it ended well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()
