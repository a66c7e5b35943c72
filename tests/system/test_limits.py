"""Backends with limits, and several backends of one model: who waits, who sees it, who stands in."""

import concurrent.futures
import re
import signal

import pytest
from backend_prose import count_words
from chat import Chunks, assert_error, has_content, read_until, request, stream, wire
from scripted import ScriptedBackend

ARTICLE = "Write an article of 2,000 words about the history of tea."
SAY = "Say 30 words."
GATE = {"faults": [{"how": "hold", "at_byte": 0, "of": "wire", "name": "gate"}]}


@pytest.fixture(scope="module", name="second_program")
def fixture_second_program():
    """A second scripted backend."""
    program = ScriptedBackend()
    yield program
    program.stop()


@pytest.fixture(name="second")
def fixture_second(second_program):
    """The second scripted backend, as after its start."""
    second_program.reset()
    return second_program


@pytest.fixture(name="limited")
def fixture_limited(start, backend, tmp_path):
    """A function that starts longhandd with limits of its one backend."""
    def start_limited(limits, **settings):
        path = tmp_path / "longhand.yaml"
        path.write_text(f"backends:\n  default: {{url: '{backend.url}', model: scripted-model, {limits}}}\n")
        return start("--config", str(path), backend_url="", **settings)
    return start_limited


@pytest.fixture(name="paired")
def fixture_paired(start, tmp_path):
    """A function that starts longhandd in front of two backends that both have the model."""
    def start_paired(first_url, second_url, **settings):
        path = tmp_path / "longhand.yaml"
        path.write_text(
            "backends:\n"
            f"  default: {{url: '{first_url}', model: scripted-model}}\n"
            f"  other: {{url: '{second_url}', models: {{scripted-model: its-own-name}}}}\n"
        )
        return start("--config", str(path), backend_url="", **settings)
    return start_paired


def metric(longhand, name):
    """The value of a series."""
    text = longhand.call("GET", "/metrics").raw_body.decode()
    return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.MULTILINE).group(1))


def wait_metric(longhand, name, value):
    """Asks until a series has the value; the test's time limit ends it."""
    while metric(longhand, name) != value:
        pass


def waiting(purpose):
    """The gauge of those who wait."""
    return f'longhand_calls_waiting{{purpose="{purpose}"}}'


class Asked:
    """A request that has been sent; nobody reads its answer yet."""

    def __init__(self, longhand, body):
        self.sock = wire.connect(longhand.port)
        wire.send(self.sock, "POST", "/v1/chat/completions", body)

    def answer(self):
        """The answer, its body still to be read."""
        return wire.Answer(self.sock, "POST")

    def leave(self):
        """Closes the connection."""
        self.sock.close()


def ask_to_say(longhand):
    """A request that passes through, sent."""
    return Asked(longhand, request(SAY, "scripted-model"))


def say(longhand, headers=None):
    """A request that passes through, answered."""
    return longhand.call("POST", "/v1/chat/completions", request(SAY, "scripted-model"), headers)


def assert_fine(got):
    """The text is whole and of its length."""
    assert abs(count_words(got.text) - 2000) <= 40
    assert got.finish == "stop"
    assert got.is_done
    sentences = re.findall(r"[^.]{20,}\.", re.sub(r"^#+ .*$", "", got.text, flags=re.MULTILINE))
    assert len(set(sentences)) == len(sentences), "nothing is said twice"


def closed_port_url():
    """Where nobody listens."""
    program = ScriptedBackend()
    program.stop()
    return program.url


# --- limits ---


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_backend_never_sees_more_than_its_limit(backend, limited, at_once):
    longhand = limited(f"max_in_flight: {at_once}", limit_wait_ms=60000)
    backend.script(chunk_ms=1)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        texts = [pool.submit(stream, longhand, request(ARTICLE)) for _ in range(4)]
        said = [pool.submit(say, longhand) for _ in range(24)]
        for text in texts:
            assert_fine(text.result())
        assert {answer.result().status for answer in said} == {200}
    counts = backend.wait(requests=28)
    assert counts["most_open"] == at_once
    assert metric(longhand, waiting("job")) == metric(longhand, waiting("passthrough")) == 0


def test_long_texts_leave_room_for_what_passes(backend, limited):
    longhand = limited("max_in_flight: 3, jobs_in_flight: 2", limit_wait_ms=60000)
    backend.script({"role": "plan", **GATE})
    texts = [Asked(longhand, request(ARTICLE, stream=True)) for _ in range(4)]
    backend.wait(held=2)
    wait_metric(longhand, waiting("job"), 2)
    assert say(longhand).status == 200
    backend.release("gate")
    for text in texts:
        assert_fine(Chunks(text.answer()))
    assert backend.wait(requests=1)["most_open"] == 3


