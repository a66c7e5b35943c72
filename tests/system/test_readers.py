"""Readers leave and come back: no byte of a text is lost or comes twice."""

import os
import random
import threading

import pytest
from chat import Chunks, assert_error, has_content, read_until, request, stream, wire

ARTICLE = "Write an article of 2,000 words about the history of tea."
CHINESE = "请写一篇3000字的文章，介绍茶馆的历史。"
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
# How many resumes the property is tried with: `make resumes` says 1,000.
RESUMES = int(os.environ.get("RESUMES", "60"))


def path_of(job, tail=""):
    """The path of a job."""
    return f"/v1/longhand/jobs/{job}{tail}"


def job_id(answer):
    """The job of a long answer."""
    return answer.headers["x-longhand-job"]


def tell(what, resumes, read_bytes):
    """What `make resumes` shows."""
    print(f"\n{what}: {resumes:,} resumes, {read_bytes:,} bytes read, 0 lost, 0 doubled")


def text_of(longhand, job):
    """The text of a job as its bytes."""
    return longhand.call("GET", path_of(job, "/text")).raw_body


def content(event):
    """The content of one event of a chat stream, as bytes."""
    if event.json is None:
        return b""
    assert "error" not in event.json, event.json
    return "".join(c["delta"].get("content") or "" for c in event.json["choices"]).encode()


def read_on(longhand, job, offset, most=None):
    """Reads a job from a byte on, `most` chunks of content at most; what came, and if it ended."""
    answer = longhand.ask("GET", path_of(job, f"/chat?offset={offset}"))
    assert answer.status == 200, answer.read()
    assert answer.headers["x-longhand-job"] == job
    got = b""
    for event in answer.events():
        if event.data == "[DONE]":
            answer.close()
            return got, True
        part = content(event)
        got += part
        if part and most is not None:
            most -= 1
            if most <= 0:
                break
    answer.close()
    return got, False


def starts_of_characters(text):
    """The bytes of a text at which a reader may go on."""
    return [at for at in range(len(text) + 1) if at == len(text) or text[at] & 0xC0 != 0x80]


