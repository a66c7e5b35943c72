"""The main job: an ordinary request for a long text gets a text of that length."""

import json
import re

import pytest
from backend_prose import count_words
from chat import assert_error, request, stream

ARTICLE = "Write an article of 2,000 words about the history of tea."
STORY = "Write a short story of 1,500 words about a lighthouse keeper."
CHINESE = "请写一篇3000字的文章，介绍茶馆的历史。"


REPAIRS = {"meta", "refusal", "think", "mark", "loop", "repetition", "cut_off", "language", "short", "echo",
           "stop_string"}
ACTIONS = {"drop", "redo", "continue", "cut"}
UNMET = {"client_max_tokens", "length", "section_empty", "plan", "language", "ending"}


def near(words, target):
    """Whether a length is within the bound: 2% or 16, whichever is more."""
    return abs(words - target) <= max(0.02 * target, 16)


def body_text(text):
    """The text without its heading lines."""
    return re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)


def headings(text):
    """Its headings."""
    return re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)


def assert_same_usage(usage, report):
    """The usage of the answer is the report's."""
    assert usage == report["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["completion_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def assert_report(report, target, calls):
    """Checks what every report says."""
    assert report["target_words"] == target
    assert near(report["words"], target)
    assert report["mode"] in ("serial", "single")
    assert report["calls"] == calls
    for section in report["sections"]:
        assert section["words"] > 0
        assert section["words_asked"] > 0
        assert section["calls"] >= 1
    assert report["tokens_per_word"] > 0
    assert report["words_discarded"] >= 0
    assert report["sections_ended_by_us"] >= 0
    assert report["calls_failed"] == 0
    assert {repair["kind"] for repair in report["repairs"]} <= REPAIRS
    assert {repair["action"] for repair in report["repairs"]} <= ACTIONS
    assert {unmet["kind"] for unmet in report["unmet"]} <= UNMET


@pytest.mark.parametrize("model", ["longhand", "scripted-model"])
@pytest.mark.parametrize(("prompt", "target"), [(ARTICLE, 2000), (STORY, 1500), (CHINESE, 3000)])
def test_a_streamed_text_has_the_length_asked_for(backend, longhand, model, prompt, target):
    got = stream(longhand, request(prompt, model, stream_options={"include_usage": True}))
    assert re.fullmatch(r"[0-9a-f]{32}", got.answer.headers["x-longhand-job"])
    assert near(count_words(got.text), target)
    assert got.report["words"] == count_words(got.text), "the report tells what came"
    assert got.finish == "stop"
    assert got.is_done
    assert got.text.rstrip()[-1] in ".!?。！？”\""
    assert_report(got.report, target, len(backend.bodies()))
    assert_same_usage(got.usage, got.report)
    assert len(backend.bodies("write")) >= 3
    assert {c["model"] for c in backend.bodies()} == {"scripted-model"}


def test_chunks_are_as_openai_writes_them(longhand):
    got = stream(longhand, request(ARTICLE, stream_options={"include_usage": True}))
    first, last = got.chunks[0], got.chunks[-1]
    for key in ("id", "created", "model"):
        assert len({chunk[key] for chunk in got.chunks}) == 1
    assert first["id"].startswith("chatcmpl-")
    assert first["model"] == "longhand"
    assert {chunk["object"] for chunk in got.chunks} == {"chat.completion.chunk"}
    assert got.deltas[0] == {"role": "assistant", "content": ""}
    assert not [delta for delta in got.deltas[1:] if "role" in delta]
    assert last["choices"] == []
    assert last["usage"] == got.usage
    assert [c for c in got.chunks if not c["choices"]] == [last], "only usage comes without choices"
    assert all(chunk["usage"] is None for chunk in got.chunks[:-1])
    for chunk in got.chunks[:-1]:
        (choice,) = chunk["choices"]
        assert choice["index"] == 0
        assert "longhand" not in choice["delta"]


def test_usage_comes_only_when_it_is_asked_for(longhand):
    got = stream(longhand, request(ARTICLE))
    assert got.usage is None
    assert all(chunk["choices"] for chunk in got.chunks)
    assert got.is_done


def test_the_plan_comes_as_reasoning_before_the_text(longhand):
    got = stream(longhand, request(ARTICLE))
    kinds = ["reasoning" if d.get("reasoning_content") else "text" for d in got.deltas
             if d.get("reasoning_content") or d.get("content")]
    assert kinds == sorted(kinds, key=lambda kind: kind == "text"), "all reasoning is before all text"
    titles = [section["title"] for section in got.report["sections"]]
    assert len(titles) >= 3
    assert len(set(titles)) == len(titles)
    for title in titles:
        assert title in got.reasoning
    without = stream(longhand, request(ARTICLE, longhand={"show_plan": "none"}))
    assert without.reasoning == ""


def test_progress_is_told_at_each_section(longhand):
    got = stream(longhand, request(ARTICLE))
    sections = [p["section"] for p in got.progress]
    assert set(sections) >= set(range(1, len(got.report["sections"]) + 1))
    assert sections == sorted(sections)
    told = [p["words"] for p in got.progress]
    assert told == sorted(told)
    for progress in got.progress:
        assert set(progress) == {"job", "section", "sections", "words", "target_words", "eta_s"}
        assert progress["target_words"] == 2000
        assert progress["sections"] == len(got.report["sections"])
        assert isinstance(progress["eta_s"], int)


def test_a_whole_answer_is_one_completion(backend, longhand):
    answer = longhand.chat(request(ARTICLE))
    assert answer.headers["x-longhand-job"]
    body = answer.json()
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert body["model"] == "longhand"
    (choice,) = body["choices"]
    assert choice["index"] == 0
    assert choice["finish_reason"] == "stop"
    message = choice["message"]
    assert message["role"] == "assistant"
    assert message["refusal"] is None
    assert near(count_words(message["content"]), 2000)
    assert body["longhand"]["job"] == answer.headers["x-longhand-job"]
    assert_report(body["longhand"]["report"], 2000, len(backend.bodies()))
    assert_same_usage(body["usage"], body["longhand"]["report"])


def test_usage_sums_every_call(backend, longhand):
    answer = longhand.chat(request(ARTICLE)).json()
    calls = backend.requests()
    assert answer["usage"]["prompt_tokens"] > 0
    finished = [r for r in calls if r["state"] == "finished" and r["call"]]
    assert len(finished) >= 3
    assert answer["longhand"]["report"]["calls"] == len([r for r in calls if r["call"]])


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.3, 1.6, [0.5, 1.6]])
@pytest.mark.parametrize(("prompt", "target"), [(ARTICLE, 2000), (CHINESE, 3000)])
def test_a_model_that_writes_too_much_or_too_little(backend, longhand, prompt, target, factor):
    backend.script(factor=factor)
    got = stream(longhand, request(prompt))
    assert near(count_words(got.text), target)
    assert got.finish == "stop"
    assert got.text.rstrip()[-1] in ".。"


