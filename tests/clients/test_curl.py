"""curl against Longhand, as the README shows it."""

import json
import re
import shutil
import subprocess

import pytest
from backend_prose import count_words

ARTICLE = {"model": "longhand", "messages": [
    {"role": "user", "content": "Write an article of 1,500 words about the history of tea."}]}


@pytest.fixture(name="curl")
def fixture_curl(longhand):
    """A function that runs curl on a path; returns its standard output."""
    assert shutil.which("curl"), "curl is missing"

    def curl(path, *args, code=0):
        run = subprocess.run(
            ["curl", "-sS", "--max-time", "60", f"{longhand.base_url()}{path}", *args],
            capture_output=True, check=False, text=True,
        )
        assert run.returncode == code, run.stderr
        return run.stdout

    return curl


def test_a_whole_text(curl):
    """With -d alone: the content type is that of a form."""
    answer = json.loads(curl("/chat/completions", "-d", json.dumps(ARTICLE)))
    assert abs(count_words(answer["choices"][0]["message"]["content"]) - 1500) <= 30


def test_a_streamed_text(curl):
    lines = curl("/chat/completions", "-N", "--json", json.dumps({**ARTICLE, "stream": True})).splitlines()
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    text = "".join(c["delta"].get("content") or "" for chunk in chunks for c in chunk["choices"])
    assert abs(count_words(text) - 1500) <= 30
    assert {line.split(":")[0] for line in lines} <= {"data", ""}


def test_a_body_over_a_megabyte_with_expect(curl, tmp_path, backend):
    file = tmp_path / "body.json"
    body = {"model": "scripted-model", "messages": [{"role": "user", "content": "Summarise. " + "x " * 700000}]}
    file.write_text(json.dumps(body), encoding="utf-8")
    answer = json.loads(curl("/chat/completions", "-H", "Expect: 100-continue", "--data-binary", f"@{file}"))
    assert answer["object"] == "chat.completion"
    assert json.loads(backend.requests()[-1]["body"]) == body


def test_http_1_0(curl):
    text = curl("/chat/completions", "--http1.0", "-d", json.dumps({**ARTICLE, "stream": True}))
    assert text.endswith("data: [DONE]\n\n")


def test_an_error_fails(curl):
    curl("/models/nobody", "--fail", code=22)


def test_the_text_of_a_job(curl, tmp_path):
    head = tmp_path / "head"
    answer = json.loads(curl("/chat/completions", "-D", str(head), "-d", json.dumps(ARTICLE)))
    job = re.search(r"(?im)^x-longhand-job: (\S+)", head.read_text(encoding="latin-1")).group(1)
    assert curl(f"/longhand/jobs/{job}/text") == answer["choices"][0]["message"]["content"]