def test_what_passes_goes_before_long_texts_that_wait(backend, limited):
    longhand = limited("max_in_flight: 1", limit_wait_ms=60000)
    backend.script({"calls": [1], **GATE})
    texts = [Asked(longhand, request(ARTICLE, stream=True))]
    backend.wait(held=1)
    texts += [Asked(longhand, request(ARTICLE, stream=True)) for _ in range(3)]
    wait_metric(longhand, waiting("job"), 3)
    passing = ask_to_say(longhand)
    wait_metric(longhand, waiting("passthrough"), 1)
    backend.release("gate")
    passing.answer().read()
    for text in texts:
        assert_fine(Chunks(text.answer()))
    roles = [call["role"] for call in backend.requests()]
    assert roles[:2] == ["plan", "chat"], "three long texts came before it"
    assert roles.count("chat") == 1


def test_no_room_in_time_is_a_429(backend, limited):
    longhand = limited("max_in_flight: 1", limit_wait_ms=50)
    backend.script({"calls": [1], **GATE})
    first = ask_to_say(longhand)
    backend.wait(held=1)
    refused = longhand.chat(request(SAY, "scripted-model"))
    assert 1 <= int(refused.headers["retry-after"]) <= 59
    assert_error(refused, 429, "requests", code="backend_limit")
    assert longhand.call("GET", "/v1/models").status == 200, "no work for a model"
    backend.release("gate")
    assert first.answer().read()
    assert say(longhand).status == 200
    assert metric(longhand, "longhand_calls_limited_total") == 1


@pytest.mark.parametrize("limits", ["requests_per_minute: 2", "tokens_per_minute: 2500"])
def test_what_a_minute_has_no_room_for_is_a_429_at_once(backend, limited, limits):
    longhand = limited(limits, limit_wait_ms=10000)
    backend.script(usage="never")
    assert [say(longhand).status for _ in range(2)] == [200, 200]
    refused = longhand.chat(request(SAY, "scripted-model"))
    assert 40 <= int(refused.headers["retry-after"]) <= 59
    assert_error(refused, 429, "requests", code="backend_limit")
    assert len(backend.requests()) == 2


def test_tokens_are_put_right_by_what_was_used(backend, limited):
    longhand = limited("tokens_per_minute: 3000")
    backend.script(usage="always")
    # each is estimated at more than 1,000 and uses less than 100
    assert [say(longhand).status for _ in range(8)] == [200] * 8
    assert len(backend.requests()) == 8


HEADERS = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "28s"}


@pytest.mark.parametrize(("told", "status", "wait_s"), [
    ({"status": 429, "retry_after": 28}, 429, 28),
    ({"status": 503, "retry_after": 28}, 503, 28),
    ({"headers": HEADERS}, 200, 28),
    ({"headers": {**HEADERS, "x-ratelimit-reset-requests": "6m0s"}}, 200, 59),
    ({"headers": {"x-ratelimit-remaining-tokens": "50", "x-ratelimit-reset-tokens": "28.5s"}}, 200, 29),
])
def test_what_the_backend_says_of_its_limits_is_obeyed(backend, limited, told, status, wait_s):
    longhand = limited("tokens_per_minute: 1000000")
    backend.script({"calls": [1], **told})
    assert say(longhand).status == status
    refused = longhand.chat(request(SAY, "scripted-model"))
    assert wait_s - 5 <= int(refused.headers["retry-after"]) <= wait_s
    assert_error(refused, 429, code="backend_limit")
    assert len(backend.requests()) == 1


def test_the_limits_of_a_clients_own_key_are_its_own(backend, limited):
    longhand = limited("max_in_flight: 0")
    backend.script({"calls": [1], "headers": HEADERS})
    for key in ("alice", "bob"):
        assert say(longhand, {"Authorization": f"Bearer {key}"}).status == 200


