"""The scripted backend does what its scripts say: what other tests rest on."""

import contextlib
import json
import pathlib
import re
import socket

import pytest
import wire
from backend_model import Prompt
from backend_prose import HAN, Prose, count_words
from scripted import ScriptedBackend


class Backend(ScriptedBackend):
    """The backend, with short ways to ask it."""

    def chat(self, prompt, **extra):
        """(status, body) of a chat completion."""
        body = {"model": "m", "messages": [{"role": "user", "content": prompt}], **extra}
        answer = self.call("POST", "/v1/chat/completions", body)
        return answer.status, answer.raw_body

    def text(self, prompt, **extra):
        """The content of a chat completion."""
        status, data = self.chat(prompt, **extra)
        assert status == 200, data
        return json.loads(data)["choices"][0]["message"]["content"]

    def open_stream(self, prompt):
        """A socket on which a streamed completion was asked for."""
        sock = wire.connect(self.port)
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": prompt}]}
        wire.send(sock, "POST", "/v1/chat/completions", body)
        return sock


@pytest.fixture(scope="module", name="program")
def fixture_program():
    """One backend for all tests."""
    backend = Backend()
    yield backend
    backend.stop()


@pytest.fixture(name="backend")
def fixture_backend(program):
    """The backend, as after its start."""
    program.reset()
    return program


def deltas(data):
    """The content of a stream."""
    blocks = data.decode().replace("\r\n", "\n").split("\n\n")
    events = ["".join(line[6:] for line in b.split("\n") if line.startswith("data: ")) for b in blocks]
    events = [event for event in events if event.startswith("{")]
    choices = [c for e in events for c in json.loads(e).get("choices", [])]
    return "".join(c["delta"].get("content") or "" for c in choices)


