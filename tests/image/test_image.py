"""The image of the Dockerfile: built, run as it says it is to be run, and used.

It listens on the port it names itself, so the tests move into a network of their own."""

import pathlib
import re
import tempfile

import image
import netns
import pytest
from chat import request, stream, words
from scripted import ScriptedBackend

LIMIT_S = 900  # for the build
MB = 1000 * 1000
SIZE_MAX_BYTES = 120 * MB
ADDED_MAX_BYTES = 12 * MB
PORT = 8080

# What builds programs, and has no place where they only run.
TOOLS = {"cc", "c++", "gcc", "g++", "clang", "cpp", "as", "ld", "make", "pkg-config", "python3", "git", "curl", "wget"}


@pytest.fixture(scope="module", name="built")
def fixture_built():
    """The image; built once."""
    if reason := image.why_not():
        pytest.skip(reason)
    place = image.ROOT / "build"
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="image-", dir=place) as home:
        try:
            yield image.Image(f"{home}/image")
        finally:
            image.remove(f"{home}/image")


@pytest.fixture(name="model")
def fixture_model(built):  # only where there is an image
    """A scripted backend in a network where every port is free."""
    before = netns.enter()
    backend = ScriptedBackend()
    yield backend
    backend.stop()
    netns.leave(before)


@pytest.fixture(name="container")
def fixture_container(built, model):
    """The image at work in front of the scripted backend."""
    container = image.Container(built, "--backend", model.url, "--model", "scripted-model", port=PORT)
    yield container
    container.kill()


def test_it_is_ready_when_its_own_health_check_says_so(built, model):
    assert not built.is_healthy(), "nothing serves yet"
    container = image.Container(built, "--backend", model.url, port=PORT)
    try:
        assert built.is_healthy(), container.log()
        assert container.stop() == 0, container.log()
        assert not built.is_healthy(), "nothing serves any more"
    finally:
        container.kill()


def test_a_long_text_is_written_and_the_stop_signal_ends_it(built, model, container):
    chunks = stream(container, request("Write an article of 1,500 words about the history of tea.", model="scripted-model"))
    assert chunks.is_done, container.log()
    assert abs(words(chunks.text) - 1500) <= 30
    assert len(model.bodies("write")) >= 2, "section by section"
    assert built.config["StopSignal"] == "SIGTERM"
    assert container.stop() == 0, container.log()


def test_it_is_not_root_and_has_nothing_to_write_to(built, container):
    assert set(container.status("Uid")) == {"65532"}
    assert set(container.status("Gid")) == {"65532"}
    assert container.status("Groups") == []
    assert int(container.status("CapEff")[0], 16) == 0
    for path in ("/tmp", "/var/tmp", "/run", "/etc/longhand"):
        tried = built.run("touch", f"{path}/file")
        assert tried.returncode != 0, path
        assert re.search("Read-only file system|Permission denied", tried.stderr), tried.stderr
    assert "Read-only" in built.run("touch", "/tmp/file").stderr


def test_the_commands_and_the_sample_configuration_are_there(built):
    for program in ("longhandd", "longhand"):
        helped = built.run(program, "--help")
        assert helped.returncode == 0, helped.stderr
        assert "usage" in (helped.stdout + helped.stderr).lower()
    checked = built.run("longhandd", "--config", "/etc/longhand/longhand.yaml", "--check-config")
    assert checked.returncode == 0, checked.stderr
    assert "--bad-option" in built.run("longhandd", "--bad-option").stderr


def test_backends_with_tls_can_be_verified(built):
    bundle = pathlib.Path(built.root, "etc/ssl/certs/ca-certificates.crt")
    assert bundle.read_text(encoding="ascii").count("BEGIN CERTIFICATE") > 50


def test_nothing_that_builds_is_left_inside(built):
    root = pathlib.Path(built.root)
    programs = {path.name for place in ("usr/bin", "usr/sbin", "usr/local/bin") for path in (root / place).iterdir()}
    assert {"longhandd", "longhand", "bash"} <= programs
    assert not programs & TOOLS
    assert not [path for path in programs if re.fullmatch(r"(x86_64|aarch64)-linux-gnu-.*|(gcc|clang|python3).*", path)]
    assert not list(root.glob("usr/include/**/*.h"))
    assert not (root / "src").exists()
    installed = (root / "var/lib/dpkg/status").read_text(encoding="utf-8")
    assert not re.findall(r"^Package: (.*-dev)$", installed, re.MULTILINE)
    assert not list(root.glob("var/lib/apt/lists/*_Packages*"))
    assert not list(root.glob("var/cache/apt/**/*.deb"))


def test_the_programs_are_stripped(built):
    for name in ("longhandd", "longhand"):
        assert b".debug_info" not in pathlib.Path(built.root, "usr/local/bin", name).read_bytes()


def test_it_is_small(built, capsys):
    added = built.size_bytes - built.base_bytes
    with capsys.disabled():
        print(f"\nimage: {built.size_bytes / MB:.1f} MB, of which {added / MB:.1f} MB on top of Debian's base")
    assert built.size_bytes < SIZE_MAX_BYTES
    assert 0 < added < ADDED_MAX_BYTES
