"""nginx and Caddy in front of longhandd, with the configurations that deploy/ has for them."""

import json
import tempfile

import openai
import pytest
import wire
from backend_prose import count_words
from chat import Chunks, has_content, request
from proxy import PROXIES

ARTICLE = "Write an article of 1,500 words about the history of tea."
HELD = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 0, "name": "second"}]}
# How soon each proxy gives up, in the tests of that: nginx moves no timer by less than 300 ms. Over
# TCP: Debian's Caddy does not keep read_timeout on a unix socket.
IMPATIENT = {
    "nginx": [("proxy_read_timeout 180s;", "proxy_read_timeout 900ms;")],
    "caddy": [("\t\t\tread_timeout 180s", "\t\t\tread_timeout 300ms")],
}


@pytest.fixture(name="behind")
def fixture_behind(start):
    """A function: longhandd with settings behind a proxy, over a unix socket or TCP; the proxy."""
    proxies = []
    with tempfile.TemporaryDirectory(prefix="lh") as home:  # short: a socket's path has 107 bytes

        def behind(name, is_unix=True, changes=(), **settings):
            path = f"{home}/{len(proxies)}.sock"
            daemon = start(listen=f"unix:{path}", **settings) if is_unix else start(**settings)
            upstream = path if is_unix else f"127.0.0.1:{daemon.port}"
            proxy = PROXIES[name](f"{home}/proxy{len(proxies)}", upstream, changes)
            proxies.append(proxy)
            return proxy

        yield behind
        for proxy in proxies:
            proxy.stop()


@pytest.fixture(name="name", params=sorted(PROXIES))
def fixture_name(request):
    """Each proxy."""
    return request.param


def ask(proxy, body, headers=None):
    """The answer to a chat completion through the proxy, its body still to be read."""
    return wire.ask(proxy.port, "POST", "/v1/chat/completions", body, headers)


class Stream:
    """A stream read up to where something happens, and then to its end."""

    def __init__(self, answer):
        self.left = answer.events()
        self.seen = []

    def read_until(self, condition):
        """Reads on until the condition holds for an event."""
        for event in self.left:
            self.seen.append(event)
            if condition(event):
                return
        raise AssertionError("the stream ended before")

    def events(self):
        """All events, from the first on."""
        yield from self.seen
        yield from self.left


def assert_cut(name, answer):
    """The body did not end as HTTP wants it. Debian's Caddy (2.6) ends it as if all were well."""
    assert answer.is_whole == (name == "caddy")


@pytest.mark.parametrize("is_unix", [True, False], ids=["unix", "tcp"])
def test_a_streamed_text_comes_as_it_is_written(behind, backend, name, is_unix):
    backend.script(HELD)
    answer = ask(behind(name, is_unix), request(ARTICLE, stream=True))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-longhand-job"]
    reading = Stream(answer)
    reading.read_until(has_content)
    backend.wait(held=1)
    backend.release("second")
    got = Chunks(reading)
    assert answer.is_whole
    assert got.is_done
    assert abs(count_words(got.text) - 1500) <= 30


def test_a_long_text_is_not_buffered_where_buffering_is_on(behind, backend):
    """Its headers say so to nginx."""
    backend.script(HELD)
    proxy = behind("nginx", changes=[("proxy_buffering off;", "proxy_buffering on;")])
    answer = ask(proxy, request(ARTICLE, stream=True))
    reading = Stream(answer)
    reading.read_until(has_content)
    backend.wait(held=1)
    backend.release("second")
    assert Chunks(reading).is_done


def test_a_passed_stream_is_not_buffered_where_buffering_is_on(behind, backend):
    """Nor is that of a backend that says nothing to nginx."""
    backend.script(faults=[{"how": "hold", "at_byte": 600, "name": "gate"}])
    proxy = behind("nginx", changes=[("proxy_buffering off;", "proxy_buffering on;")])
    answer = ask(proxy, request("Say 90 words.", "scripted-model", stream=True))
    reading = Stream(answer)
    reading.read_until(has_content)
    backend.wait(held=1)
    backend.release("gate")
    assert Chunks(reading).is_done


def test_heartbeats_keep_a_stream_through_an_impatient_proxy(behind, backend, name):
    """Silence of the backend's, far beyond the proxy's time-out; each comment starts that anew."""
    backend.script(HELD)
    proxy = behind(name, False, IMPATIENT[name], heartbeat_ms=50)
    answer = ask(proxy, request(ARTICLE, stream=True))
    reading = Stream(answer)
    for _ in range(30):
        reading.read_until(lambda event: event.comment is not None)
    backend.release("second")
    got = Chunks(reading)
    assert got.is_done
    assert abs(count_words(got.text) - 1500) <= 30


