"""A long answer is a job: it can be looked at, read and cancelled."""

import json

import pytest
from chat import Chunks, assert_error, has_content, read_until, request, stream

ARTICLE = "Write an article of 2,000 words about the history of tea."
MEMBERS = {"id", "object", "status", "model", "created", "target_words", "words", "section", "bytes", "waiting",
           "plan", "report", "error"}
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}


def job_of(longhand, answer, tail=""):
    """The answer to a GET of the job of a chat answer."""
    return longhand.call("GET", f"/v1/longhand/jobs/{answer.headers['x-longhand-job']}{tail}")


def test_a_job_while_it_is_written_and_after(backend, longhand):
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    now = job_of(longhand, answer)
    assert now.status == 200
    said = now.json()
    assert said["id"] == answer.headers["x-longhand-job"]
    assert set(said) == MEMBERS
    assert said["object"] == "longhand.job"
    assert said["status"] == "writing"
    assert said["model"] == "longhand"
    assert said["section"] in (1, 2)
    assert said["report"] is None
    assert said["target_words"] == 2000
    assert 0 < said["words"] < 2000
    assert len(said["plan"]["sections"]) >= 3
    backend.release("gate")
    answer.read()
    said = job_of(longhand, answer).json()
    assert said["status"] == "done"
    assert said["report"]["words"] == said["words"]
    assert said["bytes"] == len(job_of(longhand, answer, "/text").raw_body)
    assert said["error"] is None


def test_the_text_of_a_job_is_the_content_of_the_answer(longhand):
    got = stream(longhand, request(ARTICLE))
    text = job_of(longhand, got.answer, "/text")
    assert text.status == 200
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.raw_body.decode() == got.text


def test_cancel_keeps_the_text(backend, longhand):
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    job = answer.headers["x-longhand-job"]
    cancelled = longhand.call("POST", f"/v1/longhand/jobs/{job}/cancel")
    assert cancelled.status == 200, cancelled.raw_body
    backend.wait(closed=1, open=0)
    rest = answer.read()  # all of it, from the start
    assert answer.is_whole
    assert json.loads(longhand.call("GET", f"/v1/longhand/jobs/{job}").raw_body)["status"] == "cancelled"
    text = longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode()
    assert len(text.split()) > 20
    chunks = [json.loads(line[6:]) for line in rest.decode().splitlines() if line.startswith("data: {")]
    content = "".join(c["delta"].get("content") or "" for chunk in chunks for c in chunk.get("choices", []))
    assert content == text
    assert longhand.call("POST", f"/v1/longhand/jobs/{job}/cancel").status == 200, "twice does no harm"


@pytest.mark.parametrize("tail", ["", "/text"])
@pytest.mark.parametrize("job", ["0" * 32, "x", "..%2f..%2fetc"])
def test_an_unknown_job_is_404(longhand, job, tail):
    assert_error(longhand.ask("GET", f"/v1/longhand/jobs/{job}{tail}"), 404, code="job_not_found")
    assert_error(longhand.ask("POST", f"/v1/longhand/jobs/{job}/cancel"), 404, code="job_not_found")


def test_a_wrong_method_on_a_job_is_405(longhand):
    job = stream(longhand, request(ARTICLE)).answer.headers["x-longhand-job"]
    assert_error(longhand.ask("PUT", f"/v1/longhand/jobs/{job}"), 405)
    assert_error(longhand.ask("GET", f"/v1/longhand/jobs/{job}/cancel"), 405)
    assert_error(longhand.ask("POST", f"/v1/longhand/jobs/{job}/text"), 405)


def test_paths_of_ours_do_not_go_to_the_backend(backend, longhand):
    assert longhand.call("GET", "/v1/longhand/nothing").status == 404
    assert backend.requests() == []


def test_a_client_that_leaves_parks_the_job(backend, start):
    longhand = start(reader_grace_ms=20)
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, has_content)
    backend.wait(held=1)
    answer.close()
    backend.wait(closed=1, open=0)
    job = answer.headers["x-longhand-job"]
    status = "writing"
    while status == "writing":
        status = longhand.call("GET", f"/v1/longhand/jobs/{job}").json()["status"]
    assert status == "parked"
    text = longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode()
    assert len(text.split()) > 20


def test_a_job_to_keep_goes_on_without_its_client(backend, start):
    longhand = start(reader_grace_ms=20)
    backend.script(GATE)
    answer = longhand.chat(request(ARTICLE, stream=True, longhand={"keep": True}))
    read_until(answer, has_content)
    backend.wait(held=1)
    answer.close()
    backend.release("gate")
    status = "writing"
    while status == "writing":
        status = job_of(longhand, answer).json()["status"]
    assert status == "done"
    assert abs(job_of(longhand, answer).json()["words"] - 2000) <= 40


def test_retention_zero_keeps_nothing(start):
    longhand = start(retention_ms=0)
    got = stream(longhand, request(ARTICLE))
    assert got.is_done
    assert job_of(longhand, got.answer).status == 404


def test_many_jobs_at_once_do_not_mix(backend, longhand):
    subjects = ["honey", "granite", "lanterns", "orchards", "harbours", "thistles", "canyons", "velvet"]
    answers = [
        longhand.chat(request(f"Write an article of 1,200 words about {subject}.", stream=True))
        for subject in subjects
    ]
    assert len({a.headers["x-longhand-job"] for a in answers}) == len(subjects)
    for subject, answer in zip(subjects, answers, strict=True):
        got = Chunks(answer)
        assert got.is_done
        assert subject in got.text
        others = [s for s in subjects if s != subject and f" {s} " in got.text]
        assert others == []
