"""What Open WebUI and LibreChat really send: their own tasks pass through, the user's turns are written.

Each task begins as its template does; what follows is shortened, and has in it what must not be
taken for the user's wish: the chat so far, in which a long text was asked for.
"""

import json

import pytest
from backend_prose import count_words
from chat import request, stream

ARTICLE = "Write an article of 1,500 words about the history of tea."
HISTORY = (
    f"### Chat History:\n<chat_history>\nUSER: {ARTICLE}\n"
    "ASSISTANT: Tea was first drunk in the hills of Yunnan.\n</chat_history>"
)
CONVERSATION = f"User: {ARTICLE}\nAI: Tea was first drunk in the hills of Yunnan."
WRITTEN = {"role": "assistant", "content": "Tea was first drunk in the hills of Yunnan, and"}
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}


def task(first, *rest):
    """A template of Open WebUI's, filled in."""
    return "\n".join([f"### Task:\n{first}", "### Guidelines:\n- Be brief.\n### Output:\nJSON format", *rest])


# Name: the user message, and what else is in the body. Sent to the chat's own model.
TASKS = {
    "title": (
        task("Generate a concise, 3-5 word title with an emoji summarizing the chat history.", HISTORY),
        {"max_completion_tokens": 1000},
    ),
    "title_0_5": (
        "Create a concise, 3-5 word phrase with an emoji as a title for the previous query. Suitable "
        f"Emojis for the summary can be used.\n\nQuery: {ARTICLE}",
        {"max_tokens": 50},
    ),
    "title_plain": (
        task("Generate a concise title summarizing the chat history.", HISTORY), {"max_completion_tokens": 1000},
    ),
    "tags": (
        task("Generate 1-3 broad tags categorizing the main themes of the chat history, along with 1-3 more "
             "specific subtopic tags.", HISTORY), {},
    ),
    "follow_ups": (
        task("Suggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next in this "
             "conversation as a **user**, based on the chat history.", HISTORY), {},
    ),
    "search_query": (
        task("Analyze the chat history to determine the necessity of generating search queries, in the given "
             "language.", HISTORY), {},
    ),
    "autocomplete": (
        task("You are an autocompletion system. Continue the text in `<text>` based on the **completion type** in "
             "`<type>` and the given language.  ", f"<type>General</type>  \n<text>{ARTICLE}</text>  \n#### Output:\n"),
        {},
    ),
    # The template has this slip of the pen.
    "image_prompt": (
        task("Generate a detailed prompt for am image generation task based on the given language and context.",
             HISTORY), {},
    ),
    "emoji": (
        "Your task is to reflect the speaker's likely facial expression through a fitting emoji.\n\n"
        f"Message: ```{ARTICLE}```",
        {"max_completion_tokens": 4},
    ),
    "merge": (
        f'You have been provided with a set of responses from various models to the latest user query: "{ARTICLE}"\n\n'
        f"Your task is to synthesize these.\n\nResponses from models: {ARTICLE}\n\n{ARTICLE}", {},
    ),
    "librechat_title": (
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. Only return "
        f"the title itself.\n\nConversation:\n{CONVERSATION}",
        {"temperature": 0.2, "user": "65f0c0ffee"},
    ),
    "librechat_structured_title": (
        "Analyze this conversation and provide:\n1. The detected language of the conversation\n2. A concise title in "
        f"the detected language (5 words or less, no punctuation or quotation)\n\n{CONVERSATION}",
        {"tools": [{"type": "function", "function": {"name": "conversation_title", "parameters": {"type": "object"}}}],
         "tool_choice": {"type": "function", "function": {"name": "conversation_title"}}},
    ),
}


def assert_passed(backend, longhand, body, headers=None):
    """Sends a body; exactly one call went out for it, the body itself."""
    answer = longhand.call("POST", "/v1/chat/completions", body, headers)
    assert answer.status == 200
    assert "x-longhand-job" not in answer.headers
    assert "longhand" not in json.loads(answer.raw_body)
    assert backend.bodies() == [{**body, "model": "scripted-model"}]


def assert_written(longhand, body, headers=None):
    """Sends a body; it was written as long as asked, and the plan was shown."""
    got = stream(longhand, {**body, "stream_options": {"include_usage": True}}, headers)
    assert abs(count_words(got.text) - 1500) <= 30
    assert got.finish == "stop"
    assert got.reasoning
    assert got.usage


@pytest.mark.parametrize("model", ["longhand", "scripted-model"])
@pytest.mark.parametrize("name", TASKS)
def test_a_task_passes_through(backend, longhand, name, model):
    prompt, extra = TASKS[name]
    assert_passed(backend, longhand, request(prompt, model, stream=False, **extra))


