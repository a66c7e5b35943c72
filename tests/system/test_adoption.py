"""A request that comes again takes up the job it began, by two rules and no others."""

import pytest
from chat import Chunks, assert_error, has_content, read_until, request, stream, wire

ARTICLE = "Write an article of 2,000 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
RETRY = {"x-stainless-retry-count": "1"}
BODY = request(ARTICLE, stream=True)


def job_id(answer):
    """The job of a long answer."""
    return answer.headers["x-longhand-job"]


def leave_early(backend, longhand, headers=None):
    """Asks, reads some content and leaves; the job's id."""
    backend.script(GATE)
    answer = longhand.chat(BODY, headers)
    read_until(answer, has_content)
    backend.wait(held=1)
    answer.close()
    backend.wait(closed=1, open=0)
    return job_id(answer)


def test_a_retry_goes_on_with_the_job_it_began(backend, start):
    longhand = start(reader_grace_ms=10)
    job = leave_early(backend, longhand)
    got = stream(longhand, BODY, RETRY)
    assert job_id(got.answer) == job
    assert got.is_done
    assert got.text.encode() == longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body
    assert abs(got.report["words"] - 2000) <= 40


def test_the_same_key_gets_the_same_job_whole_or_running(backend, longhand):
    key = {"Idempotency-Key": "abc"}
    backend.script(GATE)
    first = longhand.chat(BODY, key)
    read_until(first, has_content)
    backend.wait(held=1)
    second = longhand.chat(BODY, key)  # also while the first is read
    backend.release("gate")
    assert job_id(second) == job_id(first)
    text = Chunks(second).text
    first.read()
    calls = len(backend.requests())
    assert stream(longhand, BODY, key).text == text
    assert len(backend.requests()) == calls
    other = longhand.chat(request(ARTICLE + " Please.", stream=True), key)
    assert_error(other, 422, code="idempotency_key_reused")
    assert job_id(stream(longhand, BODY, {"Idempotency-Key": "abd"}).answer) != job_id(first)


@pytest.mark.parametrize("headers", [None, {"x-stainless-retry-count": "0"}, {"x-stainless-retry-count": "x"}])
def test_who_asks_again_gets_a_text_of_their_own(longhand, headers):
    first = stream(longhand, BODY)
    assert job_id(stream(longhand, BODY, headers).answer) != job_id(first.answer)


def test_another_body_or_header_is_another_request(backend, start):
    longhand = start(reader_grace_ms=10)
    job = leave_early(backend, longhand)
    backend.script()
    assert job_id(stream(longhand, request(ARTICLE + " "), RETRY).answer) != job
    assert job_id(stream(longhand, BODY, {**RETRY, "X-Longhand-Headings": "none"}).answer) != job


def test_a_job_that_is_read_is_nobody_elses(backend, longhand):
    backend.script(GATE)
    first = longhand.chat(BODY)
    read_until(first, has_content)
    backend.wait(held=1)
    second = longhand.chat(BODY, RETRY)
    assert job_id(second) != job_id(first)
    backend.release("gate")
    assert Chunks(second).is_done
    first.read()


def test_a_text_that_nobody_got_is_not_written_twice(backend, longhand):
    backend.script(GATE)
    sock = wire.connect(longhand.port)
    wire.send(sock, "POST", "/v1/chat/completions", request(ARTICLE))
    backend.wait(held=1)
    sock.close()  # json_grace_ms lets it be written on
    while "longhand_clients_gone_total 1\n" not in longhand.call("GET", "/metrics").raw_body.decode():
        pass
    backend.release("gate")
    while (job := longhand.call("GET", "/v1/longhand/jobs").json()["data"][0])["status"] != "done":
        assert job["status"] in ("planning", "writing")
    calls = len(backend.requests())
    again = longhand.chat(request(ARTICLE))
    assert again.status == 200
    assert job_id(again) == job["id"]
    text = again.json()["choices"][0]["message"]["content"]
    assert text.encode() == longhand.call("GET", f"/v1/longhand/jobs/{job['id']}/text").raw_body
    assert len(backend.requests()) == calls
    assert job_id(longhand.chat(request(ARTICLE))) != job["id"], "now it was delivered"


def test_a_job_that_failed_is_asked_for_anew(backend, longhand):
    backend.script({"role": "plan", "status": 400, "times": 2})
    key = {"Idempotency-Key": "k", **RETRY}
    first = longhand.chat(request(ARTICLE), key)
    assert first.status >= 400, first.read()
    first.read()
    second = longhand.chat(request(ARTICLE), key)
    assert second.status == 200
    assert job_id(second) != first.headers.get("x-longhand-job")
