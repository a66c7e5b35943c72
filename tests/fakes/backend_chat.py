"""Renders the scripted backend's answers: a completion, or its chunks as server-sent events."""

import asyncio
import json
import re

from backend_model import request_digest

SEND_PIECE_BYTES = 16384


class Sse:
    """Renders events; the odd ways of writing them are legal server-sent events."""

    def __init__(self, behaviour):
        self.end = "\r\n" if behaviour["crlf"] else "\n"
        self.multiline = behaviour["multiline"]
        self.before = f": comment{self.end}{self.end}" if behaviour["comments"] else ""

    def event(self, data):
        """One event with these data."""
        if self.multiline and data.startswith("{"):
            data = data.replace(",\"", f",{self.end}data: \"", 2)
        return f"{self.before}data: {data}{self.end}{self.end}"


class Chat:
    """Renders one answer as a completion or as chunks."""

    def __init__(self, behaviour, prompt, answer):
        self.behaviour = behaviour
        self.answer = answer
        self.model = prompt.body.get("model", "scripted-model")
        options = prompt.body.get("stream_options")
        self.wants_usage = isinstance(options, dict) and options.get("include_usage") is True
        self.usage = {
            "prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens,
            "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        }
        self.head = {"id": f"chatcmpl-{request_digest(prompt.body)[:12]}", "object": "", "created": 1700000000, "model": self.model}

    def _dump(self, value):
        return json.dumps(value, ensure_ascii=self.behaviour["escape"], separators=(",", ":"))

    def whole(self):
        """The body of a completion that is not streamed."""
        answer = self.answer
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        if answer.reasoning:
            message["reasoning_content"] = answer.reasoning
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
        said = {**self.head, "object": "chat.completion", "choices": [choice]}
        if self.behaviour["usage"] != "never":
            said["usage"] = self.usage
        return self._dump(said).encode("utf-8", "surrogateescape")

    def _pieces(self):
        """(delta, finish_reason) of each chunk."""
        yield {"role": "assistant", "content": None if self.behaviour["null_first"] else ""}, None
        if self.answer.reasoning:
            yield {"reasoning_content": self.answer.reasoning}, None
        if big := self.behaviour["big"]:
            for _ in range(big["chunks"]):
                yield {"content": "filler " * (big["chunk_bytes"] // 7)}, None
        else:
            many = self.behaviour["words_per_chunk"]
            pattern = rf"(?:[\u3400-\u9fff]|[^\s\u3400-\u9fff]+|\s+(?=\S)){{1,{2 * many}}}|\s+"
            for match in re.finditer(pattern, self.answer.text):
                yield {"content": match.group()}, None
        if not self.behaviour["no_finish"]:
            yield {}, self.answer.finish_reason

    def _events(self):
        """The data of each event, as text."""
        usage = self.behaviour["usage"]
        has_usage = usage == "always" or (usage == "asked" and self.wants_usage)
        head = self._dump({**self.head, "object": "chat.completion.chunk"})[:-1]
        tail = ',"usage":null}' if has_usage else "}"
        words, limit = 0, self.behaviour["error_after"]
        for delta, finish in self._pieces():
            if limit is not None and words >= limit:
                yield self._dump({"error": {
                    "message": "scripted error", "type": "server_error", "param": None, "code": None,
                    **(self.behaviour["error"] or {})}})
                return
            words += len((delta.get("content") or "").split())
            yield (f'{head},"choices":[{{"index":0,"delta":{self._dump(delta)},"logprobs":null,'
                   f'"finish_reason":{self._dump(finish)}}}]{tail}')
        if has_usage:
            yield f'{head},"choices":[],"usage":{self._dump(self.usage)}}}'
        if not self.behaviour["no_done"]:
            yield "[DONE]"

    async def stream(self, reply):
        """Streams the answer; without delays, several events go out in one write."""
        behaviour, sse = self.behaviour, Sse(self.behaviour)
        headers = [("Content-Type", behaviour["content_type"] or "text/event-stream; charset=utf-8"),
                   ("Cache-Control", "no-cache"), *behaviour["headers"].items()]
        await reply.start(200, headers)
        if behaviour["first_ms"]:
            await reply.pause(behaviour["first_ms"] / 1000)
        gathered, size = [], 0
        limit = 0 if behaviour["chunk_ms"] else SEND_PIECE_BYTES
        for data in self._events():
            event = sse.event(data).encode("utf-8", "surrogateescape")
            gathered.append(event)
            size += len(event)
            if size >= limit:
                await self._flush(reply, gathered)
                gathered, size = [], 0
                if behaviour["chunk_ms"]:
                    await reply.pause(behaviour["chunk_ms"] / 1000)
        await self._flush(reply, gathered)
        await reply.end()

    async def _flush(self, reply, events):
        await reply.body(b"".join(events))
        await asyncio.sleep(0)
