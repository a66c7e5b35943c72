"""llm against Longhand, configured as its users do, in extra-openai-models.yaml: its command and its API."""

import os
import pathlib
import subprocess
import sys

import llm
import openai
import pytest
from backend_prose import count_words

ARTICLE = "Write an article of 1,500 words about the history of tea."
MODELS = """
- model_id: longhand
  model_name: longhand
  api_base: {url}
- model_id: longhand-1100
  model_name: longhand
  api_base: {url}
  headers: {{X-Longhand-Target-Words: "1100"}}
- model_id: plain
  model_name: scripted-model
  api_base: {url}
"""


@pytest.fixture(name="home", autouse=True)
def fixture_home(tmp_path, monkeypatch, longhand):
    """Makes a home for llm, in which the server's models are."""
    for name in [name for name in os.environ if name.startswith(("LLM_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    # No plugins: the wheel of the local model is one as well, and wants what is not installed.
    monkeypatch.setenv("LLM_LOAD_PLUGINS", "")
    monkeypatch.setattr(llm.plugins, "LLM_LOAD_PLUGINS", "")
    (tmp_path / "extra-openai-models.yaml").write_text(MODELS.format(url=longhand.base_url()), encoding="utf-8")


@pytest.fixture(name="command")
def fixture_command():
    """A function that starts the command. It keeps no log: making its database takes seconds."""

    def command(*args):
        program = pathlib.Path(sys.executable).parent / "llm"
        return subprocess.Popen(
            [str(program), "prompt", "--no-log", *args], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    return command


def test_the_command_writes_a_long_text(command):
    run = command("-m", "longhand", ARTICLE)
    output, complaint = run.communicate(timeout=60)
    assert run.returncode == 0, complaint
    assert abs(count_words(output) - 1500) <= 30


def test_the_command_says_what_was_wrong(command, backend):
    backend.script(status=400, error={"message": "scripted trouble"})
    run = command("-m", "plain", "Say hello.")
    assert "scripted trouble" in run.communicate(timeout=60)[1]
    assert run.returncode == 1


def test_ending_the_command_closes_the_upstream(command, backend):
    backend.script(faults=[{"how": "stall", "at_byte": 1500}])
    run = command("-m", "plain", "Say 90 words.")
    assert run.stdout.read(10)
    run.terminate()
    backend.wait(closed=1, open=0)
    run.communicate()


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_a_long_text(is_stream):
    answer = llm.get_model("longhand").prompt(ARTICLE, system="You write plainly.", stream=is_stream)
    assert abs(count_words(answer.text()) - 1500) <= 30
    assert answer.usage().output > 1500


def test_options_are_headers_of_a_model():
    assert abs(count_words(llm.get_model("longhand-1100").prompt("Tell me about tea.").text()) - 1100) <= 30


def test_a_conversation_goes_from_chat_to_a_long_text(backend):
    talk = llm.get_model("longhand").conversation()
    assert talk.prompt("Hello").text()
    assert [len(body["messages"]) for body in backend.bodies()] == [1]
    assert abs(count_words(talk.prompt(ARTICLE).text()) - 1500) <= 30


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("status", "exception"), [(400, openai.BadRequestError), (401, openai.AuthenticationError), (404, openai.NotFoundError)]
)
def test_errors_keep_their_class(backend, status, exception, is_stream):
    backend.script(status=status, error={"message": "scripted trouble"})
    with pytest.raises(exception, match="scripted trouble"):
        llm.get_model("plain").prompt("Say hello.", stream=is_stream).text()


@pytest.mark.parametrize(("failure", "wait_ms"), [({"status": 429, "retry_after": 1}, 1000), ({"status": 500}, 0)])
def test_it_tries_again(backend, failure, wait_ms):
    backend.script({"times": 1, **failure})
    assert llm.get_model("plain").prompt("Say 20 words.").text()
    first, second = backend.requests()
    assert second["at_ms"] - first["at_ms"] >= wait_ms
