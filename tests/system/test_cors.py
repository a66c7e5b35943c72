"""Pages of other origins: allowed by name, refused by silence."""

import hashlib

import pytest
import wire
from chat import request

APP, OTHER = "https://app.example", "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
}


def said(answer):
    """What an answer says to browsers, by name."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.fixture(name="app")
def fixture_app(start, tmp_path):
    """longhandd with a key and two origins."""
    path = tmp_path / "longhand.yaml"
    path.write_text(f"keys:\n  a: {{hash: sha256:{hashlib.sha256(b'sk-a').hexdigest()}}}\n")
    return start("--config", str(path), cors_origins=f"http://localhost:3000, {APP}")


def test_a_preflight_is_answered_without_a_key(app, backend):
    answer = app.call("OPTIONS", "/v1/chat/completions", headers={"Origin": APP, **PREFLIGHT})
    assert answer.status == 204
    assert answer.raw_body == b""
    assert said(answer)["access-control-allow-origin"] == APP
    assert said(answer)["access-control-allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert "DELETE" in said(answer)["access-control-allow-methods"]
    assert answer.headers["vary"] == "Origin"
    assert backend.requests() == []


@pytest.mark.parametrize("origin", [OTHER, APP + ".evil.example", "https://app.exampl", "null", "", "*", APP.upper()])
def test_other_origins_are_told_nothing(app, origin):
    answer = app.call("OPTIONS", "/v1/chat/completions", headers={"Origin": origin, **PREFLIGHT})
    assert answer.status == 401
    assert said(answer) == {}
    assert app.call("GET", "/v1/models", headers={"Origin": origin}).status == 401


@pytest.mark.parametrize("prompt", ["Hello", "Write an essay of 600 words about tea."])
@pytest.mark.parametrize("is_stream", [False, True])
def test_answers_may_be_read(app, prompt, is_stream):
    model = "longhand" if "essay" in prompt else "scripted-model"
    answer = app.chat(request(prompt, model=model, stream=is_stream), {"Origin": APP, "Authorization": "Bearer sk-a"})
    assert answer.status == 200
    answer.read()
    assert answer.is_whole
    assert said(answer)["access-control-allow-origin"] == APP
    assert "X-Longhand-Job" in said(answer)["access-control-expose-headers"]


def test_errors_may_be_read_too(app):
    answer = app.call("GET", "/v1/models", headers={"Origin": APP})
    assert answer.status == 401
    assert said(answer)["access-control-allow-origin"] == APP
    sock = wire.connect(app.port)
    wire.send(sock, "POST", "/v1/chat/completions", None, {"Origin": APP, "Content-Length": "99999999"})
    answer = wire.Answer(sock)
    assert answer.status == 413
    assert said(answer)["access-control-allow-origin"] == APP
    answer.close()


def test_the_backend_has_no_say(start, backend):
    backend.script(headers={"Access-Control-Allow-Origin": "*", "Vary": "Accept", "X-Own": "1"})
    open_to_all = start(cors_origins="*")
    answer = open_to_all.chat(request("Hello", model="scripted-model"), {"Origin": OTHER})
    lines = [value for name, value in answer.header_list if name.lower() == "access-control-allow-origin"]
    assert lines == [OTHER]
    assert answer.headers["x-own"] == "1"


def test_it_is_off_by_default(longhand):
    answer = longhand.chat(request("Hello", model="scripted-model"), {"Origin": APP})
    assert answer.status == 200
    assert said(answer) == {}
    assert "vary" not in answer.headers
