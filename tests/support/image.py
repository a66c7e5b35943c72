"""The Dockerfile's image: built by buildah on Debian's packages, and run as the image itself says.

It is run without a container engine, which wants more of a machine (cgroups, registries) than its
tests should: in mount and process namespaces of its own, its root file system read-only, as the
image's user, with the image's environment, entrypoint and stop signal."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

import wire

ROOT = pathlib.Path(__file__).parent.parent.parent
TOOLS = ("buildah", "debootstrap", "unshare", "mount", "chroot")
BASE = "localhost/debian:12-slim"
NAME = "localhost/longhand"
BUILD_S = 900
START_S = 30
STOP_S = 30
RUN_S = 60

# What Debian's own slim images leave out, so that the size says what users will see.
SLIM = """path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/lintian/*
"""
SLIM_LEFT_OUT = ("usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian")

# $1 is the root file system, $2 UID:GID, the rest the command; a container engine brings its own
# /proc and /dev as well. Everything is undone by the end of the namespace.
ENTER = """set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
root=$1 user=$2
shift 2
exec chroot --userspec="$user" --groups= "$root" /usr/bin/env -i "$@"
"""
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def why_not():
    """What keeps this machine from building and running it; "" if nothing does."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"needs {', '.join(missing)}: run `deploy/setup image`"
    if os.geteuid() != 0:
        return "needs root, to make file systems and to mount them"
    trial = subprocess.run([*NAMESPACES, "--net", "true"], capture_output=True, text=True, timeout=RUN_S, check=False)
    return f"needs namespaces, which this machine refuses: {trial.stderr.strip()}" if trial.returncode else ""


def _run(command, **options):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=BUILD_S, check=False, **options,
    )
    assert done.returncode == 0, f"{command[0]} {command[1]} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


def _apt(*args):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S, check=False)
    return done.stdout if done.returncode == 0 else ""


def _mirror():
    """Where this machine has Debian 12 from, as debootstrap's arguments; none if it does not say."""
    listed = _apt("apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Label: Debian",
                  "Component: main", "Created-By: Packages")
    return [uri for uri in listed.split() if uri.startswith(("http://", "https://"))][:1]


def _environment():
    """That of the build: what apt is told about proxies holds for everybody."""
    environment = dict(os.environ)
    for scheme in ("http", "https"):
        said = re.search(r'"(.+)"', _apt("apt-config", "dump", f"Acquire::{scheme}::Proxy"))
        if said and said.group(1) != "DIRECT":
            environment.setdefault(f"{scheme}_proxy", said.group(1))
    return environment


def _child(process):
    """The process in the namespaces that a process has made, by its number out here; None if none."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process.pid:
            return int(path.parent.name)
    return None


def _kill(process):
    """Ends what runs in namespaces: with its first process goes all of it. By hand, for a process
    that changes its user does not die with its parent any more."""
    if process.poll() is None and (child := _child(process)):
        os.kill(child, signal.SIGKILL)
    process.kill()


def size_bytes(root):
    """What the files of a file system hold, each once."""
    seen = {}
    for directory, _, names in os.walk(root):
        for name in names:
            about = os.lstat(os.path.join(directory, name))
            seen[about.st_ino] = about.st_size
    return sum(seen.values())


def remove(home):
    """Removes what an image left, but nothing that may still be mounted there."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(home)], check=True, timeout=BUILD_S)


class Image:
    """The image, and its file system at `root`; everything lies under `home`, for `remove`."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.environment = {**_environment(), "TMPDIR": str(self.home / "tmp")}
        (self.home / "tmp").mkdir(parents=True)
        self.base_bytes = self._make_base()
        self._buildah("build", "--format", "docker", "--isolation", "chroot", "--network", "host",
                      "--pull-never", "--build-arg", f"BASE={BASE}", "-t", NAME, str(ROOT))
        self.config = json.loads(self._buildah("inspect", "--type", "image", NAME))["Docker"]["config"]
        self.root = self._buildah("mount", self._from(NAME)).strip()
        self.size_bytes = size_bytes(self.root)

    def _buildah(self, *args):
        return _run(["buildah", "--storage-driver", "vfs", "--root", str(self.home / "storage"),
                     "--runroot", str(self.home / "run"), *args], env=self.environment)

    def _from(self, image):
        return self._buildah("from", "--pull-never", image).split()[-1]

    def _make_base(self):
        base = self.home / "base"
        _run(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(base), *_mirror()],
             env=self.environment)
        (base / "etc/dpkg/dpkg.cfg.d/slim").write_text(SLIM, encoding="ascii")
        for path in (*SLIM_LEFT_OUT, "var/lib/apt/lists", "var/cache/apt"):
            shutil.rmtree(base / path)
            (base / path).mkdir()
        for path in base.glob("usr/share/doc/*/*"):
            if path.name != "copyright":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        container = self._from("scratch")
        self._buildah("add", "-q", container, f"{base}/", "/")
        self._buildah("commit", "-q", "--rm", container, BASE)
        return size_bytes(base)

    def command(self, args, env=()):
        """What runs a command in it."""
        environment = [*(self.config.get("Env") or []), *(f"{k}={v}" for k, v in dict(env).items())]
        user = self.config.get("User") or "0:0"
        return [*NAMESPACES, "sh", "-c", ENTER, "sh", self.root, user, *environment, *args]

    def run(self, *args):
        """Runs a command to its end."""
        process = subprocess.Popen(self.command(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="replace")
        watch = threading.Timer(RUN_S, _kill, (process,))
        watch.start()
        out, err = process.communicate()
        watch.cancel()
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def is_healthy(self):
        """What its health check says now."""
        kind, *command = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(*command).returncode == 0


class Container:
    """One run of it: its entrypoint with arguments of one's own."""

    def __init__(self, image, *args, port):
        self.image = image
        self.port = port
        self.log_lines = []
        self.is_listening = threading.Event()
        command = image.command([*image.config["Entrypoint"], *args])
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        self.is_listening.wait(START_S)

    def _read_log(self):
        for line in self.process.stderr:
            self.log_lines.append(line)
            if " listening " in line:
                self.is_listening.set()
        self.is_listening.set()

    def log(self):
        """All it has logged up to now."""
        return "".join(self.log_lines)

    def pid(self):
        """The process that its entrypoint became, by the number it has out here."""
        pid = _child(self.process)
        assert pid, f"it does not run; log:\n{self.log()}"
        return pid

    def status(self, name):
        """A line of its /proc/PID/status, as words."""
        text = pathlib.Path(f"/proc/{self.pid()}/status").read_text(encoding="utf-8")
        return re.search(rf"^{name}:[ \t]*(.*)$", text, re.MULTILINE).group(1).split()

    def chat(self, body, headers=None):
        """The answer to a chat completion, its body still to be read."""
        return wire.ask(self.port, "POST", "/v1/chat/completions", body, headers)

    def stop(self):
        """Sends the image's stop signal, as container engines do; the exit code, -9 if it stays."""
        if self.process.poll() is None:
            os.kill(self.pid(), signal.Signals[self.image.config.get("StopSignal") or "SIGTERM"])
        watch = threading.Timer(STOP_S, _kill, (self.process,))
        watch.start()
        code = self.process.wait()
        watch.cancel()
        self.reader.join(STOP_S)
        return code

    def kill(self):
        """Ends it, whatever it does."""
        _kill(self.process)
        self.process.wait()
        self.reader.join(STOP_S)
        self.process.stderr.close()

