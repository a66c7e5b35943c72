"""The embedded local model: it serves, ends and dies as it should, and writes a real piece."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

import pytest
from chat import request, stream
from local_model import FLAGS, SERVE, LocalModel

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

import article_check

WORDS = 600
# The design's bound is 2% or half of a sentence, which in this model's prose is up to 5%.
WITHIN = 0.05
GONE_S = 30


@pytest.fixture(scope="module", name="local_model")
def fixture_local_model():
    """One local model for the tests of this file."""
    model = LocalModel()
    yield model
    assert model.stop() == 0


def test_it_is_an_openai_server_of_one_model(local_model):
    with urllib.request.urlopen(f"{local_model.url}/models", timeout=GONE_S) as answer:
        listed = json.load(answer)
    assert [model["id"] for model in listed["data"]] == ["smollm2-135m-instruct"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_piece_of_600_words(local_model, start, seed):
    daemon = start(*FLAGS, backend_url=local_model.url)
    answer = stream(daemon, request(f"Write a {WORDS}-word article about coffee.", seed=seed))
    assert answer.is_done
    assert answer.error is None
    assert answer.finish == "stop"
    assert answer.report["mode"] == "serial"
    assert answer.report["target_words"] == WORDS
    figures = article_check.measure(answer.text, answer.report, "coffee")
    assert figures.sections >= 2
    assert [section["title"] for section in answer.report["sections"]] == [
        section.title for section in article_check.split_sections(answer.text)
    ]
    assert article_check.faults(figures, WITHIN) == [], article_check.line_of(figures)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(number):
    model = LocalModel()
    model.process.send_signal(number)
    assert model.process.wait(GONE_S) == 0
    assert model.stop() == 0


def test_it_dies_with_the_process_that_started_it():
    """A shell that is killed leaves no model behind: its end of the pipe closes."""
    read_end, write_end = os.pipe()
    script = f'"{sys.executable}" "{SERVE}" --port 0 & echo "$!"; wait'
    shell = subprocess.Popen(["bash", "-c", script], stdout=write_end)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        pid = int(pipe.readline())
        assert pipe.readline().startswith("ready ")
        shell.kill()
        shell.wait(GONE_S)
        assert pipe.read() == "", "the pipe ends when the model, its last holder, is gone"
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_port_in_use_is_an_error_and_no_hang():
    model = LocalModel()
    port = model.url.split(":")[2].split("/")[0]
    try:
        with pytest.raises(RuntimeError, match="did not start"):
            LocalModel("--port", port)
    finally:
        assert model.stop() == 0
