"""Responses: long texts as responses, followed, cut, fetched again; what is the backend's, passed or translated."""

import hashlib
import json
import random
import re
import time

import pytest
from backend_prose import count_words

ARTICLE = "Write an article of 1,500 words about the history of tea."
HELLO = "Say hello."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 900, "name": "gate"}]}
REQUIRED = set(
    "id object created_at completed_at status error incomplete_details instructions metadata model output "
    "parallel_tool_calls temperature tool_choice tools top_p previous_response_id truncation text presence_penalty "
    "frequency_penalty top_logprobs reasoning usage max_output_tokens max_tool_calls store background service_tier "
    "safety_identifier prompt_cache_key".split()
)
CUTS = 40


def asked(prompt=ARTICLE, model="longhand", **more):
    """The body of a request."""
    return {"model": model, "input": prompt, **more}


def create(longhand, *args, headers=None, **more):
    """The answer to a request, whole."""
    return longhand.call("POST", "/v1/responses", asked(*args, **more), headers)


def events_of(raw):
    """A stream's events: checked by the rules that hold for all, and their data as JSON."""
    events = []
    for block in raw.decode().split("\n\n")[:-1]:
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        if not lines:
            continue
        kind, data = lines
        events.append(json.loads(data.removeprefix("data: ")))
        assert kind == f"event: {events[-1]['type']}"
    return events


def text_of(response):
    """The text of a response object."""
    return "".join(
        part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]
    )


def deltas(events):
    """The text of a stream."""
    return "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")


def fetch(longhand, name, query="", headers=None):
    """A response fetched again."""
    return longhand.call("GET", f"/v1/responses/{name}{query}", headers=headers)


def posted(backend):
    """The paths that the backend was asked for, but for its models."""
    return [r["path"] for r in backend.requests() if r["method"] == "POST"]


def wait_for(longhand, name, status):
    """Polls until the response has this status."""
    for _ in range(600):
        response = fetch(longhand, name).json()
        if response["status"] == status:
            return response
        time.sleep(0.02)
    raise AssertionError(f"{name} is {response['status']}, not {status}")


def start_stream(longhand, mark, **more):
    """A stream that has been read up to `mark`, and what came."""
    answer = longhand.ask("POST", "/v1/responses", asked(stream=True, **more))
    assert answer.status == 200
    while mark not in answer.raw_body:
        assert answer.read_some()
    return answer


# ---- long texts ----


def test_a_long_text_is_a_response(longhand):
    answer = create(longhand, metadata={"k": "v"}, instructions="Be kind.")
    response = answer.json()
    assert set(response) >= REQUIRED
    assert response["id"] == "resp_" + answer.headers["x-longhand-job"]
    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
    assert abs(count_words(text_of(response)) - 1500) <= 30
    assert response["longhand"]["report"]["target_words"] == 1500
    usage = response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert fetch(longhand, response["id"]).json() == response


def test_a_stream_and_its_replays_are_the_same_bytes(longhand):
    answer = longhand.call("POST", "/v1/responses", asked(stream=True))
    events = events_of(answer.raw_body)
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    response = events[-1]["response"]
    assert events[-1]["type"] == "response.completed"
    assert deltas(events) == text_of(response)
    job = answer.headers["x-longhand-job"]
    assert longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode() == text_of(response)
    assert fetch(longhand, response["id"], "?stream=true").raw_body == answer.raw_body
    log = longhand.call("GET", f"/v1/longhand/jobs/{job}/events").raw_body.decode()
    kept = [json.loads(line[6:]) for line in log.split("\n") if line.startswith("data: ")]
    assert [e["text"] for e in kept if e["kind"] == "text"] == [
        e["delta"] for e in events if e["type"] == "response.output_text.delta"
    ]


