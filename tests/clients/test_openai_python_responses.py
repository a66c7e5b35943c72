"""openai-python's responses against Longhand: whole, streamed, in the background, cut and fetched again."""

import openai
import pytest
from backend_prose import count_words

ARTICLE = "Write an article of 1,500 words about the history of tea."
GATE = {"role": "write", "role_calls": [2], "faults": [{"how": "hold", "at_byte": 900, "name": "gate"}]}


@pytest.fixture(name="client")
def fixture_client(longhand):
    """A client that does not try again by itself."""
    with openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=0, timeout=60) as client:
        yield client


def deltas(events):
    """The text of a stream."""
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def test_a_whole_response(client):
    response = client.responses.create(model="longhand", input=ARTICLE, metadata={"a": "b"})
    assert response.status == "completed"
    assert abs(count_words(response.output_text) - 1500) <= 30
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert response.output[0].summary[0].text.startswith("1. ")
    assert response.model_extra["longhand"]["report"]["target_words"] == 1500
    assert client.responses.retrieve(response.id).output_text == response.output_text


def test_a_stream(client):
    events = list(client.responses.create(model="longhand", input=ARTICLE, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    final = events[-1].response
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert deltas(events) == final.output_text
    assert abs(count_words(final.output_text) - 1500) <= 30


def test_the_stream_helper(client):
    with client.responses.stream(model="longhand", input=ARTICLE) as stream:
        text = deltas(stream)
        final = stream.get_final_response()
    assert final.output_text == text


def test_background_and_poll(client, backend):
    backend.script(GATE)
    response = client.responses.create(model="longhand", input=ARTICLE, background=True)
    assert response.status == "in_progress"
    backend.wait(held=1)
    assert client.responses.retrieve(response.id).output_text
    backend.release("gate")
    while response.status == "in_progress":
        response = client.responses.retrieve(response.id)
    assert response.status == "completed"
    assert abs(count_words(response.output_text) - 1500) <= 30


def test_a_cut_stream_goes_on_behind_a_number(client, backend):
    backend.script(GATE)
    stream = client.responses.create(model="longhand", input=ARTICLE, background=True, stream=True)
    events = []
    for event in stream:
        events.append(event)
        if event.type == "response.output_text.delta":
            break
    stream.close()
    name = events[0].response.id
    backend.release("gate")
    rest = list(client.responses.retrieve(name, stream=True, starting_after=events[-1].sequence_number))
    assert [event.sequence_number for event in events + rest] == list(range(len(events) + len(rest)))
    assert deltas(events + rest) == rest[-1].response.output_text
    with client.responses.stream(response_id=name, starting_after=events[-1].sequence_number) as helped:
        assert deltas(helped) == deltas(rest)
        assert helped.get_final_response().output_text == rest[-1].response.output_text
    with client.responses.stream(response_id=name) as helped:
        assert deltas(helped) == rest[-1].response.output_text


def test_cancel_and_delete(client, backend):
    backend.script(GATE)
    response = client.responses.create(model="longhand", input=ARTICLE, background=True)
    backend.wait(held=1)
    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.cancel(response.id).status == "cancelled"
    client.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_input_items(client):
    response = client.responses.create(
        model="longhand",
        input=[{"role": "developer", "content": "Be kind."}, {"role": "user", "content": ARTICLE}],
    )
    items = list(client.responses.input_items.list(response.id, order="asc", limit=1))
    assert [(item.role, item.content[0].text) for item in items] == [("developer", "Be kind."), ("user", ARTICLE)]


def test_turns_follow_each_other(client, backend):
    first = client.responses.create(model="longhand", input=ARTICLE)
    backend.reset()
    second = client.responses.create(model="longhand", input="Say hello.", previous_response_id=first.id)
    assert second.output_text
    (chat,) = backend.bodies()
    assert [m["content"] for m in chat["messages"]] == [ARTICLE, first.output_text, "Say hello."]
    with pytest.raises(openai.NotFoundError) as raised:
        client.responses.create(model="longhand", input=ARTICLE, previous_response_id="resp_" + "0" * 32)
    assert raised.value.code == "previous_response_not_found"


def test_errors_are_its_exceptions(client, backend, start):
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model="longhand", input=ARTICLE, max_output_tokens=3)
    assert raised.value.param == "max_output_tokens"
    backend.script({"role": "write", "role_calls": [2], "status": 500})
    longhand = start(retry_tries=1)
    impatient = openai.OpenAI(base_url=longhand.base_url(), api_key="sk-test", max_retries=0)
    with pytest.raises(openai.APIError):
        list(impatient.responses.create(model="longhand", input=ARTICLE, stream=True))


def test_what_is_translated_looks_the_same(client):
    text = client.responses.create(model="longhand", input="Say hello.").output_text
    assert text
    with client.responses.stream(model="longhand", input="Say hello.") as stream:
        seen = deltas(stream)
        assert stream.get_final_response().output_text == seen
    assert seen