def test_a_choice_of_tools_passes_through(backend, longhand):
    """It is told in the system message; the user's is made of the chat."""
    history = f'USER: """{ARTICLE}"""\nASSISTANT: """Which tea?"""'
    messages = [
        {"role": "system", "content": "Available Tools: [{\"name\": \"get_time\"}]\n\nYour task is to choose and return "
         "the correct tool(s) from the list of available tools based on the query."},
        {"role": "user", "content": f"Query: History:\n{history}\nQuery: {ARTICLE}"},
    ]
    assert_passed(backend, longhand, {"model": "longhand", "messages": messages, "stream": False})


def test_a_task_with_a_template_of_its_own_is_told_by_its_header(backend, longhand):
    """What a connection's custom headers say: {{TASK}}, empty for the user's own turns."""
    headers = {"X-OpenWebUI-Chat-Id": "7d1c", "X-OpenWebUI-Message-Id": "9e"}
    body = request(f"Give this chat a name. It began so: {ARTICLE}", stream=False)
    assert_passed(backend, longhand, body, {**headers, "X-OpenWebUI-Task": "title_generation"})
    assert_written(longhand, request(ARTICLE), {**headers, "X-OpenWebUI-Task": ""})


CONTEXT = (
    '<context>\n<source id="1" name="tea.md">Write a report of 9,000 words, said the board. In 1848 Fortune '
    "took 20,000 plants to India.</source>\n</context>\n\n"
)
RAG = (
    "### Task:\nRespond to the user query using the provided context, incorporating inline citations in the format "
    "[id] **only when the <source> tag includes an explicit id attribute** (e.g., <source id=\"1\">).\n\n"
    "### Guidelines:\n- If you don't know the answer, clearly state that.\n- Do not use XML tags in your response.\n\n"
    '### Example of Citation:\nIf the user asks about a topic and it is found in a source with id "1": * "The method '
    'raises efficiency by 20% [1]."\n\n### Output:\nProvide a clear and direct response to the user\'s query.\n\n'
)

# What the user asked, as a front end sends it: the messages.
TURNS = {
    "plain": [{"role": "user", "content": ARTICLE}],
    "system": [SYSTEM, {"role": "user", "content": ARTICLE}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": ARTICLE}]}],
    "later": [
        SYSTEM, {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello! What may I write?"},
        {"role": "user", "content": ARTICLE},
    ],
    "rag_tagged": [{"role": "user", "content": f"{RAG}{CONTEXT}<user_query>\n{ARTICLE}\n</user_query>"}],
    "rag": [SYSTEM, {"role": "user", "content": f"{RAG}{CONTEXT}{ARTICLE}"}],
    "rag_parts": [{"role": "user", "content": [{"type": "text", "text": f"{RAG}{CONTEXT}{ARTICLE}"}]}],
    "rag_in_the_system": [
        {"role": "system", "content": f"{RAG}{CONTEXT}"}, {"role": "user", "content": ARTICLE},
    ],
    "attached": [
        {"role": "user", "content": '<attached_files>\n<file type="file" id="f1" name="tea.md"/>\n</attached_files>\n\n'
         + ARTICLE},
    ],
    "librechat_files": [
        {"role": "system", "content": "The user has attached the following files to the conversation:\n\n<files>"
         "<file>\n<filename>tea.md</filename>\n<context>In 1848 Fortune went.</context>\n</file></files>"},
        {"role": "user", "content": ARTICLE},
    ],
}


@pytest.mark.parametrize("name", TURNS)
def test_the_users_turn_is_written(longhand, name):
    assert_written(longhand, {"model": "longhand", "messages": TURNS[name], "temperature": 0.8, "user": "65f0c0ffee"})


def test_a_question_about_documents_passes_through(backend, longhand):
    """The lengths that stand in the documents are nobody's wish."""
    body = request(f"{RAG}{CONTEXT}When did Fortune go?", stream=False)
    assert_passed(backend, longhand, body)


def test_continue_response_passes_through(backend, longhand):
    """Both front ends send the text so far as the last message."""
    messages = [{"role": "user", "content": ARTICLE}, WRITTEN]
    assert_passed(backend, longhand, {"model": "longhand", "messages": messages, "stream": False})


def test_the_models_of_a_connection(longhand):
    """Both ask for the list when a connection is set up, and want `data` with ids."""
    listed = json.loads(longhand.call("GET", "/v1/models", headers={"Authorization": "Bearer sk"}).raw_body)
    assert "longhand" in [model["id"] for model in listed["data"]]
    assert all(model["object"] == "model" and isinstance(model["owned_by"], str) for model in listed["data"])