def test_cuts_at_any_byte_are_mended(start, backend):
    longhand = start(reader_grace_ms=20)
    backend.script(chunk_ms=2)
    rng = random.Random(5)
    for _ in range(CUTS // 10):
        answer = start_stream(longhand, b"response.output_text.delta")
        answer.sock.close()
        name = re.search(rb"resp_[0-9a-f]{32}", answer.raw_body).group().decode()
        raw = answer.raw_body[: answer.raw_body.rindex(b"\n\n") + 2]
        while True:
            events = events_of(raw)
            more = longhand.ask(
                "GET", f"/v1/responses/{name}?stream=true&starting_after={events[-1]['sequence_number']}"
            )
            cut = rng.randrange(1, 20000)
            got = b""
            while len(got) < cut and (piece := more.read_some()):
                got += piece
            more.sock.close()
            if more.is_whole:
                raw += got
                break
            whole = got[:cut]
            raw += whole[: whole.rindex(b"\n\n") + 2] if b"\n\n" in whole else b""
        assert re.sub(rb": hb\n\n", b"", raw) == fetch(longhand, name, "?stream=true").raw_body
        assert events_of(raw)[-1]["type"] == "response.completed"


def test_a_background_response_needs_no_reader(start, backend):
    longhand = start(reader_grace_ms=1, json_grace_ms=1)
    backend.script(GATE)
    answer = create(longhand, background=True)
    first = answer.json()
    assert (first["status"], first["background"], first["output"]) == ("in_progress", True, [])
    backend.wait(held=1)
    now = fetch(longhand, first["id"]).json()
    assert now["status"] == "in_progress"
    assert now["output"][-1]["status"] == "in_progress"
    assert text_of(now)
    backend.release("gate")
    response = wait_for(longhand, first["id"], "completed")
    assert text_of(response).startswith(text_of(now))
    assert abs(count_words(text_of(response)) - 1500) <= 30


def test_cancelling_may_be_repeated(longhand, backend):
    backend.script(GATE)
    answer = start_stream(longhand, b"response.output_text.delta")
    name = "resp_" + answer.headers["x-longhand-job"]
    backend.wait(held=1)
    said = longhand.call("POST", f"/v1/responses/{name}/cancel").json()
    assert said["status"] == "cancelled"
    assert longhand.call("POST", f"/v1/responses/{name}/cancel").json() == said
    events = events_of(answer.read())
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"] == said
    assert text_of(said) == deltas(events)


def test_max_output_tokens_bounds_the_text(longhand):
    response = create(longhand, max_output_tokens=400).json()
    assert response["max_output_tokens"] == 400
    assert count_words(text_of(response)) < 500
    assert {"kind", "detail"} == set(response["longhand"]["report"]["unmet"][0])


def test_plan_only(longhand):
    response = longhand.call("POST", "/v1/responses", asked(longhand={"plan_only": True})).json()
    assert response["longhand"]["plan"]["target_words"] == 1500
    assert response["longhand"]["plan"]["sections"][0]["title"] in text_of(response)


def test_a_failure_in_the_middle_is_said(start, backend):
    longhand = start(retry_tries=1)
    backend.script({"role": "write", "role_calls": [2], "status": 500})
    events = events_of(longhand.call("POST", "/v1/responses", asked(stream=True)).raw_body)
    assert [e["type"] for e in events[-2:]] == ["error", "response.failed"]
    assert events[-2]["code"] == events[-2]["error"]["code"] == "backend_failed"
    assert events[-1]["response"]["error"]["code"] == "server_error"
    assert text_of(events[-1]["response"]) == deltas(events)


def test_what_was_said_before_is_sent_to_the_model(longhand, backend):
    first = create(longhand).json()
    backend.reset()
    create(longhand, "Write 300 words more about it.", previous_response_id=first["id"])
    said = backend.bodies("write")[0]["messages"]
    assert any(ARTICLE in message["content"] for message in said)
    backend.reset()
    answer = create(longhand, HELLO, previous_response_id=first["id"]).json()
    roles = [(m["role"], m["content"]) for m in backend.bodies()[0]["messages"]]
    assert roles == [("user", ARTICLE), ("assistant", text_of(first)), ("user", HELLO)]
    assert answer["previous_response_id"] == first["id"]


# ---- owners ----


def test_a_response_is_its_owners_alone(start, tmp_path):
    path = tmp_path / "longhand.yaml"
    keys = {name: "sha256:" + hashlib.sha256(f"sk-{name}".encode()).hexdigest() for name in ("alice", "bob")}
    path.write_text("keys:\n" + "".join(f"  {name}: {{hash: {value}}}\n" for name, value in keys.items()))
    longhand = start("--config", str(path))
    alice, bob = ({"Authorization": f"Bearer sk-{name}"} for name in ("alice", "bob"))
    name = create(longhand, headers=alice).json()["id"]
    tries = [
        ("GET", ""), ("GET", "?stream=true"), ("GET", "?stream=true&starting_after=3"), ("POST", "/cancel"),
        ("GET", "/input_items"), ("DELETE", ""),
    ]
    for method, what in tries:
        assert longhand.call(method, f"/v1/responses/{name}{what}", headers=bob).status == 404
        assert longhand.call(method, f"/v1/responses/{name}{what}").status == 401
    answer = create(longhand, headers=bob, previous_response_id=name)
    assert answer.status == 404
    assert answer.json()["error"]["code"] == "previous_response_not_found"
    assert [longhand.call(m, f"/v1/responses/{name}{w}", headers=alice).status for m, w in tries] == [200] * 6


# ---- the backend's own ----


def test_a_backend_with_responses_gets_them_as_they_are(longhand, backend):
    said = {"id": "resp_of_the_backend", "object": "response", "output": []}
    backend.script(top={"paths": {"/v1/responses": said, "/v1/responses/resp_of_the_backend": said}})
    body = asked(HELLO, tools=[{"type": "function", "name": "f"}], longhand={"mode": "auto"}, foo=[1.0, None])
    answer = longhand.call("POST", "/v1/responses", body)
    assert (answer.status, answer.json()) == (200, said)
    (sent,) = [r for r in backend.requests() if r["method"] == "POST"]
    assert sent["path"] == "/v1/responses"
    del body["longhand"]
    assert json.loads(sent["body"]) == {**body, "model": "scripted-model"}
    assert fetch(longhand, "resp_of_the_backend").json() == said


def test_other_paths_are_the_backends(longhand, backend):
    backend.script(top={"paths": {"/v1/responses/input_tokens": {"input_tokens": 3}, "/v1/responses/compact": {"a": 1}}})
    assert longhand.call("POST", "/v1/responses/input_tokens", asked(HELLO)).json() == {"input_tokens": 3}
    assert longhand.call("POST", "/v1/responses/compact", asked(HELLO)).json() == {"a": 1}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_responses_is_asked_once(longhand, backend, status):
    backend.script({"path": "^/v1/responses$", "status": status, "raw_body": "no such thing"})
    for _ in range(3):
        response = create(longhand, HELLO).json()
        assert response["status"] == "completed"
        assert response["store"] is False
        assert text_of(response)
    assert posted(backend) == ["/v1/responses"] + ["/v1/chat/completions"] * 3
    assert fetch(longhand, response["id"]).status == 404


def test_an_unknown_model_teaches_nothing(longhand, backend):
    backend.script(status=404, error={"message": "no such model", "code": "model_not_found"})
    answer = create(longhand, HELLO, "nobody")
    assert answer.status == 404
    assert "no such model" in answer.json()["error"]["message"]
    backend.reset()
    assert create(longhand, HELLO).status == 200
    assert posted(backend) == ["/v1/responses", "/v1/chat/completions"]


def test_a_translation_has_text_reasoning_and_usage(longhand, backend):
    backend.script(text="Hello there, friend.", reasoning="Let me think.")
    body = asked(HELLO, instructions="Be kind.", temperature=0.2, reasoning={"effort": "low"}, max_output_tokens=50)
    response = longhand.call("POST", "/v1/responses", body).json()
    assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
    assert response["output"][0]["summary"][0]["text"] == "Let me think."
    assert text_of(response) == "Hello there, friend."
    assert response["usage"]["output_tokens"] > 0
    (chat,) = backend.bodies()
    assert chat["messages"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": HELLO}]
    assert (chat["temperature"], chat["reasoning_effort"]) == (0.2, "low")
    assert 50 in (chat.get("max_tokens"), chat.get("max_completion_tokens"))
    streamed = events_of(longhand.call("POST", "/v1/responses", {**body, "stream": True}).raw_body)
    assert [e["sequence_number"] for e in streamed] == list(range(len(streamed)))
    assert deltas(streamed) == "Hello there, friend."
    assert streamed[-1]["response"]["output"][0]["summary"] == response["output"][0]["summary"]


def test_a_translation_that_is_cut_is_incomplete(longhand, backend):
    backend.script(finish_reason="length")
    response = create(longhand, HELLO).json()
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_leaving_a_translation_closes_the_upstream(longhand, backend):
    backend.script(faults=[{"how": "stall", "at_byte": 900}])
    answer = longhand.ask("POST", "/v1/responses", asked("Say 90 words.", stream=True))
    while b"output_text.delta" not in answer.raw_body:
        assert answer.read_some()
    backend.wait(held=1)
    answer.sock.close()
    backend.wait(closed=1, open=0)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tools": [{"type": "function", "name": "f"}]}, "tools"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input[0].content[0]"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "input[0]"),
        ({"background": True}, "background"),
    ],
)
def test_what_can_not_be_translated_is_named(longhand, more, param):
    answer = longhand.call("POST", "/v1/responses", {**asked(HELLO), **more})
    assert (answer.status, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("body", [{"model": "longhand", "input": 1}, {"model": "longhand"}, {"input": "x"}, [], {"model": "longhand", "input": [7]}])
def test_bodies_that_are_no_requests(longhand, body):
    answer = longhand.call("POST", "/v1/responses", body)
    assert answer.status == 400
    assert answer.json()["error"]["message"]


def test_a_restart_keeps_what_was_stored(start, tmp_path):
    first = start(state_dir=tmp_path / "state")
    answer = first.call("POST", "/v1/responses", asked(stream=True))
    name = "resp_" + answer.headers["x-longhand-job"]
    unstored = create(first, store=False).json()["id"]
    said = fetch(first, name).json()
    first.stop()
    again = start(state_dir=tmp_path / "state")
    assert fetch(again, name).json() == said
    assert fetch(again, name, "?stream=true").raw_body == answer.raw_body
    assert fetch(again, name, "/input_items").json()["data"][0]["content"][0]["text"] == ARTICLE
    assert fetch(again, unstored).status == 404
    follow = create(again, "Write an article of 300 words about it.", previous_response_id=name)
    assert follow.json()["status"] == "completed"
    assert again.call("DELETE", f"/v1/responses/{name}").json()["deleted"] is True
    assert fetch(again, name).status == 404
