"""The command `longhand write`, as people type it."""

import json
import os
import pathlib
import subprocess

import pytest
from backend_prose import count_words
from daemon import BINARY

COMMAND = os.environ.get("LONGHAND") or str(pathlib.Path(BINARY).parent / "longhand")


@pytest.fixture(name="write")
def fixture_write(longhand):
    """A function that runs the command; its result."""

    def write(*args, server=None):
        return subprocess.run(
            [COMMAND, "write", "--server", server or longhand.base_url(), *args],
            capture_output=True, check=False, timeout=60, text=True,
        )

    return write


def test_writes_a_text_of_the_length_asked_for(write, tmp_path):
    text, report = tmp_path / "text.md", tmp_path / "report.json"
    run = write("An article about tea.", "--words", "1000", "--headings", "none", "--out", str(text),
                "--report", str(report), "--seed", "4")
    assert run.returncode == 0, run.stderr
    assert abs(count_words(run.stdout) - 1000) <= 20
    assert text.read_text(encoding="utf-8").strip() == run.stdout.strip()
    said = json.loads(report.read_text(encoding="utf-8"))
    said = said.get("report", said)
    assert said["target_words"] == 1000
    assert "1000" in run.stderr or "1,000" in run.stderr
    again = write("An article about tea.", "--words", "1000", "--headings", "none", "--seed", "4", "--quiet")
    assert again.stdout.strip() == run.stdout.strip()
    assert again.stderr == ""


def test_a_failure_is_an_exit_code_and_a_reason(write, backend):
    backend.script({"role": "write", "role_calls": list(range(2, 99)), "status": 400})
    run = write("Write an article of 2,000 words about tea.")
    assert run.returncode == 1
    assert run.stdout, "what was written is shown"
    assert run.stderr.strip()
    run = write("Write 2,000 words about tea.", server="http://127.0.0.1:9/v1")
    assert run.returncode == 1
    assert run.stderr.strip()


@pytest.mark.parametrize(("args", "named"), [
    ([], "longhand write"), (["A text.", "--words", "many"], "--words"), (["A text.", "--colour", "red"], "--colour"),
    (["A text.", "--out"], "--out"),
])
def test_wrong_usage_is_2(write, args, named):
    run = write(*args)
    assert run.returncode == 2
    assert named in run.stderr