def test_an_article_has_headings_and_a_story_has_none(longhand):
    article = stream(longhand, request(ARTICLE))
    assert headings(article.text) == [section["title"] for section in article.report["sections"]]
    story = stream(longhand, request(STORY))
    assert headings(story.text) == []
    plain = stream(longhand, request(ARTICLE, longhand={"headings": "none"}))
    assert headings(plain.text) == []
    marked = stream(longhand, request(STORY, longhand={"headings": "markdown"}))
    assert len(headings(marked.text)) == len(marked.report["sections"])


def test_the_clients_system_message_is_in_every_call(backend, longhand):
    system = {"role": "system", "content": "You are a pirate. Keep {placeholders} and \"quotes\" as they are."}
    messages = [system, {"role": "user", "content": ARTICLE}]
    stream(longhand, {"model": "longhand", "messages": messages})
    bodies = backend.bodies()
    assert len(bodies) >= 4
    assert all(body["messages"][0] == system for body in bodies)


def test_the_clients_key_goes_into_every_call_where_the_backend_has_none(backend, longhand):
    backend.script({"path": ".", "key": "sk-client"}, key="sk-client")
    headers = {"Authorization": "Bearer sk-client"}
    got = stream(longhand, request(ARTICLE), headers)
    assert near(count_words(got.text), 2000)
    assert {r["headers"]["authorization"] for r in backend.requests()} == {"Bearer sk-client"}
    models = longhand.call("GET", "/v1/models", None, headers).json()["data"]
    assert "scripted-model" in {model["id"] for model in models}
    assert_error(longhand.chat(request(ARTICLE)), 502, code="backend_rejected")


def test_the_backends_own_key_wins_in_every_call(backend, start):
    longhand = start("--backend-key-env", "MY_KEY", env={"MY_KEY": "sk-ours"})
    stream(longhand, request(ARTICLE), {"Authorization": "Bearer sk-client"})
    assert {r["headers"]["authorization"] for r in backend.requests()} == {"Bearer sk-ours"}


