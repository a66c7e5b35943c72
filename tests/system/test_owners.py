"""Named keys: who may ask, whose a text is, and how much of it one owner may have."""

import hashlib
import random
import re
import subprocess

import pytest
from chat import Chunks, assert_error, has_content, read_until, request
from daemon import BINARY, ROOT

ARTICLE = "Write an article of 2,000 words about the history of tea."
ALICE, BOB = "sk-alice-0001", "sk-bob-0002"
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 600, "name": "gate"}]}
TRIES = 200


def as_(key, **more):
    """The headers of an owner."""
    return {"Authorization": f"Bearer {key}", **more}


def sha256(key):
    """A key as the configuration has it."""
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture(name="start_owned")
def fixture_start_owned(start, tmp_path):
    """A function that starts longhandd with Alice's and Bob's keys and more of the file."""

    def start_owned(more="", **settings):
        path = tmp_path / "longhand.yaml"
        path.write_text(f"keys:\n  alice: {{hash: {sha256(ALICE)}}}\n  bob: {{hash: {sha256(BOB)}}}\n{more}")
        return start("--config", str(path), **settings)

    return start_owned


def write(longhand, key, **headers):
    """The id of a text that was written for an owner."""
    answer = longhand.chat(request(ARTICLE), as_(key, **headers))
    assert answer.status == 200, answer.read()
    answer.read()
    answer.close()
    return answer.headers["x-longhand-job"]


def listed(longhand, key, **headers):
    """The ids of an owner's jobs."""
    got = longhand.call("GET", "/v1/longhand/jobs", headers=as_(key, **headers))
    assert got.status == 200
    return [job["id"] for job in got.json()["data"]]


def test_the_hash_of_a_key_is_printed():
    made = subprocess.run([BINARY, "--hash-key"], input=ALICE + "\n", capture_output=True, text=True, check=True)
    assert made.stdout == sha256(ALICE) + "\n"
    for bad in ("", "\n", "two words\n", "k" * 600):
        made = subprocess.run([BINARY, "--hash-key"], input=bad, capture_output=True, text=True, check=False)
        assert made.returncode == 1
        assert made.stdout == ""


@pytest.mark.parametrize("path", ["/v1/models", "/v1/longhand/jobs", "/v1/embeddings", "/v1/chat/completions", "/v1"])
@pytest.mark.parametrize("headers", [{}, as_("wrong"), {"Authorization": ALICE}, {"x-api-key": ALICE}])
def test_without_a_key_there_is_nothing(start_owned, backend, path, headers):
    longhand = start_owned()
    answer = longhand.ask("POST", path, request("Hello", model="scripted"), headers)
    assert_error(answer, 401, "invalid_request_error", None, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert backend.requests() == []
    assert longhand.call("GET", "/readyz").status == 200


def test_our_keys_stay_here(start_owned, backend):
    longhand = start_owned()
    sent = as_(ALICE, **{"X-Api-Key": ALICE})
    assert longhand.chat(request("Hello", model="scripted"), sent).status == 200
    assert longhand.call("GET", "/v1/files", headers=sent).status in (200, 404)
    assert longhand.call("GET", "/v1/models", headers=sent).status == 200
    write(longhand, ALICE)
    seen = backend.requests()
    assert len(seen) > 4
    assert ALICE not in str(seen)


def test_the_backends_key_is_sent_in_place_of_ours(start, backend, tmp_path):
    path = tmp_path / "longhand.yaml"
    path.write_text(f"keys:\n  alice: {{hash: {sha256(ALICE)}}}\n")
    longhand = start("--config", str(path), env={"THEIRS": "sk-backend", "LONGHAND_BACKEND_KEY_ENV": "THEIRS"})
    assert longhand.chat(request("Hello", model="scripted"), as_(ALICE)).status == 200
    write(longhand, ALICE)
    seen = [r for r in backend.requests() if r["call"]]
    assert seen
    assert all(r["headers"].get("authorization") == "Bearer sk-backend" for r in seen)


# What else a request may have that says which job is meant.
CURIOUS = [{}, {"Last-Event-ID": "0-0"}, {"Idempotency-Key": "k"}, {"x-stainless-retry-count": "1"}]


def strangers():
    """Everybody who is not Alice, as headers."""
    return [
        as_(BOB),
        as_(BOB, **{"X-User": "alice"}),
        as_(BOB, **{"X-User": "../alice"}),
        as_(ALICE, **{"X-User": "mallory"}),
        as_("alice"),
        as_(sha256(ALICE)),
        {"X-User": "alice"},
        {},
    ]


# Every path that a job has, and some that look like one.
PATHS = ["", "/text", "/cancel", "/chat", "/events", "/", "/chat?offset=0", "?owner=alice", "/text?key=" + ALICE, "/../", "/%2e/text"]
# The same of a job that is asked for as a response.
RESPONSE_PATHS = ["", "/cancel", "/input_items", "?stream=true", "?stream=true&starting_after=1", "/", "/text", "/../"]
METHODS = ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]


