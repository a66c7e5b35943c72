"""Many things going wrong at once and at odd moments: every text is whole, nothing is left behind."""

import random
import re
import threading

import pytest
import wire
from backend_prose import count_words
from chat import Chunks, has_content, request, stream

PROMPT = "Write an article of 1,200 words about {}."
SUBJECTS = ["honey", "granite", "lanterns", "orchards", "harbours", "thistles", "canyons", "velvet", "rivers", "salt"]


def assert_whole(got):
    """The text has its length, its end, and says nothing twice."""
    plain = re.sub(r"^#+ .*$", "", got.text, flags=re.MULTILINE)
    assert abs(count_words(got.text) - 1200) <= 24
    assert got.finish == "stop"
    sentences = re.findall(r"[^.]{20,}\.", plain)
    assert len(set(sentences)) == len(sentences)
    assert plain.rstrip().endswith(".")


def assert_idle(backend, longhand, files):
    """Nothing is open any more, on either side."""
    backend.wait(open=0)
    assert longhand.open_files() <= files + 2


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_break_at_any_byte(backend, start, how):
    """Odd steps, so that breaks fall into HTTP framing, JSON, UTF-8 and words alike."""
    longhand = start(breaker_failures=0)
    for at_byte in range(0, 40000, 1777):
        backend.script({"role": "write", "role_calls": [2], "words_per_chunk": 1, "split": 97,
                        "faults": [{"how": how, "at_byte": at_byte, "of": "wire"}]})
        assert_whole(stream(longhand, request(PROMPT.format("tea"), seed=at_byte)))
        assert backend.wait(open=0)["failed"] == 1


def test_a_storm_of_failures(backend, start):
    longhand = start(breaker_failures=0, retry_tries=8)
    files = longhand.open_files()
    dice = random.Random(7)
    rules = []
    for _ in range(60):
        call = {"role": "write", "role_calls": [dice.randrange(1, 120)]}
        rules.append({**call, **dice.choice([
            {"status": 500}, {"status": 429}, {"status": 503},
            {"words_per_chunk": 1, "faults": [{"how": "reset", "at_byte": dice.randrange(60000)}]},
            {"words_per_chunk": 1, "faults": [{"how": "close", "at_byte": dice.randrange(60000)}]},
            {"error_after": dice.randrange(200)}, {"no_finish": True, "no_done": True, "stop_after": 80},
            {"split": 5}, {"crlf": True, "comments": True}, {"loop_after": 90}, {"cut": True},
            {"opening": "Sure, here is the section:\n\n"}, {"refuse": True}, {"stop_after": 20}, {"text": ""},
        ])})
    backend.script(*rules, factor=[0.5, 1.6])
    answers = [longhand.chat(request(PROMPT.format(subject), stream=True, seed=n))
               for n, subject in enumerate(SUBJECTS * 3)]
    for answer in answers:
        assert_whole(Chunks(answer))
        answer.close()
    used = {r["rule"] for r in backend.requests() if r["rule"] is not None}
    assert len(used) >= 20
    assert_idle(backend, longhand, files + 60)


def test_clients_that_leave_at_any_moment(backend, start):
    longhand = start(reader_grace_ms=5, json_grace_ms=5)
    stream(longhand, request(PROMPT.format("tea"))).answer.close()
    files = longhand.open_files()
    dice = random.Random(3)
    backend.script(chunk_ms=1)

    def come_and_go(number):
        body = request(PROMPT.format(SUBJECTS[number % 10]), stream=number % 3 > 0, seed=number)
        sock = wire.connect(longhand.port)
        wire.send(sock, "POST", "/v1/chat/completions", body)
        if number % 3 == 2:
            answer = wire.Answer(sock)
            for event, _ in zip(answer.events(), range(dice.randrange(60)), strict=False):
                assert event is not None
        sock.close()

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert backend.wait(open=0)["closed"] >= 10
    backend.reset()
    got = stream(longhand, request(PROMPT.format("tea")))
    got.answer.close()
    assert_whole(got)
    assert_idle(backend, longhand, files + 60)


@pytest.mark.parametrize("moment", [0, 1, 2, 5, 20])
def test_sigterm_at_any_moment(backend, start, moment):
    longhand = start(shutdown_grace_ms=50)
    backend.script(chunk_ms=2)
    answers = [longhand.chat(request(PROMPT.format(subject), "scripted-model", stream=True, longhand=options))
               for subject in SUBJECTS[:4] for options in (None, {"mode": "off"})]
    events = answers[-2].events()
    for _ in range(moment):
        next(events)
    longhand.terminate()
    for answer in answers:
        body = answer.read()
        assert not answer.is_whole or b"[DONE]" in body or b'data: {"error"' in body
    assert longhand.wait() == 0


def test_cancelling_at_any_moment(backend, longhand):
    backend.script(chunk_ms=1)
    for moment in range(0, 60, 7):
        answer = longhand.chat(request(PROMPT.format("tea"), stream=True, seed=moment))
        job = answer.headers["x-longhand-job"]
        seen = 0
        for event in answer.events():
            seen += has_content(event)
            if seen >= moment:
                break
        assert longhand.call("POST", f"/v1/longhand/jobs/{job}/cancel").status == 200
        answer.read()
        assert answer.is_whole
        assert longhand.call("GET", f"/v1/longhand/jobs/{job}").json()["status"] in ("cancelled", "done")
        answer.close()
    backend.wait(open=0)
