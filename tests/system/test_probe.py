"""--probe: what the backends can, found out by asking them."""

import re
import subprocess

import pytest
from daemon import BINARY


def probe(*args):
    """The exit code and what was printed."""
    ended = subprocess.run([BINARY, "--probe", *args], capture_output=True, text=True, timeout=60, check=False)
    assert "Sanitizer" not in ended.stderr, ended.stderr
    return ended.returncode, ended.stdout


def test_a_good_backend(backend):
    backend.script({"calls": [2], "text": '{"colours": ["red", "green", "blue"]}'},
                   {"calls": [3], "text": " five, six, seven, eight, nine, ten."})
    code, said = probe("--backend", backend.url)
    assert code == 0, said
    assert f"backend default  {backend.url}" in said
    assert "models: scripted-model" in said
    assert "usage in streams: yes" in said
    assert re.search(r"speed: \d+ tokens/s, \d+ words/s, first text after \d+\.\d\d s", said)
    assert re.search(r"estimate for 5000 words: 14 calls, \d+ s", said)
    assert "JSON by a schema: honoured" in said
    assert "continues an assistant message: yes" in said
    asked = backend.bodies()
    assert len(asked) == 3
    assert asked[1]["response_format"]["type"] == "json_schema"
    assert asked[2]["messages"][-1]["role"] == "assistant"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ({"usage": "never"}, "usage in streams: no"),
        ({"text": "Red, green and blue."}, "JSON by a schema: not honoured"),
        ({"text": "One, two, three, four, five, six."}, "continues an assistant message: no, it begins anew"),
        ({"text": "I like counting."}, "continues an assistant message: unclear"),
    ],
)
def test_what_a_backend_cannot(backend, behaviour, says):
    backend.script(**behaviour)
    code, said = probe("--backend", backend.url)
    assert code == 0, said
    assert says in said


@pytest.mark.parametrize("told", [{"max_model_len": 8192}, {"meta": {"n_ctx_train": 8192}}])
def test_the_window_that_the_server_tells(backend, told):
    backend.script(top={"models": [{"id": "m", "object": "model", **told}]})
    code, said = probe("--backend", backend.url)
    assert code == 0, said
    assert "window: 8192 tokens\n" in said


def test_the_window_that_is_configured(backend):
    code, said = probe("--backend", backend.url, "--backend-window-tokens", "4096")
    assert code == 0, said
    assert "window: 4096 tokens (configured)" in said
    assert "window: not told" in probe("--backend", backend.url)[1]


def test_one_of_two_is_away(backend, tmp_path):
    path = tmp_path / "longhand.yaml"
    path.write_text(
        "backends:\n  default: {url: 'http://127.0.0.1:1/v1'}\n"
        f"  good: {{url: '{backend.url}'}}\n  refusing: {{url: 'http://127.0.0.1:1/v1', model: m}}\n"
    )
    code, said = probe("--config", str(path), "--log-level", "error")
    assert code == 1
    assert "no model to ask: is it running?" in said
    assert "backend good" in said
    assert "usage in streams: yes" in said
    assert re.search(r"prose: no \(.+\)", said)