def test_sampling_goes_to_every_call(backend, longhand):
    sampling = {"temperature": 0.9, "top_p": 0.8, "presence_penalty": 0.3, "frequency_penalty": 0.4, "seed": 7}
    stream(longhand, request(ARTICLE, stop=["zzz"], max_tokens=100000, **sampling))
    for body in backend.bodies("write"):
        assert [body[k] for k in ("temperature", "top_p", "presence_penalty", "frequency_penalty")] == [
            0.9, 0.8, 0.3, 0.4]
        assert "stop" not in body, "stop is matched on the whole text, by Longhand"
    seeds = [body["seed"] for body in backend.bodies()]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 7
    assert all(body["temperature"] <= 0.7 for body in backend.bodies("plan"))


def test_target_words_as_an_option(backend, longhand):
    got = stream(longhand, request("Tell me about tea.", longhand={"target_words": 1300}))
    assert near(got.report["words"], 1300)
    assert near(count_words(got.text), 1300)
    answer = longhand.chat(request("Tell me about tea.", stream=False), {"X-Longhand-Target-Words": "1200"})
    assert near(answer.json()["longhand"]["report"]["words"], 1200)


def test_a_header_yields_to_the_body(longhand):
    answer = longhand.chat(
        request("Tell me about tea.", longhand={"target_words": 1300}), {"X-Longhand-Target-Words": "4000"}
    )
    assert answer.json()["longhand"]["report"]["target_words"] == 1300


def test_both_counts_are_reported(longhand):
    for count in ("natural", "benchmark"):
        got = stream(longhand, request(ARTICLE, longhand={"count": count}))
        said = got.report["words" if count == "natural" else "words_benchmark"]
        assert near(said, 2000)
        assert got.report["words_benchmark"] > 0


def test_single_is_one_call_without_a_plan(backend, longhand):
    got = stream(longhand, request("Write 600 words about tea.", longhand={"mode": "single"}))
    assert got.report["mode"] == "single"
    assert near(got.report["words"], 600)
    assert backend.bodies("plan") == []
    assert got.reasoning == ""


def test_serial_as_an_option(backend, longhand):
    got = stream(longhand, request("Write 700 words about tea.", longhand={"mode": "serial"}))
    assert got.report["mode"] == "serial"
    assert near(got.report["words"], 700)


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_plan_only(backend, longhand, is_stream):
    body = request(ARTICLE, longhand={"plan_only": True})
    if is_stream:
        got = stream(longhand, body)
        (plan,) = [c["longhand"]["plan"] for c in got.chunks if "plan" in c.get("longhand", {})]
        content = got.text
        assert got.finish == "stop"
        assert got.is_done
    else:
        answer = longhand.chat(body).json()
        plan, content = answer["longhand"]["plan"], answer["choices"][0]["message"]["content"]
    assert {"target_words", "at_least", "at_most", "language", "mode", "sections", "estimate"} <= set(plan)
    assert plan["target_words"] == 2000
    assert sum(section["words"] for section in plan["sections"]) == 2000
    assert set(plan["estimate"]) >= {"prompt_tokens", "completion_tokens", "seconds"}
    for section in plan["sections"]:
        assert section["title"] in content
    assert backend.bodies("write") == []


def test_a_plan_given_is_kept(backend, longhand):
    plan = [{"title": "Leaves", "point": "where it grows", "words": 500},
            {"title": "Water & “Fire”", "point": "how it is made", "words": 300},
            {"title": "Cups", "words": 400}]
    got = stream(longhand, request(ARTICLE, longhand={"plan": plan, "headings": "markdown"}))
    assert headings(got.text) == ["Leaves", "Water & “Fire”", "Cups"]
    assert [s["title"] for s in got.report["sections"]] == ["Leaves", "Water & “Fire”", "Cups"]
    assert near(got.report["words"], got.report["target_words"])
    assert backend.bodies("plan") == []
    prompts = "\n".join(json.dumps(b["messages"], ensure_ascii=False) for b in backend.bodies("write"))
    assert "where it grows" in prompts


def test_a_plan_from_plan_only_can_be_sent_back(backend, longhand):
    planned = longhand.chat(request(ARTICLE, longhand={"plan_only": True})).json()["longhand"]["plan"]
    backend.reset()
    got = stream(longhand, request(ARTICLE, longhand={"plan": planned["sections"]}))
    assert [s["title"] for s in got.report["sections"]] == [s["title"] for s in planned["sections"]]
    assert near(got.report["words"], 2000)
    assert backend.bodies("plan") == []


