"""Requests as they really come: conversations, parts, nulls, dialects, presets, very long texts."""

import json
import re

import pytest
from backend_prose import HAN, count_words
from chat import assert_error, request, stream

ARTICLE = "Write an article of 2,000 words about the history of tea."


def plain(text):
    """The text without its heading lines."""
    return re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)


def assert_length(text, target):
    """Within the bound: 2% or 16 words, headings counted."""
    assert abs(count_words(text) - target) <= max(0.02 * target, 16)


def reuse(text):
    """Share of the 5-grams that were there before."""
    units = HAN.findall(text) if HAN.search(text) else plain(text).lower().split()
    grams = [tuple(units[i : i + 5]) for i in range(len(units) - 4)]
    return 1 - len(set(grams)) / len(grams)


def test_a_conversation_goes_into_every_call(backend, longhand):
    history = [
        {"role": "system", "content": "Answer as a gardener."},
        {"role": "user", "content": "Do you like tea? Write {words} {request}."},
        {"role": "assistant", "content": "I do."},
    ]
    got = stream(longhand, {"model": "longhand", "messages": [*history, {"role": "user", "content": ARTICLE}]})
    assert_length(got.text, 2000)
    bodies = backend.bodies()
    assert len(bodies) >= 4
    for body in bodies:
        assert body["messages"][:3] == history
        assert ARTICLE in json.dumps(body["messages"][3:], ensure_ascii=False)


def test_placeholders_of_the_user_stay_as_they_are(backend, longhand):
    odd = "Write an article of 2,000 words about {title} and {words}, {{plan}} and {?first}{tail}."
    got = stream(longhand, request(odd))
    assert_length(got.text, 2000)
    assert all(odd in body["messages"][-1]["content"] for body in backend.bodies())


def test_content_in_parts(longhand):
    parts = [{"type": "text", "text": "Write an article of 1,300 words"}, {"type": "text", "text": "about tea."}]
    got = stream(longhand, {"model": "longhand", "messages": [{"role": "user", "content": parts}]})
    assert_length(got.text, 1300)


def test_null_is_as_good_as_absent(longhand):
    nulls = ("temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens", "seed", "tools", "logprobs",
             "response_format", "presence_penalty", "frequency_penalty", "stream_options", "longhand", "user")
    got = stream(longhand, request(ARTICLE, **dict.fromkeys(nulls)))
    assert_length(got.text, 2000)


def test_null_options_are_absent_too(longhand):
    options = dict.fromkeys(("mode", "target_words", "plan", "plan_only", "headings", "count", "show_plan", "keep"))
    assert_length(stream(longhand, request(ARTICLE, longhand=options)).text, 2000)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_both_names_of_the_limit(longhand, name):
    got = stream(longhand, request(ARTICLE, **{name: 900}))
    assert got.report["words"] < 900
    assert got.finish == "stop"


@pytest.mark.parametrize("prompt", ["Hello!", "What is 2 + 2?", "Summarise this in one line: tea is a drink.", "你好"])
def test_longhand_passes_on_what_asks_for_no_text(backend, longhand, prompt):
    answer = longhand.call("POST", "/v1/chat/completions", request(prompt))
    assert answer.status == 200
    assert "x-longhand-job" not in answer.headers
    assert [len(body["messages"]) for body in backend.bodies()] == [1]


def test_front_ends_housekeeping_passes_through(backend, longhand):
    task = ("### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n"
            "### Chat History:\n<chat_history>\nUSER: Write a novel of 50,000 words.\n</chat_history>")
    assert longhand.call("POST", "/v1/chat/completions", request(task, "scripted-model")).status == 200
    assert longhand.call("POST", "/v1/chat/completions", request(task)).status == 200
    assert longhand.call("POST", "/v1/chat/completions", request(ARTICLE), {"X-OpenWebUI-Task": "title_generation"}
                         ).status == 200
    assert len(backend.bodies()) == 3


