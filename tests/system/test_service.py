"""Models, health, metrics and what is logged."""

import json
import re

import pytest
from chat import assert_error, request

ITEM = {"id", "object", "created", "owned_by"}


def test_lists_the_backends_models_and_its_own(backend, longhand):
    backend.script(top={"models": ["scripted-model", "org/other"]})
    answer = longhand.call("GET", "/v1/models")
    assert answer.status == 200
    listed = answer.json()
    assert listed["object"] == "list"
    assert {"scripted-model", "org/other", "longhand"} <= {m["id"] for m in listed["data"]}
    for model in listed["data"]:
        assert set(model) >= ITEM
        assert model["object"] == "model"
        assert isinstance(model["created"], int)


@pytest.mark.parametrize(
    ("path", "name"),
    [("longhand", "longhand"), ("scripted-model", "scripted-model"), ("org%2Fother", "org/other"), ("org/other", "org/other")],
)
def test_finds_one_model_percent_decoded(backend, longhand, path, name):
    backend.script(top={"models": ["scripted-model", "org/other"]})
    answer = longhand.call("GET", f"/v1/models/{path}")
    assert answer.status == 200, answer.raw_body
    assert answer.json()["id"] == name
    assert set(answer.json()) >= ITEM


@pytest.mark.parametrize("path", ["nobody", "org%2Fnobody", "%00", "%zz"])
def test_an_unknown_model_is_404(longhand, path):
    assert_error(longhand.ask("GET", f"/v1/models/{path}"), 404, "invalid_request_error", code="model_not_found")


def test_longhand_needs_a_default_where_there_are_several_models(backend, start):
    backend.script(top={"models": ["a", "b"]})
    longhand = start()
    error = assert_error(
        longhand.chat(request("Write an article of 2,000 words on tea.")), 400, "invalid_request_error", "model"
    )
    assert re.search(r"\ba\b.*\bb\b", error["message"]), "it names the choices"
    longhand = start("--model", "b")
    answer = longhand.call("POST", "/v1/chat/completions", request("Say hello."))
    assert answer.status == 200
    assert backend.bodies()[-1]["model"] == "b"


def test_is_healthy_and_ready_without_its_backend(start):
    longhand = start(backend_url="http://127.0.0.1:9/v1")
    for path in ("/healthz", "/readyz"):
        assert longhand.call("GET", path).status == 200
    assert longhand.call("HEAD", "/healthz").status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_wrong_methods_on_our_own_paths(longhand, path, method):
    answer = longhand.ask(method, path)
    assert_error(answer, 405, "invalid_request_error")
    assert "GET" in answer.headers["allow"]


def samples(longhand):
    """The metrics: {name with labels: value}; checks the format."""
    answer = longhand.call("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found, typed = {}, set()
    for line in answer.raw_body.decode().splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z_]+)(\{[^}]*\})? (\S+)", line)
            assert match, line
            name = re.sub(r"_(bucket|sum|count)$", "", match.group(1))
            assert name in typed or match.group(1) in typed, line
            assert name.startswith(("longhand_", "process_")), line
            found[match.group(1) + (match.group(2) or "")] = float(match.group(3))
    return found


def test_metrics_count_what_happens(longhand):
    before = samples(longhand)
    assert len(before) > 5
    longhand.call("POST", "/v1/chat/completions", request("Say hello.", "scripted-model"))
    longhand.call("POST", "/v1/chat/completions", b"{")
    after = samples(longhand)
    assert sum(after.values()) > sum(before.values())
    grown = {name for name, value in after.items() if value > before.get(name, 0)}
    assert [name for name in grown if "request" in name], grown


def test_nothing_of_prompts_texts_or_keys_is_logged(backend, longhand):
    backend.script(text="the zanzibar answer")
    body = request("the quixotic prompt", "scripted-model")
    headers = {"Authorization": "Bearer sk-verysecret"}
    longhand.call("POST", "/v1/chat/completions", body, headers)
    longhand.call("POST", "/v1/chat/completions", {**body, "messages": [{"role": "quixotic"}]}, headers)
    longhand.call("GET", "/v1/models?api_key=sk-verysecret", None, headers)
    backend.script(status=500, error={"message": "zanzibar quixotic"})
    longhand.call("POST", "/v1/chat/completions", body, headers)
    longhand.stop()
    log = longhand.log()
    assert not re.search("zanzibar|quixotic|verysecret", log)
    assert log.count("\n") >= 1
    assert not [line for line in log.splitlines() if "\x1b" in line]


def test_answers_have_a_request_id(longhand):
    first = longhand.call("POST", "/v1/chat/completions", b"{")
    second = longhand.call("GET", "/v1/models")
    ids = [answer.headers["x-request-id"] for answer in (first, second)]
    assert ids[0] != ids[1]
    json.loads(first.raw_body)


def test_the_first_request_knows_a_small_model_by_its_name(backend, start):
    """Nobody has asked for the models yet: a small one is planned from 250 words on all the same."""
    backend.script(top={"models": ["tiny-135m-instruct"]})
    answer = start().chat(request("Write a 400-word article about tea."))
    assert answer.json()["longhand"]["report"]["mode"] == "serial"
