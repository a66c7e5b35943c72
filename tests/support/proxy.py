"""nginx and Caddy as processes, with the configurations in deploy/ on free ports of this machine.

Both go into the background once they listen, so there is nothing to wait for; what they write to
disk is in a directory of the test's own.
"""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess

DEPLOY = pathlib.Path(__file__).parent.parent.parent / "deploy"
SOCKET = "/run/longhand/longhandd.sock"
STOP_MS = 10000
START_TRIES = 5
NGINX = """
daemon on;
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log info;
{user}
events {{ }}
http {{
	access_log off;
	client_body_temp_path {home}/body;
	proxy_temp_path {home}/proxy;
	fastcgi_temp_path {home}/fastcgi;
	uwsgi_temp_path {home}/uwsgi;
	scgi_temp_path {home}/scgi;
	include {home}/site.conf;
}}
"""
CADDY = "{\n\tadmin off\n\tauto_https off\n}\n"


def free_port():
    """A port that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def put(text, *changes):
    """The sample with what differs here; each must stand in it once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the sample"
        text = text.replace(old, new)
    return text


class Proxy:
    """One proxy in front of an address (a path, or host:port); `port` is where it listens."""

    def __init__(self, home, upstream, changes=()):
        self.home = pathlib.Path(home)
        self.home.mkdir()
        for _ in range(START_TRIES):
            self.port = free_port()
            command = self.prepare(upstream, changes)
            # Its output goes to a file: a pipe would stay open for as long as it runs.
            with (self.home / "output").open("wb") as output:
                run = subprocess.run(
                    command, stdout=output, stderr=output, check=False,
                    env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)},
                )
            if run.returncode == 0:
                break
        assert run.returncode == 0, (self.home / "output").read_text(encoding="utf-8", errors="replace")
        self.end = os.pidfd_open(self.find_pid())

    def prepare(self, upstream, changes):
        """Writes the configuration; returns the command that starts it in the background."""
        raise NotImplementedError

    def find_pid(self):
        """The process in the background."""
        raise NotImplementedError

    def stop(self):
        """Ends it, at once."""
        signal.pidfd_send_signal(self.end, signal.SIGTERM)
        waiting = select.poll()
        waiting.register(self.end, select.POLLIN)
        has_ended = waiting.poll(STOP_MS)
        os.close(self.end)
        assert has_ended, f"{type(self).__name__} did not end on SIGTERM"


class Nginx(Proxy):
    """nginx with deploy/nginx.conf."""

    def prepare(self, upstream, changes):
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "nginx is missing: apt-get install nginx-light"
        server = f"unix:{upstream}" if upstream.startswith("/") else upstream
        site = put(
            (DEPLOY / "nginx.conf").read_text(encoding="utf-8"),
            ("listen 80;", f"listen 127.0.0.1:{self.port};"), (f"unix:{SOCKET}", server), *changes,
        )
        (self.home / "site.conf").write_text(site, encoding="utf-8")
        user = "user root;" if os.getuid() == 0 else ""
        (self.home / "nginx.conf").write_text(NGINX.format(home=self.home, user=user), encoding="utf-8")
        return [program, "-p", str(self.home), "-e", str(self.home / "error.log"), "-c", str(self.home / "nginx.conf")]

    def find_pid(self):
        return int((self.home / "pid").read_text(encoding="ascii"))


class Caddy(Proxy):
    """Caddy with deploy/Caddyfile."""

    def prepare(self, upstream, changes):
        program = shutil.which("caddy")
        assert program, "caddy is missing: apt-get install caddy"
        server = f"unix/{upstream}" if upstream.startswith("/") else upstream
        site = put(
            (DEPLOY / "Caddyfile").read_text(encoding="utf-8"),
            ("example.org {", f"http://:{self.port} {{\n\tbind 127.0.0.1"), (f"unix/{SOCKET}", server), *changes,
        )
        file = self.home / "Caddyfile"
        file.write_text(CADDY + site, encoding="utf-8")
        return [program, "start", "--config", str(file), "--adapter", "caddyfile"]

    def find_pid(self):
        return int(re.search(rb"Successfully started Caddy \(pid=(\d+)\)", (self.home / "output").read_bytes()).group(1))


PROXIES = {"nginx": Nginx, "caddy": Caddy}
