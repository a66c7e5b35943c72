"""LangChain (Python) against Longhand: whole, streamed, asynchronous; errors, retries, leaving, silence."""

import asyncio

import openai
import pytest
from backend_prose import count_words
from langchain_openai import ChatOpenAI

ARTICLE = "Write an article of 1,500 words about the history of tea."
SECOND = {"role": "write", "role_calls": [2]}


@pytest.fixture(name="model")
def fixture_model(longhand):
    """A function that makes a model; it does not try again unless it is told to."""

    def make(daemon=longhand, name="longhand", **settings):
        return ChatOpenAI(
            model=name, base_url=daemon.base_url(), api_key="sk-test",
            **{"max_retries": 0, "timeout": 60, "stream_usage": True, **settings},
        )

    return make


def test_a_whole_text(model, longhand):
    answer = model(include_response_headers=True).invoke(ARTICLE)
    assert abs(count_words(answer.content) - 1500) <= 30
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["output_tokens"] > 1500
    job = answer.response_metadata["headers"]["x-longhand-job"]
    assert longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode() == answer.content


def test_a_streamed_text_adds_up(model):
    """Chunks are added as LangChain adds them; what is ours in them must not get in the way."""
    whole = None
    for chunk in model().stream([("system", "You write plainly."), ("user", ARTICLE)]):
        whole = chunk if whole is None else whole + chunk
    assert abs(count_words(whole.content) - 1500) <= 30
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata["output_tokens"] > 1500


def test_asynchronously_many_at_once(model):
    async def gather():
        writer = model()
        answers = await asyncio.gather(*(writer.ainvoke(f"{ARTICLE} Take {n}.") for n in range(5)))
        pieces = [chunk.content async for chunk in writer.astream(ARTICLE)]
        return [answer.content for answer in answers] + ["".join(pieces)]

    texts = asyncio.run(gather())
    assert [t for t in texts if abs(count_words(t) - 1500) > 30] == []


def test_options_are_members_of_the_body(model):
    answer = model(extra_body={"longhand": {"target_words": 1100}}).invoke("Tell me about tea.")
    assert abs(count_words(answer.content) - 1100) <= 30


def test_a_tool_is_the_backends(model, backend):
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    model().bind_tools([tool]).invoke(ARTICLE)
    assert [body["tools"] for body in backend.bodies()] == [[tool]]


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_errors_keep_their_class(model, backend, status, exception, is_stream):
    backend.script(status=status, error={"message": "scripted", "code": "some_code"})
    asked = model(name="scripted-model")
    with pytest.raises(exception) as raised:
        list(asked.stream("Say hello.")) if is_stream else asked.invoke("Say hello.")
    assert raised.value.code == "some_code"


def test_our_own_errors_keep_their_class(model):
    with pytest.raises(openai.BadRequestError) as raised:
        model(extra_body={"longhand": {"mode": "fast"}}).invoke(ARTICLE)
    assert raised.value.param == "longhand.mode"


def test_an_error_in_the_middle_is_raised(model, backend, start):
    backend.script({**SECOND, "status": 500})
    with pytest.raises(openai.APIError):
        list(model(start(retry_tries=1)).stream(ARTICLE))


@pytest.mark.parametrize(
    ("name", "prompt", "failure", "wait_ms", "is_stream"),
    [
        ("longhand", ARTICLE, {"status": 429, "retry_after": 1}, 1000, True),
        ("longhand", ARTICLE, {"status": 500}, 0, False),
        ("scripted-model", "Say 90 words.", {"status": 429, "retry_after": 1}, 1000, False),
        ("scripted-model", "Say 90 words.", {"status": 500}, 0, True),
    ],
    ids=["429-long", "500-long", "429", "500"],
)
def test_it_tries_again(model, backend, start, failure, wait_ms, is_stream, name, prompt):
    """The client does, once, and not before it was told to: the server calls its backend but once."""
    backend.script({"times": 1, **failure})
    asked = model(start(retry_tries=1), name, max_retries=1)
    text = "".join(c.content for c in asked.stream(prompt)) if is_stream else asked.invoke(prompt).content
    assert abs(count_words(text) - (1500 if name == "longhand" else 90)) <= 30
    first, second = [asked for asked in backend.requests() if asked["call"]][:2]
    assert second["at_ms"] - first["at_ms"] >= wait_ms


def test_leaving_a_stream_closes_the_upstream(model, backend):
    backend.script(faults=[{"how": "stall", "at_byte": 1500}])
    chunks = model(name="scripted-model").stream("Say 90 words.")
    assert next(chunk for chunk in chunks if chunk.content)
    chunks.close()
    backend.wait(closed=1, open=0)


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
def test_signs_of_life_keep_it_waiting(model, backend, start, is_stream):
    """The backend is silent for far longer than the client would be patient."""
    backend.script({**SECOND, "delay_ms": 1000})

    def ask(**settings):
        asked = model(start(reader_grace_ms=0, json_grace_ms=0, **settings), timeout=0.4)
        return "".join(c.content for c in asked.stream(ARTICLE)) if is_stream else asked.invoke(ARTICLE).content

    assert abs(count_words(ask(heartbeat_ms=100, json_whitespace_after_ms=100)) - 1500) <= 30
    backend.script({**SECOND, "delay_ms": 1000})
    # While a stream is read it is httpx that is impatient, before that the client.
    with pytest.raises(Exception, match="(?i)timed out"):
        ask(heartbeat_ms=60000, json_whitespace_after_ms=60000)


@pytest.mark.parametrize("prompt", [ARTICLE, "Say 90 words."], ids=["long", "translated"])
def test_by_responses(model, prompt):
    """The same by the Responses API, whole and streamed, and the turn after."""
    writer = model(use_responses_api=True)
    answer = writer.invoke(prompt)
    text = answer.text if isinstance(answer.text, str) else answer.text()
    assert count_words(text) > 50
    assert answer.usage_metadata["output_tokens"] > 50
    whole = None
    for chunk in writer.stream(prompt):
        whole = chunk if whole is None else whole + chunk
    streamed = whole.text if isinstance(whole.text, str) else whole.text()
    assert abs(count_words(streamed) - count_words(text)) <= 30
    assert writer.invoke([("user", prompt), answer, ("user", "Say hello.")]).text