def urls(job):
    """Every method of every path."""
    jobs = [f"/v1/longhand/jobs/{job}{path}" for path in PATHS]
    responses = [f"/v1/responses/resp_{job}{path}" for path in RESPONSE_PATHS]
    return [(method, url) for url in jobs + responses for method in METHODS]


@pytest.mark.parametrize(("source", "paths"), [("jobs.c", PATHS), ("responses_stored.c", RESPONSE_PATHS)])
def test_every_path_of_a_job_is_among_them(source, paths):
    """By the table that answers them."""
    table = (ROOT / "server/api" / source).read_text().split("} paths[] = {")[1].split("};")[0]
    rows = re.findall(r'\{ "/?(\w*)", "/?(\w*)", JOB_\w+ \}', table)
    assert len(rows) == table.count("JOB_") > 5
    for row in rows:
        what, method = row if row[1] in METHODS else row[::-1]
        assert (f"/{what}" if what else "") in paths
        assert method in METHODS


def test_a_job_is_never_readable_by_another(start_owned, backend):
    longhand = start_owned("user_header: X-User\n")
    done = write(longhand, ALICE)
    backend.script(GATE)
    running = longhand.chat(request(ARTICLE, stream=True), as_(ALICE))
    read_until(running, has_content)
    backend.wait(held=1)
    jobs = [done, running.headers["x-longhand-job"]]
    dice = random.Random(4)
    text = longhand.call("GET", f"/v1/longhand/jobs/{done}/text", headers=as_(ALICE)).raw_body
    assert len(text) > 5000
    for _ in range(TRIES):
        for method, url in urls(dice.choice(jobs)):
            headers = {**dice.choice(strangers()), **dice.choice(CURIOUS)}
            got = longhand.call(method, url, headers=headers)
            assert got.status in (401, 404, 405), (method, url, headers, got.raw_body)
            if method != "HEAD" and (got.status == 401 or url.startswith("/v1/longhand/")):
                assert got.json()["error"]["code"] in ("invalid_api_key", "job_not_found", "method_not_allowed", "not_found")
            assert text[:40] not in got.raw_body
            assert "x-longhand-job" not in got.headers
    assert listed(longhand, BOB) == []
    assert listed(longhand, ALICE) == jobs[::-1]
    status = longhand.call("GET", f"/v1/longhand/jobs/{jobs[1]}", headers=as_(ALICE)).json()["status"]
    assert status == "writing", "nobody else could cancel it"
    backend.release("gate")
    assert Chunks(running).is_done


def test_a_stranger_builds_on_no_response_of_anothers(start_owned, backend):
    longhand = start_owned()
    first = longhand.call("POST", "/v1/responses", {"model": "longhand", "input": ARTICLE}, as_(ALICE)).json()
    before = len(backend.requests())
    body = {"model": "longhand", "input": ARTICLE, "previous_response_id": first["id"]}
    assert_error(longhand.ask("POST", "/v1/responses", body, as_(BOB)), 404, code="previous_response_not_found")
    assert len(backend.requests()) == before
    assert longhand.call("POST", "/v1/responses", body, as_(ALICE)).status == 200