@pytest.mark.parametrize("prompt", [ARTICLE, CHINESE])
def test_a_finished_text_is_read_on_from_any_character(longhand, prompt):
    got = stream(longhand, request(prompt))
    job = job_id(got.answer)
    text = text_of(longhand, job)
    assert got.text.encode() == text
    chance = random.Random(1)
    places = starts_of_characters(text)
    offsets = [at for at in [0, 1, len(text)] if at in places] + chance.choices(places, k=RESUMES // 2)
    for offset in offsets:
        assert read_on(longhand, job, offset) == (text[offset:], True)
    tell(f"a finished text of {len(text):,} bytes", len(offsets), sum(len(text) - at for at in offsets))


def test_inside_a_character_and_beyond_the_end_are_refused(longhand):
    job = job_id(stream(longhand, request(CHINESE)).answer)
    text = text_of(longhand, job)
    inside = [at for at in range(len(text)) if text[at] & 0xC0 == 0x80]
    for offset in inside[:3] + inside[-3:]:
        answer = longhand.ask("GET", path_of(job, f"/chat?offset={offset}"))
        assert_error(answer, 400, param="offset", code="offset_inside_character")
    answer = longhand.ask("GET", path_of(job, f"/chat?offset={len(text) + 1}"))
    assert_error(answer, 416, param="offset", code="offset_beyond_end")
    for offset in ["-1", "x", "", "1.5", "9" * 30]:
        answer = longhand.ask("GET", path_of(job, f"/chat?offset={offset}"))
        assert_error(answer, 400, param="offset", code="invalid_value")


@pytest.mark.parametrize("prompt", [ARTICLE, CHINESE])
def test_resumes_of_a_running_text_lose_and_double_nothing(backend, longhand, prompt):
    """Each goes on at the last byte that came, or somewhere before it: what comes again is the same."""
    backend.script(chunk_ms=1)
    chance = random.Random(2)
    resumes = texts = read_bytes = 0
    while resumes < RESUMES // 2:
        first = longhand.chat(request(prompt, stream=True, longhand={"keep": True}))
        got = b"".join(content(event) for event in read_until(first, has_content))
        job = job_id(first)
        first.close()
        is_over = False
        while not is_over:
            places = starts_of_characters(got)
            offset = len(got) if chance.random() < 0.5 else chance.choice(places[-100:])
            part, is_over = read_on(longhand, job, offset, chance.randrange(1, 12))
            again = got[offset:]
            assert part.startswith(again) or again.startswith(part)
            got = got[:offset] + max(part, again, key=len)
            resumes += 1
            read_bytes += len(part)
        assert got == text_of(longhand, job)
        texts += 1
    tell(f"{texts} running texts", resumes, read_bytes)


def test_several_read_one_text_at_their_own_pace(backend, longhand):
    backend.script(GATE)
    first = longhand.chat(request(ARTICLE, stream=True))
    events = first.events()
    next(event for event in events if has_content(event))
    backend.wait(held=1)
    job = job_id(first)
    offsets = [0, 7, len(text_of(longhand, job))]
    answers = [longhand.ask("GET", path_of(job, f"/chat?offset={offset}")) for offset in offsets]
    backend.release("gate")
    texts = [Chunks(answer).text.encode() for answer in answers]
    whole = text_of(longhand, job)
    assert texts == [whole[offset:] for offset in offsets]
    assert whole.endswith(b"".join(content(event) for event in events))


def test_a_reader_that_takes_nothing_slows_nobody(backend, start):
    longhand = start(stream_high_bytes=4096, stream_low_bytes=1024)
    slow = longhand.chat(request(ARTICLE, stream=True))
    read_until(slow, has_content)  # and then nothing for a while
    job = job_id(slow)
    text, is_over = read_on(longhand, job, 0)
    assert is_over
    assert text == text_of(longhand, job)
    rest = Chunks(slow)
    assert rest.is_done
    assert text.endswith(rest.text.encode())


def test_events_are_the_log_as_it_grows(backend, longhand):
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    job = job_id(answer)
    events = longhand.ask("GET", path_of(job, "/events"))
    assert events.headers["content-type"].startswith("text/event-stream")
    drained = threading.Thread(target=answer.read)
    drained.start()
    seen = []
    for event in events.events():
        seen.append(event.json)
        if event.json and event.json["kind"] == "text":
            backend.release("gate")
    drained.join()
    assert events.is_whole
    assert [event["id"] for event in seen] == [f"1-{n + 1}" for n in range(len(seen))]
    assert seen[0]["kind"] == "created"
    assert seen[-1]["kind"] == "done"
    text = "".join(event["text"] for event in seen if event["kind"] == "text")
    assert text.encode() == text_of(longhand, job)
    later = longhand.ask("GET", path_of(job, "/events"), None, {"Last-Event-ID": seen[-3]["id"]})
    assert [event.json for event in later.events()] == seen[-2:]


def test_an_erased_job_is_gone_for_everybody(backend, longhand):
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    job = job_id(answer)
    erased = longhand.call("DELETE", path_of(job))
    assert erased.json() == {"id": job, "object": "longhand.job", "deleted": True}
    backend.wait(closed=1, open=0)
    rest = Chunks(answer)
    assert rest.error["code"] == "job_erased"
    assert not rest.is_done
    for method, tail in [("GET", ""), ("GET", "/text"), ("GET", "/chat"), ("GET", "/events"), ("DELETE", ""),
                         ("POST", "/cancel")]:
        assert_error(longhand.ask(method, path_of(job, tail)), 404, code="job_not_found")


def test_a_finished_job_can_be_erased(longhand):
    job = job_id(stream(longhand, request(ARTICLE)).answer)
    assert longhand.call("DELETE", path_of(job)).status == 200
    assert longhand.call("GET", path_of(job)).status == 404
    assert longhand.call("DELETE", path_of(job)).status == 404


def wait_for(longhand, job, status):
    """Asks until a job has this status."""
    while (now := longhand.call("GET", path_of(job)).json()["status"]) != status:
        assert now not in ("done", "cancelled", "failed")


@pytest.mark.parametrize("prompt", [ARTICLE, CHINESE])
def test_a_parked_text_goes_on_where_its_reader_comes_back(backend, start, prompt):
    longhand = start(reader_grace_ms=10)
    backend.script(GATE)
    answer = longhand.chat(request(prompt, stream=True))
    got = b"".join(content(event) for event in read_until(answer, has_content))
    backend.wait(held=1)
    answer.close()
    backend.wait(closed=1, open=0)
    job = job_id(answer)
    wait_for(longhand, job, "parked")
    calls = len(backend.requests())
    text = text_of(longhand, job)
    assert text.startswith(got)
    assert text.decode().rstrip()[-1] in ".。!?！？\"”", "it parks at the end of a sentence"
    metrics = longhand.call("GET", "/metrics").raw_body.decode()
    assert "longhand_jobs_running 0\n" in metrics
    assert 'longhand_jobs_total{end="parked"} 1\n' in metrics
    assert "longhand_upstream_open 0\n" in metrics
    assert len(backend.requests()) == calls
    rest, is_over = read_on(longhand, job, len(got))
    assert is_over
    assert got + rest == text_of(longhand, job)
    said = longhand.call("GET", path_of(job)).json()
    target = said["target_words"]
    assert abs(said["words"] - target) <= max(0.02 * target, 16)
    kinds = [e.json["kind"] for e in longhand.ask("GET", path_of(job, "/events")).events()]
    assert kinds.index("parked") < kinds.index("resumed") < kinds.index("done")


def test_resumes_of_a_text_that_parks_again_and_again(backend, start):
    longhand = start(reader_grace_ms=0)
    backend.script(chunk_ms=1)
    chance = random.Random(3)
    resumes = parks = 0
    while resumes < RESUMES // 3:
        first = longhand.chat(request(CHINESE, stream=True))
        got = b"".join(content(event) for event in read_until(first, has_content))
        job = job_id(first)
        first.close()
        is_over = False
        while not is_over:
            if chance.random() < 0.3:
                while longhand.call("GET", path_of(job)).json()["status"] in ("planning", "writing"):
                    pass
                parks += 1
            part, is_over = read_on(longhand, job, len(got), chance.randrange(2, 30))
            got += part
            resumes += 1
        assert got == text_of(longhand, job)
    assert parks > 2


def test_a_parked_text_that_nobody_wants_is_forgotten(backend, start):
    longhand = start(reader_grace_ms=0, park_ms=30)
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    answer.close()
    job = job_id(answer)
    while longhand.call("GET", path_of(job)).status != 404:
        pass
    assert longhand.call("GET", "/v1/longhand/jobs").json()["data"] == []


def test_a_reader_that_is_stuck_counts_as_gone(backend, start):
    longhand = start(stuck_ms=150, reader_grace_ms=10)
    backend.script(GATE)
    body = request(ARTICLE, stream=True)
    body["messages"].insert(0, {"role": "system", "content": "Be brief. " * 700_000})  # more than sockets hold
    first = longhand.chat(body)
    read_until(first, has_content)
    backend.wait(held=1)
    job = job_id(first)
    stuck = wire.connect(longhand.port, receive_buffer=4096)
    wire.send(stuck, "GET", path_of(job, "/events"))
    wire.Answer(stuck)  # its head, and then nothing more is taken
    first.close()
    wait_for(longhand, job, "parked")
    backend.wait(closed=1, open=0)
    assert "longhand_streams_open 0\n" in longhand.call("GET", "/metrics").raw_body.decode()
    stuck.close()
