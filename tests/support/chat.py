"""Chat completions as the tests write and read them."""

import json
import re

import wire
from backend_prose import count_words


def request(prompt, model="longhand", **extra):
    """The body of a chat completion with one user message."""
    return {"model": model, "messages": [{"role": "user", "content": prompt}], **extra}


class Chunks:
    """A stream, read to its end: everything that the tests ask about it."""

    def __init__(self, answer):
        self.answer = answer
        self.events = []
        self.chunks = []
        self.comments = []
        self.error = None
        self.is_done = False
        for event in answer.events():
            self.add(event)

    def add(self, event):
        """Takes one event in; the rules that hold for every stream are checked here."""
        self.events.append(event)
        assert set(event.fields) <= {"data", ""}, f"not for chat streams: {event.fields}"
        if event.comment is not None:
            self.comments.append(event.comment)
        if event.data is None:
            return
        assert not self.is_done, "nothing comes after [DONE]"
        assert event.fields.count("data") == 1, "data is one line"
        if event.data == "[DONE]":
            self.is_done = True
        elif "error" in event.json:
            assert "choices" not in event.json
            self.error = event.json["error"]
        else:
            assert self.error is None, "nothing comes after an error"
            self.chunks.append(event.json)

    @property
    def text(self):
        """The content."""
        return "".join(d.get("content") or "" for d in self.deltas)

    @property
    def reasoning(self):
        """The reasoning content: the plan."""
        return "".join(d.get("reasoning_content") or "" for d in self.deltas)

    @property
    def deltas(self):
        """All deltas, in order."""
        return [choice["delta"] for chunk in self.chunks for choice in chunk["choices"]]

    @property
    def finish(self):
        """The finish reason; there is at most one."""
        reasons = [c["finish_reason"] for chunk in self.chunks for c in chunk["choices"] if c["finish_reason"]]
        assert len(reasons) <= 1
        return reasons[0] if reasons else None

    @property
    def usage(self):
        """The usage chunk's figures, or None."""
        said = [chunk["usage"] for chunk in self.chunks if chunk.get("usage")]
        return said[-1] if said else None

    @property
    def progress(self):
        """The longhand objects that are progress."""
        return [c["longhand"] for c in self.chunks if "longhand" in c and "report" not in c["longhand"]]

    @property
    def report(self):
        """The report of the finish chunk."""
        said = [c["longhand"]["report"] for c in self.chunks if "report" in c.get("longhand", {})]
        assert len(said) <= 1
        return said[0] if said else None


def stream(daemon, body, headers=None):
    """Asks for a stream and reads it to its end."""
    answer = daemon.chat({**body, "stream": True}, headers)
    assert answer.status == 200, answer.read()
    assert answer.headers["content-type"].startswith("text/event-stream")
    chunks = Chunks(answer)
    answer.close()
    return chunks


def assert_error(answer, status, error_type=None, param=..., code=...):
    """Checks an error answer: OpenAI's shape, and what is said; returns the error object."""
    body = answer.read()
    assert answer.status == status, body
    assert answer.headers["content-type"].startswith("application/json")
    error = json.loads(body)["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert isinstance(error["message"], str)
    assert error["message"]
    if error_type is not None:
        assert error["type"] == error_type, error
    if param is not ...:
        assert error["param"] == param, error
    if code is not ...:
        assert error["code"] == code, error
    answer.close()
    return error


def words(text):
    """The natural count, headings left out."""
    return count_words(re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE))


def read_until(answer, condition):
    """Reads events of a stream until the condition holds for one; returns what was read."""
    seen = []
    for event in answer.events():
        seen.append(event)
        if condition(event):
            return seen
    raise AssertionError(f"the stream ended before; last: {seen[-1].data if seen else None}")


def has_content(event):
    """Whether an event brings text."""
    return event.json is not None and any(
        c["delta"].get("content") for c in event.json.get("choices", [])
    )


__all__ = ["Chunks", "assert_error", "has_content", "read_until", "request", "stream", "wire", "words"]
