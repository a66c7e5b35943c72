"""openai-python against Longhand: whole and streamed, its exceptions, leaving, many at once."""

import asyncio

import openai
import pytest
from backend_prose import count_words

ARTICLE = "Write an article of 1,500 words about the history of tea."
USER = [{"role": "user", "content": ARTICLE}]
HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(name="client")
def fixture_client(longhand):
    """A client that does not try again by itself."""
    with openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=0, timeout=60) as client:
        yield client


def test_a_whole_text(client):
    answer = client.chat.completions.create(model="longhand", messages=USER)
    assert abs(count_words(answer.choices[0].message.content) - 1500) <= 30
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model_extra["longhand"]["report"]["target_words"] == 1500


def test_a_streamed_text_shows_its_progress(client):
    text, reasoning, progress, report, usage, finish = "", "", [], None, None, None
    chunks = client.chat.completions.create(
        model="longhand", messages=USER, stream=True, stream_options={"include_usage": True}
    )
    for chunk in chunks:
        usage = chunk.usage or usage
        said = (chunk.model_extra or {}).get("longhand", {})
        report = said.get("report", report)
        if "section" in said:
            progress.append(chunk.longhand)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            finish = choice.finish_reason or finish
    assert abs(count_words(text) - 1500) <= 30
    assert finish == "stop"
    assert [p["section"] for p in progress][-1] == len(report["sections"])
    assert report["sections"][0]["title"] in reasoning
    assert usage.completion_tokens == report["usage"]["completion_tokens"]


def test_the_stream_helper_gathers_it(client):
    with client.chat.completions.stream(model="longhand", messages=USER) as chunks:
        final = chunks.get_final_completion()
    assert abs(count_words(final.choices[0].message.content) - 1500) <= 30
    assert final.choices[0].finish_reason == "stop"


def test_options_in_the_extra_body(client):
    answer = client.chat.completions.create(
        model="longhand", messages=HELLO, extra_body={"longhand": {"target_words": 1100}}
    )
    assert answer.longhand["report"]["target_words"] == 1100


def test_the_job_is_in_the_headers(client, longhand):
    raw = client.chat.completions.with_raw_response.create(model="longhand", messages=USER)
    job = raw.headers["x-longhand-job"]
    text = longhand.call("GET", f"/v1/longhand/jobs/{job}/text").raw_body.decode()
    assert text == raw.parse().choices[0].message.content


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (413, openai.APIStatusError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_errors_of_the_backend_are_its_exceptions(client, backend, status, exception, is_stream):
    backend.script(status=status, error={"message": "scripted", "code": "some_code"})
    with pytest.raises(exception) as raised:
        client.chat.completions.create(model="scripted-model", messages=HELLO, stream=is_stream)
    assert raised.value.status_code == status
    assert raised.value.code == "some_code"


def test_our_own_errors_are_its_exceptions(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="longhand", messages=USER, extra_body={"longhand": {"mode": "fast"}})
    assert raised.value.param == "longhand.mode"
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id
    with pytest.raises(openai.NotFoundError) as raised:
        client.models.retrieve("nobody/nothing")
    assert raised.value.code == "model_not_found"


def test_too_large_is_413(start):
    longhand = start(max_request_bytes=20000)
    client = openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=0)
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model="longhand", messages=[{"role": "user", "content": "x" * 30000}])
    assert raised.value.status_code == 413


def test_an_error_in_the_middle_is_raised(backend, start):
    longhand = start(retry_tries=1)
    client = openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=0)
    backend.script({"role": "write", "role_calls": [2], "status": 500})
    text = ""
    with pytest.raises(openai.APIError, match="[0-9a-z]{16}"):
        for chunk in client.chat.completions.create(model="longhand", messages=USER, stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text


def test_its_own_retry_gets_through(backend, longhand):
    backend.script({"times": 1, "status": 429, "retry_after": 1})
    client = openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=2)
    assert client.chat.completions.create(model="scripted-model", messages=HELLO).choices
    assert len(backend.requests()) == 2


def test_leaving_a_stream_closes_the_upstream(client, backend):
    backend.script(faults=[{"how": "stall", "at_byte": 900}])
    chunks = client.chat.completions.create(
        model="scripted-model", messages=[{"role": "user", "content": "Say 90 words."}], stream=True
    )
    next(iter(chunks))
    backend.wait(held=1)
    chunks.close()
    backend.wait(closed=1, open=0)


def test_leaving_a_long_text_closes_the_upstream(backend, start):
    longhand = start(reader_grace_ms=10)
    backend.script({"role": "write", "faults": [{"how": "stall", "at_byte": 5000}]})
    client = openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=0)
    chunks = client.chat.completions.create(model="longhand", messages=USER, stream=True)
    next(iter(chunks))
    backend.wait(held=1)
    chunks.close()
    backend.wait(closed=1, open=0)


def test_models(client):
    assert {"longhand", "scripted-model"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("longhand").id == "longhand"


def test_fifty_at_once(longhand, backend):
    backend.script(factor=[0.7, 1.4])

    async def one(client, count):
        if count % 2:
            answer = await client.chat.completions.create(model="longhand", messages=USER, seed=count)
            return answer.choices[0].message.content
        text = ""
        chunks = await client.chat.completions.create(model="longhand", messages=USER, seed=count, stream=True)
        async for chunk in chunks:
            text += chunk.choices[0].delta.content or ""
        return text

    async def everyone():
        async with openai.AsyncOpenAI(
            base_url=longhand.base_url(), api_key="sk-test", max_retries=0, timeout=120
        ) as client:
            return await asyncio.gather(*(one(client, count) for count in range(50)))

    texts = asyncio.run(everyone())
    assert len(set(texts)) == 50
    assert [t for t in texts if abs(count_words(t) - 1500) > 30] == []
