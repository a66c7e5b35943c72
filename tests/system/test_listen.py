"""Several addresses at once: TCP, IPv6, a unix socket."""

import re
import socket
import subprocess

import pytest
import wire
from daemon import BINARY


def has_ipv6():
    """Whether this machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def health(family, address):
    """The status of /healthz there."""
    sock = socket.socket(family)
    sock.settimeout(wire.TIMEOUT_S)
    sock.connect(address)
    wire.send(sock, "GET", "/healthz")
    answer = wire.Answer(sock)
    assert answer.read() == b"ok\n"
    answer.close()
    return answer.status


def addresses(longhand, count):
    """Where it says that it listens."""
    while True:
        found = re.findall(r"listening .*?address=(\S+)", longhand.log())
        if len(found) == count:
            return found


def test_everywhere_it_was_told_to(start, tmp_path):
    path = tmp_path / "longhand.sock"
    longhand = start(listen=f"127.0.0.1:0, unix:{path},localhost:0")
    found = addresses(longhand, 3)
    assert found[1] == f"unix:{path}"
    assert health(socket.AF_UNIX, str(path)) == 200
    assert health(socket.AF_INET, ("127.0.0.1", longhand.port)) == 200
    longhand.stop()
    assert not path.exists(), "the socket's file goes with the server"


@pytest.mark.skipif(not has_ipv6(), reason="no ::1 on this machine")
def test_both_kinds_of_internet(start):
    longhand = start(listen="127.0.0.1:0,[::1]:0")
    port = int(addresses(longhand, 2)[1].rpartition(":")[2])
    assert health(socket.AF_INET6, ("::1", port)) == 200
    assert health(socket.AF_INET, ("127.0.0.1", longhand.port)) == 200


def test_one_that_is_taken_ends_the_start(start):
    longhand = start()
    taken = f"127.0.0.1:{longhand.port}"
    command = [BINARY, "--backend", "http://127.0.0.1:1/v1", "--listen", f"127.0.0.1:0,{taken}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"listen_failed address={taken} " in ended.stderr