def test_a_reader_sees_what_its_text_waits_for(backend, limited):
    longhand = limited("max_in_flight: 1", heartbeat_ms=30, first_status_ms=50)
    backend.script({"calls": [1], **GATE})
    passing = ask_to_say(longhand)
    backend.wait(held=1)
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, lambda event: event.comment == "waiting for backend_limit")
    path = f"/v1/longhand/jobs/{answer.headers['x-longhand-job']}"
    seen = longhand.call("GET", path).json()["waiting"]
    assert seen["for"] == "backend_limit"
    assert 0 <= seen["since_s"] < 60
    assert metric(longhand, waiting("job")) == 1
    assert metric(longhand, "longhand_upstream_open") == 1, "who waits is not there yet"
    backend.release("gate")
    passing.answer().read()
    assert_fine(Chunks(answer))
    assert longhand.call("GET", path).json()["waiting"] is None
    assert metric(longhand, waiting("job")) == 0


def test_a_reader_sees_that_a_call_is_made_again(backend, start):
    longhand = start(heartbeat_ms=30, retry_base_ms=2000, retry_cap_ms=2000)
    backend.script({"role": "write", "role_calls": [2], "status": 500})
    answer = longhand.chat(request(ARTICLE, stream=True))
    read_until(answer, lambda event: event.comment == "waiting for backend_retry")
    job = longhand.call("GET", f"/v1/longhand/jobs/{answer.headers['x-longhand-job']}").json()
    assert job["waiting"]["for"] == "backend_retry"
    assert metric(longhand, waiting("job")) == 1
    assert Chunks(answer).is_done


def test_who_leaves_while_waiting_takes_no_place(backend, limited):
    longhand = limited("max_in_flight: 1", limit_wait_ms=60000, reader_grace_ms=0)
    backend.script({"calls": [1], **GATE})
    first = ask_to_say(longhand)
    backend.wait(held=1)
    second = ask_to_say(longhand)
    wait_metric(longhand, waiting("passthrough"), 1)
    third = Asked(longhand, request(ARTICLE, stream=True))
    wait_metric(longhand, waiting("job"), 1)
    second.leave()
    third.leave()
    wait_metric(longhand, waiting("passthrough"), 0)
    wait_metric(longhand, waiting("job"), 0)
    backend.release("gate")
    assert first.answer().read()
    assert say(longhand).status == 200
    assert len(backend.requests()) == 2


# --- two backends of one model ---


def test_a_dead_backend_is_stood_in_for(second, paired):
    longhand = paired(closed_port_url(), second.url)
    for _ in range(8):
        assert say(longhand).status == 200
    assert_fine(stream(longhand, request(ARTICLE)))
    assert_fine(stream(longhand, request(ARTICLE, "scripted-model")))
    assert {body["model"] for body in second.bodies()} == {"its-own-name"}
    assert metric(longhand, "longhand_upstream_failovers_total") > 0


def test_while_all_is_well_the_first_backend_takes_all(backend, second, paired):
    longhand = paired(backend.url, second.url)
    backend.script(factor=1.6)  # we end most of the sections
    assert_fine(stream(longhand, request(ARTICLE)))
    assert say(longhand).status == 200
    assert not second.requests()


@pytest.mark.parametrize("status", [429, 503])
def test_a_backend_that_asks_to_wait_is_stood_in_for(backend, second, paired, status):
    longhand = paired(backend.url, second.url)
    backend.script(status=status, retry_after=30)
    assert [say(longhand).status for _ in range(4)] == [200] * 4
    assert len(backend.requests()) == 1, "it asked to wait"
    assert_fine(stream(longhand, request(ARTICLE)))
    assert len(backend.requests()) == 1
    second.script(status=503)
    assert say(longhand).status == 503


def test_a_backend_at_its_limit_is_stood_in_for(backend, second, start, tmp_path):
    path = tmp_path / "longhand.yaml"
    path.write_text(f"backends:\n  default: {{url: '{backend.url}', model: scripted-model, max_in_flight: 1}}\n"
                    f"  other: {{url: '{second.url}', max_in_flight: 1}}\n")
    longhand = start("--config", str(path), backend_url="", limit_wait_ms=60000)
    assert longhand.call("GET", "/v1/models").status == 200  # now it is known that both have it
    backend.script(GATE)
    second.script(GATE)
    asked = [ask_to_say(longhand) for _ in range(2)]
    backend.wait(held=1)
    second.wait(held=1)
    backend.release("gate")
    second.release("gate")
    for each in asked:
        assert b"choices" in each.answer().read()
    assert backend.wait(open=0)["most_open"] == second.wait(open=0)["most_open"] == 1


def test_a_text_goes_on_elsewhere_when_its_backend_dies(second, paired):
    dying = ScriptedBackend()
    longhand = paired(dying.url, second.url)
    try:
        dying.script({"role": "write", "role_calls": [3],
                      "faults": [{"how": "hold", "at_byte": 20000, "name": "gate"}]}, words_per_chunk=1)
        answer = longhand.chat(request(ARTICLE, stream=True))
        read_until(answer, has_content)
        dying.wait(held=1)
    finally:
        dying.stop()
    got = Chunks(answer)
    assert got.finish == "stop"
    assert got.is_done
    assert abs(got.report["words"] - 2000) <= 40
    assert second.bodies("write")