def test_a_request_of_a_stranger_takes_up_no_job_of_anothers(start_owned):
    """The same key and body, and a retry: for Alice the job that is there, for Bob a new one."""
    longhand = start_owned()
    job = write(longhand, ALICE, **{"Idempotency-Key": "k"})
    again = {"Idempotency-Key": "k", "x-stainless-retry-count": "1"}
    assert write(longhand, ALICE, **again) == job
    theirs = write(longhand, BOB, **again)
    assert theirs != job
    assert (listed(longhand, ALICE), listed(longhand, BOB)) == ([job], [theirs])


def test_a_stranger_hears_what_he_would_hear_of_nothing(start_owned):
    longhand = start_owned()
    job = write(longhand, ALICE)
    for tail in ("", "/text"):
        theirs = longhand.call("GET", f"/v1/longhand/jobs/{job}{tail}", headers=as_(BOB))
        nothing = longhand.call("GET", f"/v1/longhand/jobs/{'0' * 32}{tail}", headers=as_(BOB))
        assert theirs.status == nothing.status == 404
        assert theirs.raw_body.replace(job.encode(), b"0" * 32) == nothing.raw_body


def test_users_of_a_front_end_are_owners(start_owned):
    longhand = start_owned("user_header: X-User\n")
    job = write(longhand, BOB, **{"X-User": "carol"})
    assert listed(longhand, BOB, **{"X-User": "carol"}) == [job]
    assert listed(longhand, BOB) == []
    assert listed(longhand, BOB, **{"X-User": "dave"}) == []
    assert listed(longhand, ALICE, **{"X-User": "carol"}) == []


def test_a_user_header_alone_where_it_is_trusted(start):
    longhand = start(user_header="X-User", trust_user_header="true")
    job = write(longhand, "any", **{"X-User": "carol"})
    assert listed(longhand, "any", **{"X-User": "carol"}) == [job]
    assert listed(longhand, "any") == []


def test_words_of_a_day(start_owned):
    longhand = start_owned("words_per_day: 3000\n")
    write(longhand, ALICE)
    answer = longhand.chat(request(ARTICLE), as_(ALICE))
    assert_error(answer, 429, "requests", None, "words_per_day_reached")
    assert answer.headers["x-should-retry"] == "false"
    assert 0 < int(answer.headers["retry-after"]) <= 86400
    write(longhand, BOB)


def test_so_many_texts_at_once(start_owned, backend):
    longhand = start_owned("max_jobs_per_owner: 1\n")
    backend.script(GATE)
    running = longhand.chat(request(ARTICLE, stream=True), as_(ALICE))
    read_until(running, has_content)
    backend.wait(held=1)
    answer = longhand.chat(request(ARTICLE), as_(ALICE))
    assert "max_jobs_per_owner" in assert_error(answer, 429, "requests", None, "too_many_jobs")["message"]
    write(longhand, BOB)
    backend.release("gate")
    assert Chunks(running).is_done
    write(longhand, ALICE)


@pytest.mark.parametrize("is_stream", [False, True])
def test_nothing_is_kept_where_nothing_is_to_be(start_owned, is_stream):
    longhand = start_owned(retention_ms=0)
    answer = longhand.chat(request(ARTICLE, stream=is_stream), as_(ALICE))
    answer.read()
    answer.close()
    job = answer.headers["x-longhand-job"]
    while "longhand_jobs_kept 0" not in longhand.call("GET", "/metrics").raw_body.decode():
        pass
    assert longhand.call("GET", f"/v1/longhand/jobs/{job}", headers=as_(ALICE)).status == 404
    assert longhand.call("GET", f"/v1/longhand/jobs/{job}/text", headers=as_(ALICE)).status == 404
    assert listed(longhand, ALICE) == []


def test_no_key_is_logged(start_owned):
    longhand = start_owned("log_level: debug\n")
    write(longhand, ALICE)
    longhand.call("GET", "/v1/models", headers=as_("sk-wrong-and-secret"))
    assert longhand.process.poll() is None
    for secret in (ALICE, "sk-wrong-and-secret", sha256(ALICE)):
        assert secret not in longhand.log()