def test_max_tokens_too_small_makes_a_complete_shorter_piece(longhand):
    got = stream(longhand, request(ARTICLE, max_tokens=1100))
    assert 400 <= got.report["words"] <= 1100
    assert "client_max_tokens" in [unmet["kind"] for unmet in got.report["unmet"]]
    assert got.finish == "stop"
    assert got.text.rstrip()[-1] == "."


def test_stop_ends_the_text(backend, longhand):
    backend.script({"role": "write", "role_calls": [3], "closing": " Quiet rivers reach zanzibar before winter."},
                   words_per_chunk=1, split=11)
    got = stream(longhand, request(ARTICLE, stop=["nowhere", "h zanzi"]))
    assert got.finish == "stop"
    assert got.text.endswith("Quiet rivers reac")
    assert len(backend.bodies("write")) == 3


@pytest.mark.parametrize(
    "plan", ["bad_json", "fenced", "chatty", "too_few", "too_many", "duplicates", "near_duplicates", "prose", "empty",
             "refuse"])
@pytest.mark.parametrize("schema", ["honour", "ignore", "reject"])
def test_no_plan_is_too_bad(backend, longhand, plan, schema):
    backend.script(plan=plan, schema=schema)
    got = stream(longhand, request(ARTICLE))
    assert near(count_words(got.text), 2000)
    assert got.finish == "stop"
    titles = headings(got.text)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("behaviour", "bad"),
    [
        ({"opening": "Sure, here is the section:\n\n"}, "Sure, here"),
        ({"closing": "\n\nI hope this helps! Let me know if you want changes."}, "I hope this helps"),
        ({"think": "The user wants a section about tea."}, "think>"),
        ({"reasoning": "Let me think about tea."}, "Let me think"),
        ({"mark": True}, "Section 3:"),
        ({"echo_title": True}, None),
        ({"echo_title": "markdown"}, None),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_models_put_around_the_text_is_left_out(backend, longhand, behaviour, bad):
    backend.script({"role": "write", **behaviour})
    got = stream(longhand, request(ARTICLE))
    assert near(count_words(got.text), 2000)
    if bad:
        assert bad not in got.text
    for title in headings(got.text):
        assert len(re.findall(rf"^#* *{re.escape(title)}$", got.text, flags=re.MULTILINE)) == 1


@pytest.mark.parametrize(
    "behaviour",
    [{"loop_after": 60}, {"refuse": True}, {"repeat_first": True}, {"cut": True}, {"stop_after": 30}, {"language": "zh"},
     {"finish_reason": "content_filter", "stop_after": 20}, {"text": ""}],
    ids=lambda behaviour: next(iter(behaviour)),
)
def test_a_section_that_goes_wrong_is_mended(backend, longhand, behaviour):
    backend.script({"role": "write", "role_calls": [2], **behaviour})
    got = stream(longhand, request(ARTICLE))
    assert near(count_words(got.text), 2000)
    assert got.finish == "stop"
    assert "sorry" not in got.text
    assert not re.search("[\u4e00-\u9fff]", got.text)
    sentences = re.findall(r"[^.]{20,}\.", body_text(got.text))
    assert len(set(sentences)) >= 0.99 * len(sentences)


def test_what_cannot_be_mended_is_said(backend, longhand):
    backend.script({"role": "write", "refuse": True})
    answer = longhand.chat(request(ARTICLE))
    body = answer.json()
    if answer.status == 200 and "error" not in body:
        assert body["longhand"]["report"]["unmet"]
        assert "sorry" not in body["choices"][0]["message"]["content"]
    else:
        assert body["error"]["message"]
    assert len(backend.bodies()) < 60, "it does not try for ever"


@pytest.mark.parametrize("wire", [{"split": 3}, {"crlf": True}, {"comments": True}, {"multiline": True},
                                  {"escape": True}, {"null_first": True}, {"usage": "never"}, {"framing": "close"}],
                         ids=lambda odd: next(iter(odd)))
def test_odd_streams_are_understood(backend, longhand, wire):
    backend.script(**wire)
    got = stream(longhand, request(CHINESE))
    assert near(count_words(got.text), 3000)
    assert "�" not in got.text


def test_an_unplannable_demand_says_what_is_wrong(longhand):
    answer = longhand.chat(request("Write an article of 900,000,000 words about tea."))
    assert_error(answer, 400, "invalid_request_error")