def test_a_text_does_not_insist_on_a_backend_that_breaks_off(backend, second, paired):
    longhand = paired(backend.url, second.url, retry_tries=3, breaker_failures=0)
    backend.script({"role": "write", "faults": [{"how": "reset", "at_byte": 700}]}, words_per_chunk=1)
    assert_fine(stream(longhand, request(ARTICLE)))
    assert second.bodies("write")


@pytest.mark.parametrize("at_byte", [0, 400])
def test_what_may_have_been_begun_is_not_sent_again(backend, second, paired, at_byte):
    longhand = paired(backend.url, second.url)
    backend.script(faults=[{"how": "reset", "at_byte": at_byte, "of": "wire"}])
    answer = longhand.chat(request(SAY, "scripted-model", stream=True))
    if at_byte == 0:
        assert_error(answer, 502, code="backend_unavailable")
    else:
        assert b"[DONE]" not in answer.read()
    for status in (500, 502, 504):
        backend.script(status=status)
        assert say(longhand).status == status
    assert not second.requests()


def test_with_all_backends_left_alone_a_long_request_fails_at_once(paired):
    longhand = paired(closed_port_url(), closed_port_url(), breaker_failures=2, breaker_open_ms=50000, retry_tries=3)
    assert_error(longhand.chat(request(ARTICLE, stream=True)), 503, code="backend_busy")
    for is_stream in (True, False):
        refused = longhand.chat(request(ARTICLE, stream=is_stream))
        assert 30 <= int(refused.headers["retry-after"]) <= 50
        assert_error(refused, 503, "server_error", code="backend_busy")
    assert longhand.call("GET", "/v1/longhand/jobs").json()["data"][0]["status"] == "failed"


def test_a_running_text_waits_for_its_backend_to_come_back(start):
    mortal = ScriptedBackend()
    longhand = start(backend_url=mortal.url, heartbeat_ms=30, breaker_failures=1, breaker_open_ms=1500)
    try:
        mortal.script({"role": "write", "role_calls": [3], **GATE})
        answer = longhand.chat(request(ARTICLE, stream=True))
        mortal.wait(held=1)
        mortal.stop()
        read_until(answer, lambda event: event.comment == "waiting for backend_breaker")
        job = longhand.call("GET", f"/v1/longhand/jobs/{answer.headers['x-longhand-job']}").json()
        assert job["waiting"]["for"] == "backend_breaker"
        assert metric(longhand, waiting("job")) == 1
        mortal = ScriptedBackend("--port", str(mortal.port))
        got = Chunks(answer)
        assert got.finish == "stop"
        assert abs(got.report["words"] - 2000) <= 40
    finally:
        mortal.stop()


def test_a_second_sigterm_does_not_wait_for_those_who_wait(backend, limited):
    longhand = limited("max_in_flight: 1", limit_wait_ms=60000, shutdown_grace_ms=600000)
    backend.script({"calls": [1], **GATE})
    asked = [ask_to_say(longhand)]
    backend.wait(held=1)
    asked += [ask_to_say(longhand), Asked(longhand, request(ARTICLE, stream=True))]
    wait_metric(longhand, waiting("passthrough"), 1)
    wait_metric(longhand, waiting("job"), 1)
    longhand.terminate()
    longhand.wait_log(" signal ")
    longhand.terminate()
    assert longhand.wait() == 0
    for each in asked:
        each.leave()


def test_new_limits_hold_for_what_comes_after_a_reload(backend, limited, tmp_path):
    longhand = limited("max_in_flight: 1", limit_wait_ms=60000)
    backend.script({"calls": [1], **GATE})
    asked = [ask_to_say(longhand) for _ in range(2)]
    backend.wait(held=1)
    wait_metric(longhand, waiting("passthrough"), 1)
    path = tmp_path / "longhand.yaml"
    path.write_text(path.read_text().replace("max_in_flight: 1", "max_in_flight: 2"))
    longhand.process.send_signal(signal.SIGHUP)
    longhand.wait_log(" reloaded ")
    assert say(longhand).status == 200, "the new limit has room"
    backend.release("gate")
    for each in asked:
        assert b"choices" in each.answer().read(), "who waited for the old one goes on"
