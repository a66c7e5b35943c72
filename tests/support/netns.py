"""A network of one's own: nothing but a loopback on which every port is free.

The calling thread moves into it, with all processes it starts from then on; `leave` brings it back.
Sockets stay where they were opened."""

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
IFREQ = "16sh22x"

_LIBC = ctypes.CDLL(None, use_errno=True)


def _call(function, *args):
    if function(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function.__name__}: {os.strerror(code)}")


def enter():
    """Moves into a new network; what `leave` wants is returned. Wants root."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    _call(_LIBC.unshare, CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        flags = struct.unpack(IFREQ, fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack(IFREQ, b"lo", 0)))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack(IFREQ, b"lo", flags | IFF_UP))
    return before


def leave(before):
    """Moves back."""
    _call(_LIBC.setns, before, CLONE_NEWNET)
    os.close(before)
