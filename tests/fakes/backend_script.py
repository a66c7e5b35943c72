"""The scripted backend's script: its keys, their defaults, and which behaviour a request gets.

A script is a JSON object:

    {"seed": 1, "models": ["scripted-model"], "keep_sent": false, "keep_requests": true,
     "paths": {"/props": {...}},
     "default": {BEHAVIOUR}, "rules": [{CONDITIONS, BEHAVIOUR}, ...]}

The first rule whose conditions all hold is laid over the default. Conditions:

    path        regex for the path (default: chat completions only)     method   "GET" ...
    match       regex for the last user message                         stream   true or false
    role        plan | write | summarise | chat: what kind of call the prompt asks for
    calls       [1, 3]: the nth chat completion since the reset, counted from 1
    role_calls  [1, 3]: the same, counted among the calls of its role
    times       at most so many times

Every key of a behaviour is in BEHAVIOUR, with its default. An unknown key is an error, so that a
test cannot ask for something that does not exist.
"""

import re

BEHAVIOUR = {
    # what is written
    "factor": 1.0,          # times the words asked for; [0.5, 1.6] draws one per request
    "words": None,          # exactly this many words, whatever was asked
    "language": None,       # "en" or "zh" (default: as the request)
    "text": None,           # this text and no other
    "opening": "",          # put before the text: "Sure, here is the section:\n\n"
    "closing": "",          # put after the text: "\n\nI hope this helps!"
    "think": None,          # put before all in <think>…</think>
    "reasoning": None,      # sent as delta.reasoning_content before the text
    "mark": False,          # begins with "Section 3: TITLE"
    "echo_title": False,    # begins with the title on a line of its own ("## TITLE" when "markdown")
    "echo_prompt": False,   # begins with the last user message
    "refuse": False,        # "I'm sorry, but I can't help with that."
    "loop_after": None,     # after so many words, says the same sentences again and again
    "repeat_first": False,  # every answer is the text of the first answer written
    "stop_after": None,     # stops early: after so many words, at the end of a sentence
    "cut": False,           # the last sentence lacks its end
    "finish_reason": None,  # instead of "stop" or "length"
    "max_tokens": "obey",   # or "ignore"
    "window": None,         # tokens; a longer prompt gets 400 context_length_exceeded
    # plans
    "schema": "honour",     # response_format json_schema: honour | ignore | reject (400)
    "plan": "good",         # good | bad_json | fenced | chatty | too_few | too_many | duplicates |
                            # near_duplicates | prose | empty | refuse
    "plan_items": None,     # this many items, whatever was asked
    # continuing a last message of the assistant's: yes | vllm (needs its two flags) | echo (the
    # answer repeats it) | no (starts afresh) | reject (400)
    "continues": "yes",
    # errors: status, and the body in OpenAI's shape made of "error", or "raw_body" as it is
    "status": 200,
    "error": None,          # {"message":…, "type":…, "param":…, "code":…}, each with a default
    "raw_body": None,
    "content_type": None,
    "retry_after": None,    # header Retry-After, seconds or text
    "headers": {},
    "key": None,            # 401 unless the request has this bearer key
    # the wire
    "faults": [],           # [{"how": "reset|close|hold|stall", "at_byte": 0, "of": "body|wire", "name": ""}]
    "delay_ms": 0,          # before the head
    "first_ms": 0,          # between head and first byte of the body
    "chunk_ms": 0,          # before each piece of text
    "words_per_chunk": 4,
    "split": 0,             # bytes per write (and per HTTP chunk)
    "framing": None,        # chunked | length | close
    "keep_alive": True,
    "crlf": False,          # SSE lines end in CRLF
    "comments": False,      # ": comment" lines between the events
    "multiline": False,     # each event's JSON over several data: lines
    "escape": False,        # \u escapes instead of UTF-8
    "usage": "asked",       # asked (stream_options.include_usage) | always | never
    "no_done": False,       # the stream ends without data: [DONE]
    "no_finish": False,     # ... and without a finish_reason
    "null_first": False,    # the first delta has content null (llama.cpp)
    "error_after": None,    # words, then an error object as an event
    "big": None,            # {"chunks": n, "chunk_bytes": n} of filler instead of a text
}
CONDITIONS = {"path", "method", "match", "stream", "role", "calls", "role_calls", "times"}
TOP = {"seed", "models", "keep_sent", "keep_requests", "paths", "default", "rules"}
CHAT_PATH = "/v1/chat/completions"
FAULT_KEYS = {"how", "at_byte", "of", "name"}


class ScriptError(ValueError):
    """The script says something that the backend does not know."""


def _check(where, given, known):
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ScriptError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}")


class Script:
    """A checked script; counts how often each rule was used."""

    def __init__(self, given=None):
        given = given or {}
        _check("script", given, TOP)
        self.seed = given.get("seed", 1)
        self.models = given.get("models", ["scripted-model"])
        self.keep_sent = given.get("keep_sent", False)
        self.keep_requests = given.get("keep_requests", True)
        self.paths = given.get("paths", {})
        self.default = given.get("default", {})
        self.rules = given.get("rules", [])
        self.uses = [0] * len(self.rules)
        _check("default", self.default, BEHAVIOUR)
        for at, rule in enumerate(self.rules):
            _check(f"rules[{at}]", rule, set(BEHAVIOUR) | CONDITIONS)
        for part in [self.default, *self.rules]:
            for fault in part.get("faults", []):
                _check("faults", fault, FAULT_KEYS)

    def behaviour(self, call):
        """(behaviour, number of the rule or None) for a call.

        `call` has path, method, match, stream, role, calls and role_calls.
        """
        merged = {**BEHAVIOUR, **self.default}
        for at, rule in enumerate(self.rules):
            if self.uses[at] < rule.get("times", 1 << 60) and _holds(rule, call):
                self.uses[at] += 1
                merged.update({k: v for k, v in rule.items() if k not in CONDITIONS})
                return merged, at
        if call["path"] != CHAT_PATH:
            merged = {**BEHAVIOUR, "key": merged["key"]}
        return merged, None


def _holds(rule, call):
    if "path" in rule:
        if not re.search(rule["path"], call["path"]):
            return False
    elif call["path"] != CHAT_PATH:
        return False
    if "match" in rule and not re.search(rule["match"], call["match"]):
        return False
    for key in ("method", "stream", "role"):
        if key in rule and rule[key] != call[key]:
            return False
    return all(call[key] in rule[key] for key in ("calls", "role_calls") if key in rule)