def received(sock):
    """All bytes until the peer ends, and whether by a reset."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            data += part
        return data, False
    return data, True


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ('Write the section "Tea" of this text: a book of 9,000 words. Write about 400 words.', 385, 415),
        ('A poem of 50 words.\nWrite only the section "Rain", in about 1,200 words.', 1185, 1215),
        ("请写“茶馆”这一节，约500字。", 485, 515),
    ],
)
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.6])
def test_writes_what_was_asked_times_the_factor(backend, prompt, low, high, factor):
    backend.script(factor=factor)
    text = backend.text(prompt)
    assert low * factor - 15 <= count_words(text) <= high * factor + 15
    assert text[-1] in ".。"
    assert (HAN.search(text) is not None) == (HAN.search(prompt) is not None)
    assert text == backend.text(prompt), "the same request has the same answer"


@pytest.mark.parametrize(("language", "share"), [("en", 0), ("zh", 0.001)])
def test_prose_does_not_repeat_itself(language, share):
    units = []
    for section in range(30):
        text = Prose(section, language, "tea" if language == "en" else "茶").text(400)
        units += HAN.findall(text) if language == "zh" else text.lower().split()
    grams = [tuple(units[i : i + 5]) for i in range(len(units) - 4)]
    assert len(grams) > 11000
    assert len(grams) - len(set(grams)) <= share * len(grams)


def test_streams_what_it_answers_whole(backend):
    prompt = "Write about 200 words on rivers."
    whole = backend.text(prompt)
    for odd in ({}, {"split": 1}, {"crlf": True}, {"comments": True}, {"escape": True}, {"multiline": True}, {"framing": "close"}):
        backend.script(**odd)
        status, data = backend.chat(prompt, stream=True, stream_options={"include_usage": True})
        assert status == 200
        assert deltas(data) == whole
        assert b'"usage":{"prompt_tokens"' in data
        assert data.rstrip().endswith(b"data: [DONE]")


def test_obeys_max_tokens(backend):
    status, data = backend.chat("Write about 300 words.", max_tokens=54)
    answer = json.loads(data)
    assert status == 200
    assert answer["choices"][0]["finish_reason"] == "length"
    assert count_words(answer["choices"][0]["message"]["content"]) == 40
    assert answer["usage"]["completion_tokens"] == 54


SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "plan", "schema": {
        "type": "object",
        "properties": {"titles": {"type": "array", "items": {"type": "string"}}},
    }},
}


def test_answers_plans_well_and_badly(backend):
    ask = "Give 8 different titles for the sections of a book on bees, as JSON."
    titles = json.loads(backend.text(ask, response_format=SCHEMA))["titles"]
    assert len(set(titles)) == 8
    assert len(backend.text("Name 8 titles, one per line.").splitlines()) == 8
    backend.script(plan="bad_json")
    with pytest.raises(ValueError, match="."):
        json.loads(backend.text(ask, response_format=SCHEMA))
    backend.script(plan="fenced")
    assert backend.text(ask, response_format=SCHEMA).startswith("```json\n{")
    backend.script(plan="too_few")
    assert len(json.loads(backend.text(ask, response_format=SCHEMA))["titles"]) == 4
    backend.script(plan="duplicates")
    assert len(set(json.loads(backend.text(ask, response_format=SCHEMA))["titles"])) == 1
    backend.script(schema="reject")
    assert backend.chat(ask, response_format=SCHEMA)[0] == 400
    backend.script(schema="ignore")
    assert backend.text(ask, response_format=SCHEMA).startswith("1. ")


def test_misbehaves_in_what_it_writes(backend):
    ask = 'Write the section "Old Boats" in about 300 words.'
    backend.script(opening="Sure, here it is:\n\n", closing="\n\nI hope this helps!", think="hm", mark=True)
    text = backend.text(ask)
    assert text.startswith("<think>\nhm\n</think>\n\nSure, here it is:\n\nSection 3: Old Boats\n\n")
    assert text.endswith("I hope this helps!")
    backend.script(echo_title="markdown")
    assert backend.text(ask).startswith("## Old Boats\n\n")
    backend.script(loop_after=60)
    sentences = backend.text(ask).split(". ")
    assert len(set(sentences)) * 2 < len(sentences)
    backend.script(stop_after=50)
    assert 50 <= count_words(backend.text(ask)) <= 75
    backend.script(cut=True)
    assert backend.text(ask)[-1].isalpha()
    backend.script(refuse=True)
    assert "sorry" in backend.text(ask)
    backend.script(text="as it stands")
    assert backend.text(ask) == "as it stands"


def test_continues_an_assistant_message(backend):
    messages = [{"role": "user", "content": "Write about 100 words."},
                {"role": "assistant", "content": "The tide came in and"}]
    plain = backend.text("", messages=messages)
    assert plain[0] == " "
    assert plain[1].islower()
    backend.script(continues="echo")
    assert backend.text("", messages=messages).startswith("The tide came in and ")
    backend.script(continues="reject")
    assert backend.chat("", messages=messages)[0] == 400
    backend.script(continues="vllm")
    assert backend.text("", messages=messages)[0].isupper()
    flags = {"continue_final_message": True, "add_generation_prompt": False}
    assert backend.text("", messages=messages, **flags)[0] == " "


def test_fails_so_many_times_then_works(backend):
    backend.script({"calls": [1], "status": 429, "retry_after": 1}, {"status": 500, "times": 1})
    answer = backend.call("POST", "/v1/chat/completions", {"messages": []})
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["error"]["type"] == "requests"
    assert backend.chat("hello")[0] == 500
    assert backend.chat("hello")[0] == 200
    assert [r["rule"] for r in backend.requests()] == [0, 1, None]


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(("of", "at_byte"), [("wire", 0), ("wire", 9), ("body", 0), ("body", 777)])
def test_breaks_at_the_byte_it_was_told(backend, how, of, at_byte):
    backend.script(faults=[{"how": how, "at_byte": at_byte, "of": of}], framing="close")
    data, is_reset = received(backend.open_stream("Write about 500 words."))
    assert is_reset == (how == "reset")
    head = data.find(b"\r\n\r\n") + 4 if of == "body" else 0
    assert len(data) - head == at_byte
    assert backend.wait(failed=1, open=0)["failed"] == 1


def test_holds_until_released_and_sees_who_left(backend):
    backend.script(faults=[{"how": "hold", "at_byte": 300, "name": "gate"}])
    stays, leaves = backend.open_stream("Write about 90 words."), backend.open_stream("Write about 90 words.")
    backend.wait(held=2, open=2)
    leaves.close()
    backend.wait(closed=1, held=1, open=1)
    backend.release("gate")
    backend.wait(finished=1, open=0)
    stays.shutdown(socket.SHUT_WR)
    assert received(stays)[0].rstrip().endswith(b"data: [DONE]\n\n\r\n0")
    said = {r["state"]: r for r in backend.requests()}
    assert said["closed"]["closed_early"]
    assert said["closed"]["sent_body_bytes"] == 300
    assert said["finished"]["sent_body_bytes"] > 1000


def test_is_blocked_by_a_reader_who_does_not_read(backend):
    backend.script(big={"chunks": 100000, "chunk_bytes": 7000})
    with backend.open_stream("big"):
        backend.wait(blocked=1)
        assert backend.requests()[0]["sent_body_bytes"] < 100_000_000
    backend.wait(closed=1, open=0, connections_open=0)


def test_lists_models_and_echoes_the_rest(backend):
    backend.script(top={"models": ["a", "org/b"]})
    assert [m["id"] for m in backend.call("GET", "/v1/models").json()["data"]] == ["a", "org/b"]
    assert backend.call("GET", "/v1/models/org%2Fb").json()["id"] == "org/b"
    assert backend.call("GET", "/v1/models/c").status == 404
    echo = backend.call("PUT", "/v1/files/7?x=1", {"a": 1}).json()
    assert (echo["method"], echo["target"], echo["body"]) == ("PUT", "/v1/files/7?x=1", '{"a": 1}')


def test_refuses_a_script_it_does_not_know(backend):
    answer = backend.call("POST", "/control/script", {"default": {"facter": 2}})
    assert answer.status == 400
    assert b"facter" in answer.raw_body


def test_wait_gives_up(backend):
    answer = backend.call("GET", "/control/wait?requests=1&timeout_ms=20")
    assert answer.status == 408
    assert answer.json()["counts"]["requests"] == 0


PROMPTS = sorted((pathlib.Path(__file__).parents[2] / "config" / "prompts").glob("*.txt"))


def filled(template):
    """A template of Longhand's with everything in it that it can hold."""
    values = {
        "request": "Write a history of umbrellas of 9,000 words." if "zh" not in template.name else "写一部伞的历史，9000字。",
        "words": "432", "titles": "7", "title": "The Long Rain", "section": "3", "sections": "8",
        "plan": "1. The Long Rain\n2. The Short Rain", "subject": "umbrellas",
    }
    text = template.read_text(encoding="utf-8").split("{:assistant}")[0]
    text = re.sub(r"\{\?\w+\}", "", text)
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match.group(1), "something"), text)


@pytest.mark.parametrize("template", PROMPTS, ids=lambda template: template.stem)
def test_understands_longhands_own_prompts(template):
    prompt = Prompt({"messages": [{"role": "user", "content": filled(template)}]})
    if template.stem.startswith("plan"):
        assert (prompt.role, prompt.items) == ("plan", 7)
        return
    assert (prompt.role, prompt.words) == ("write", 432)
    assert prompt.language == ("zh" if "zh" in template.stem else "en")
    if prompt.language == "en":
        assert prompt.subject == "umbrellas"
    if template.stem.startswith("section"):
        assert prompt.title == "The Long Rain"


def test_there_are_prompts_to_understand():
    assert len(PROMPTS) >= 12
