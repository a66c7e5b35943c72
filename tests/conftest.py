"""Fixtures of the system and client tests: a scripted backend, and longhandd in front of it."""

import pathlib
import signal

import pytest
from daemon import BINARY, Daemon
from scripted import ScriptedBackend

# How long a test, its set-up or its end may last: what hangs fails, and the others go on. Far more
# than any takes; a module that needs more says so by a LIMIT_S of its own.
LIMIT_S = 300


def limited(item):
    """Runs a part of a test with an alarm set."""
    limit_s = getattr(item.module, "LIMIT_S", LIMIT_S)

    def give_up(_signal, _frame):
        raise TimeoutError(f"not done after {limit_s} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(limit_s)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Fixtures are made."""
    return (yield from limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """The test itself."""
    return (yield from limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """Fixtures end."""
    return (yield from limited(item))


@pytest.fixture(scope="session", name="backend_program")
def fixture_backend_program():
    """One scripted backend for all tests."""
    program = ScriptedBackend()
    yield program
    program.stop()


@pytest.fixture(name="backend")
def fixture_backend(backend_program):
    """The scripted backend, as after its start."""
    backend_program.reset()
    return backend_program


@pytest.fixture(name="start")
def fixture_start(backend):
    """A function that starts longhandd with settings; each is stopped, and checked, at the end."""
    assert pathlib.Path(BINARY).exists(), f"{BINARY} is missing: run `make SANITIZE=1`"
    started = []

    def start(*args, backend_url=None, env=None, **settings):
        daemon = Daemon(backend.url if backend_url is None else backend_url, *args, env=env, **settings)
        started.append(daemon)
        return daemon

    yield start
    for daemon in started:
        daemon.stop()


@pytest.fixture(name="longhand")
def fixture_longhand(start):
    """longhandd with the settings that tests have when they ask for nothing else."""
    return start()