DIALECTS = {
    "openai": {"continues": "reject"},
    "llamacpp": {"null_first": True},
    "vllm": {"continues": "vllm"},
    "ollama": {},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("prompt", [ARTICLE, "请写一篇2000字的文章，介绍茶馆的历史。"], ids=["en", "zh"])
def test_each_dialect_goes_on_after_a_failure(backend, start, dialect, prompt):
    longhand = start("--backend-dialect", dialect)
    behaviour = DIALECTS[dialect]
    broken = {"role": "write", "role_calls": [2, 5], "words_per_chunk": 1,
              "faults": [{"how": "reset", "at_byte": 30000}]}
    backend.script({**behaviour, **broken}, **behaviour)
    got = stream(longhand, request(prompt))
    assert_length(got.text, 2000)
    assert got.finish == "stop"
    assert reuse(got.text) < 0.002
    assert backend.wait(requests=1)["failed"] >= 1
    limits = {name for body in backend.bodies() for name in body if name.startswith("max_")}
    assert limits <= {"max_completion_tokens" if dialect == "openai" else "max_tokens"}


@pytest.mark.parametrize("continues", ["yes", "echo", "no"])
def test_a_continued_answer_is_joined_without_a_seam(backend, start, continues):
    longhand = start("--backend-dialect", "llamacpp")
    backend.script(factor=0.5, continues=continues)
    got = stream(longhand, request(ARTICLE))
    assert_length(got.text, 2000)
    assert reuse(got.text) < 0.002
    assert not re.search(r"[a-z] ?[.] ?[a-z]", plain(got.text)), "no sentence begins small"


@pytest.mark.parametrize("prompt", [
    "Write a novel of 20,000 words about a lighthouse keeper.",
    "请写一部15000字的小说，讲述一位茶馆老板的一生。",
], ids=["en", "zh"])
def test_a_very_long_text(backend, longhand, prompt):
    backend.script(factor=[0.6, 1.5])
    got = stream(longhand, request(prompt))
    target = got.report["target_words"]
    assert target in (20000, 15000)
    assert_length(got.text, target)
    assert got.finish == "stop"
    assert reuse(got.text) < 0.005
    assert len(got.report["sections"]) >= 15
    prompts = [sum(len(m["content"]) for m in body["messages"]) for body in backend.bodies("write")]
    assert max(prompts) < 40000, "the prompt does not grow with the text"


def test_a_preset_is_a_model(backend, start, tmp_path):
    config = tmp_path / "longhand.yaml"
    config.write_text(
        f"""backends:
  default:
    url: {backend.url}
presets:
  longhand-plain:
    headings: none
    target_words: 1400
    mode: serial
""",
        encoding="utf-8",
    )
    longhand = start("--config", str(config), backend_url="")
    assert "longhand-plain" in {m["id"] for m in longhand.call("GET", "/v1/models").json()["data"]}
    got = stream(longhand, request("Write an article about tea.", "longhand-plain"))
    assert got.report["target_words"] == 1400
    assert got.chunks[0]["model"] == "longhand-plain"
    assert "#" not in got.text
    assert_length(got.text, 1400)


def test_more_than_the_configuration_allows_is_refused(start):
    longhand = start(max_target_words=5000)
    assert_error(longhand.chat(request("Write a novel of 6,000 words.")), 400, "invalid_request_error")
    assert_error(longhand.chat(request("Tell me.", longhand={"target_words": 6000})), 400)


def test_a_slow_reader_of_a_long_text_gets_all_of_it(backend, start):
    longhand = start(stuck_ms=60000)
    backend.script(factor=[0.8, 1.2])
    answer = longhand.chat(request("Write a novel of 20,000 words about a lighthouse keeper.", stream=True))
    job = answer.headers["x-longhand-job"]
    status = "planning"
    while status in ("planning", "writing"):
        status = longhand.call("GET", f"/v1/longhand/jobs/{job}").json()["status"]
    assert status == "done", "the writer does not wait for its reader"
    body = answer.read()
    assert answer.is_whole
    assert body.endswith(b"data: [DONE]\n\n")
    text = longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode()
    assert text == "".join(
        c["delta"].get("content") or ""
        for line in body.decode().splitlines() if line.startswith("data: {")
        for c in json.loads(line[6:])["choices"]
    )


def test_route_longhand_leaves_plain_models_alone(backend, start):
    longhand = start(route="longhand")
    answer = longhand.call("POST", "/v1/chat/completions", request(ARTICLE, "scripted-model"))
    assert "x-longhand-job" not in answer.headers
    assert len(backend.bodies()) == 1
    assert_length(stream(longhand, request(ARTICLE)).text, 2000)


def test_numbers_that_no_integer_holds_pass_through(backend, longhand):
    body = (b'{"model":"scripted-model","longhand":{"mode":"off"},"x":123456789012345678901234567890,'
            b'"messages":[{"role":"user","content":"hi","y":123456789012345678901234567890}]}')
    assert longhand.call("POST", "/v1/chat/completions", body).status == 200
    assert backend.requests()[-1]["body"] == body.decode().replace('"longhand":{"mode":"off"},', "")


@pytest.mark.parametrize("body", [
    '{"longhand":{"mode":"off"},"model":"longhand","messages":[{"role":"user","content":"hi"}]}',
    '{"model":"longhand","messages":[{"role":"user","content":"hi"}],"longhand":{"mode":"off"}}',
    '{"model":"longhand","messages":[{"role":"user","content":"hi"}] , "longhand" : {"mode":"off"} }',
    '{ "messages":[{"role":"user","content":"hi"}], "longhand" : {"mode":"off"} , "model" : "longhand"}',
], ids=["first", "last", "last with space", "before the model"])
def test_our_own_member_is_cut_out_wherever_it_stands(backend, longhand, body):
    assert longhand.call("POST", "/v1/chat/completions", body.encode()).status == 200
    sent = json.loads(backend.requests()[-1]["body"])
    assert sent == {"model": "scripted-model", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("prompt", [ARTICLE, "Write a story of 1,500 words about a lighthouse keeper."])
@pytest.mark.parametrize("factor", [0.6, 1.0, 1.5])
def test_a_small_model_is_asked_plainly(backend, start, prompt, factor):
    longhand = start("--backend-dialect", "llamacpp")
    backend.script(top={"models": ["tiny-135m-instruct"]}, factor=factor)
    got = stream(longhand, request(prompt))
    assert_length(got.text, got.report["target_words"])
    assert got.finish == "stop"
    assert reuse(got.text) < 0.01
    prompts = [m["content"] for body in backend.bodies("write") for m in body["messages"] if m["role"] == "user"]
    assert max(len(p) for p in prompts) < 1500
    assert not [p for p in prompts if "plan of the whole text" in p]
