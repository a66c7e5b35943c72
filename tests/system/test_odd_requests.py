"""Requests that are legal and rare: what clients send by accident, and what no tree can hold."""

import json

import pytest
from chat import assert_error, request

ARTICLE = "Write an article of 1,200 words about the history of tea."


def with_member(member, prompt=ARTICLE, model="longhand"):
    """A request with one more member, as bytes: some of them Python would not write."""
    return json.dumps(request(prompt, model)).encode()[:-1] + b"," + member + b"}"


@pytest.mark.parametrize("seed", [2**63 - 1, 2**63 - 3, -(2**63), 0])
def test_seeds_at_their_limits(backend, longhand, seed):
    answer = longhand.chat(request(ARTICLE, seed=seed))
    assert answer.json()["longhand"]["report"]["calls"] > 1
    seeds = [body["seed"] for body in backend.bodies()]
    assert seeds[0] == seed
    assert len(set(seeds)) == len(seeds), "no two calls have the same"


HALVES = ["Tea \\ud83d", "\\ude00 tea", "\\ud83d\\ud83d\\ude00 tea", "\\\\ud83d \\ud83d\\n tea"]


@pytest.mark.parametrize("text", HALVES)
def test_half_an_emoji_passes_through_as_it_is(backend, longhand, text):
    body = b'{"model":"scripted-model","messages":[{"role":"user","content":"%s"}]}' % text.encode()
    assert longhand.call("POST", "/v1/chat/completions", body).status == 200
    assert backend.requests()[-1]["body"] == body.decode()


@pytest.mark.parametrize("text", HALVES)
def test_half_an_emoji_in_a_long_request(backend, longhand, text):
    prompt = f"{ARTICLE} It begins with: {text}".encode()
    body = b'{"model":"longhand","messages":[{"role":"user","content":"%s"}]}' % prompt
    answer = longhand.call("POST", "/v1/chat/completions", body)
    assert answer.status == 200, answer.raw_body
    whole = json.loads(b'"%s"' % text.encode())
    mended = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in whole)
    assert any(mended in m["content"] for b in backend.bodies() for m in b["messages"])


def test_what_follows_a_zero_byte_is_written_about_too(backend, longhand):
    longhand.chat(request("Write an article of 1,200 words about tea\0, above all in Japan.")).read()
    assert all("in Japan" in json.dumps(body["messages"]) for body in backend.bodies())


@pytest.mark.parametrize("name", ["temperature", "top_p", "max_tokens", "seed", "stop"])
def test_a_number_beyond_all_numbers_is_refused(longhand, name):
    answer = longhand.chat(with_member(b'"%s":1e999' % name.encode()))
    assert_error(answer, 400, "invalid_request_error", name, "invalid_value")


@pytest.mark.parametrize("member", [b'"tools":[1e999]', b'"response_format":{"\\u0000":1}', b'"n":1e999'])
def test_what_can_not_be_read_is_the_backends_to_judge(backend, longhand, member):
    assert longhand.chat(with_member(member)).status == 200
    (call,) = [r for r in backend.requests() if r["call"]]
    assert member in call["body"].encode()


def test_messages_that_no_tree_can_hold(backend, longhand):
    """The backend's to judge where they pass through; nothing can be written by them."""
    body = '{"model":"longhand","messages":[{"role":"user","content":"%s","weight":1e999}]}'
    assert longhand.chat((body % "x").encode()).status == 200
    (call,) = [r for r in backend.requests() if r["call"]]
    assert '"weight":1e999' in call["body"]
    error = assert_error(longhand.chat((body % ARTICLE).encode()), 400, "invalid_request_error", "messages", "invalid_value")
    assert "at least one" not in error["message"]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("tokens", [2**31 - 1, 2**32, 2**63, 10**30])
def test_a_bound_beyond_all_texts_is_none(longhand, name, tokens):
    report = longhand.chat(request(ARTICLE, **{name: tokens})).json()["longhand"]["report"]
    assert report["unmet"] == []
    assert abs(report["words"] - 1200) <= 24


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_whose_it_was(backend, start, status):
    backend.script(status=status)
    headers = {"Authorization": "Bearer sk-client"}
    answer = start().chat(request(ARTICLE, "scripted-model"), headers)
    assert_error(answer, status, code="backend_rejected")
    ours = start("--backend-key-env", "MY_KEY", env={"MY_KEY": "sk-ours"})
    assert_error(ours.chat(request(ARTICLE, "scripted-model"), headers), 502, code="backend_rejected")


@pytest.mark.parametrize(("name", "value"), [("X-Longhand-Target-Words", "300 "), ("X-Longhand-Plan-Only", "true\t"), ("X-Longhand-Mode", "serial  ")])
def test_space_behind_a_header_is_none_of_it(longhand, name, value):
    answer = longhand.chat(request(ARTICLE), {name: value})
    assert answer.status == 200, answer.read()


HEADINGS = ["Origins & Myths", "Trade: 1600-1800", "Law (1773)"]


def test_headings_written_as_such_are_kept_exactly(longhand):
    wanted = "\n".join(f"## {heading}" for heading in HEADINGS)
    prompt = f"Write a 1,500-word report about tea with exactly these headings:\n\n{wanted}\n"
    text = longhand.chat(request(prompt)).json()["choices"][0]["message"]["content"]
    assert [line for line in text.split("\n") if line.startswith("#")] == wanted.split("\n")