def test_white_space_keeps_a_whole_answer_through_an_impatient_proxy(behind, backend, name):
    backend.script(HELD)
    proxy = behind(name, False, IMPATIENT[name], json_whitespace_after_ms=20, heartbeat_ms=50)
    answer = ask(proxy, request(ARTICLE))
    space = b""
    while len(space) < 30:
        piece = answer.read_some()
        assert piece, "cut"
        space += piece
    assert space.isspace()
    assert backend.wait(held=1)["held"] == 1
    backend.release("second")
    text = json.loads(answer.read())["choices"][0]["message"]["content"]
    assert answer.headers["content-type"].startswith("application/json")
    assert abs(count_words(text) - 1500) <= 30


def test_an_impatient_proxy_is_what_it_says(behind, backend, name):
    """The two tests above would see it: without a sign of life, this proxy cuts the answer."""
    backend.script(HELD)
    proxy = behind(name, False, IMPATIENT[name], heartbeat_ms=60000, reader_grace_ms=0)
    answer = ask(proxy, request(ARTICLE, stream=True))
    answer.read()
    assert_cut(name, answer)
    assert b"[DONE]" not in answer.raw_body


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_leaving_a_long_text_closes_the_upstream(behind, backend, name, is_stream):
    backend.script(HELD)
    proxy = behind(name, reader_grace_ms=0, json_grace_ms=0, json_whitespace_after_ms=20, heartbeat_ms=50)
    answer = ask(proxy, request(ARTICLE, stream=is_stream))
    assert answer.read_some()
    backend.wait(held=1)
    answer.close()
    backend.wait(closed=1, open=0)


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_leaving_what_passes_through_closes_the_upstream(behind, backend, name, is_stream):
    backend.script(faults=[{"how": "hold", "at_byte": 300, "name": "late"}])
    sock = wire.connect(behind(name).port)
    wire.send(sock, "POST", "/v1/chat/completions", request("Say 90 words.", "scripted-model", stream=is_stream))
    backend.wait(held=1)
    sock.close()
    backend.wait(closed=1, open=0)


def test_what_passes_through_comes_as_it_is_sent(behind, backend, name):
    backend.script(faults=[{"how": "hold", "at_byte": 1500, "name": "late"}])
    answer = ask(behind(name), request("Say 90 words.", "scripted-model", stream=True))
    reading = Stream(answer)
    reading.read_until(has_content)
    backend.wait(held=1)
    backend.release("late")
    got = Chunks(reading)
    assert got.is_done
    assert answer.is_whole
    assert abs(count_words(got.text) - 90) <= 5


def test_a_failure_after_white_space_is_seen_as_a_cut_body(behind, backend, name):
    backend.script({**HELD, "status": 500})
    proxy = behind(name, retry_tries=1, json_whitespace_after_ms=20, heartbeat_ms=50)
    answer = ask(proxy, request(ARTICLE))
    assert answer.read_some().isspace()
    backend.wait(held=1)
    backend.release("second")
    assert answer.read().isspace()
    assert_cut(name, answer)


def test_errors_stay_as_they_are(behind, backend, name):
    proxy = behind(name)
    backend.script(status=429, retry_after=7, error={"message": "scripted", "code": "some_code"})
    answer = ask(proxy, request("Say hello.", "scripted-model"))
    assert (answer.status, answer.headers["retry-after"], answer.json()["error"]["code"]) == (429, "7", "some_code")
    answer = ask(proxy, request(ARTICLE, longhand={"mode": "fast"}))
    assert (answer.status, answer.json()["error"]["param"]) == (400, "longhand.mode")
    assert answer.headers["x-request-id"]


def test_a_large_body_passes_and_a_larger_one_is_413(behind, backend, name):
    proxy = behind(name)
    assert ask(proxy, request("x" * 3000000, "scripted-model")).status == 200
    assert len(backend.bodies()[-1]["messages"][0]["content"]) == 3000000
    with openai.OpenAI(base_url=f"http://127.0.0.1:{proxy.port}/v1", api_key="sk-test", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as raised:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x" * 17000000}])
    assert raised.value.status_code == 413


def test_paths_are_not_touched(behind, backend, name):
    backend.script(top={"models": ["scripted-model", "org/other"]})
    answer = wire.ask_whole(behind(name).port, "GET", "/v1/models/org%2Fother")
    assert json.loads(answer.raw_body)["id"] == "org/other"


def test_openai_python_through_it(behind, name):
    proxy = behind(name)
    with openai.OpenAI(base_url=f"http://127.0.0.1:{proxy.port}/v1", api_key="sk-test", max_retries=0) as client:
        messages = [{"role": "user", "content": ARTICLE}]
        whole = client.chat.completions.create(model="longhand", messages=messages)
        chunks = client.chat.completions.create(model="longhand", messages=messages, stream=True)
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert abs(count_words(whole.choices[0].message.content) - 1500) <= 30
    assert abs(count_words(text) - 1500) <= 30
