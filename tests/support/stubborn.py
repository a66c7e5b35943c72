"""Clients that want their text to the last byte, whatever breaks: they come back, anywhere."""

import random
import threading
import time

import wire
from chat import request
from cluster import events_of

PATIENCE_S = 120
AGAIN_S = 0.02
# What a client may be told while its job moves from one process to another.
PASSING = {"job_taken_over", "shutting_down", "too_many_jobs", "store_unavailable"}


class Lost(AssertionError):
    """Something that was promised is not there."""


class StubbornClient(threading.Thread):
    """Asks for one long text and reads it; a connection that ends early is made again elsewhere.

    `cut_after` gives the bytes of content after which it leaves by itself (None: it stays).
    """

    def __init__(self, cluster, prompt, seed, cut_after=None, **extra):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.body = request(prompt, stream=True, seed=seed, **extra)
        self.headers = {"Idempotency-Key": f"text-{seed}-{random.random()}"}
        self.dice = random.Random(seed)
        self.cut_after = cut_after
        self.job = None
        self.content = b""
        self.connections = 0
        self.is_over = False
        self.failure = None
        self.has_content = threading.Event()

    def run(self):
        self.until = time.monotonic() + PATIENCE_S
        try:
            while not self.is_over:
                if time.monotonic() > self.until:
                    raise Lost(f"job {self.job}: not whole after {PATIENCE_S} s, {len(self.content)} bytes")
                if not self._read_on():
                    threading.Event().wait(AGAIN_S)
        except Exception as failure:
            self.failure = failure

    def _ask(self):
        replica = self.cluster.replicas[self.dice.choice(self.cluster.alive())]
        self.connections += 1
        if self.job is None:
            return replica.ask("POST", "/v1/chat/completions", self.body, self.headers)
        return replica.ask("GET", f"/v1/longhand/jobs/{self.job}/chat?offset={len(self.content)}")

    def _read_on(self):
        """One connection. False: nothing came of it, now."""
        before = len(self.content)
        try:
            answer = self._ask()
        except (OSError, IndexError):
            return False
        try:
            if answer.status != 200:
                return self._refused(answer)
            self.job = self.job or answer.headers["x-longhand-job"]
            self._read(answer)
        except OSError:
            pass  # it broke: the next one goes on where this one ended
        finally:
            answer.close()
        return len(self.content) > before

    def _refused(self, answer):
        said = answer.read()
        if answer.status not in (429, 503):
            raise Lost(f"job {self.job} at {len(self.content)}: {answer.status} {said!r}")
        return False

    def _read(self, answer):
        left = self.cut_after(self.dice) if self.cut_after else None
        start = len(self.content)
        try:
            for event in answer.events():
                self._take(event)
                if self.is_over or (left is not None and len(self.content) - start >= left):
                    return
        except AssertionError:
            pass  # cut within an event: what was not whole was not read

    def _take(self, event):
        if event.data == "[DONE]":
            self.is_over = True
            return
        said = event.json
        if said is None:
            return
        if "error" in said:
            if said["error"]["code"] not in PASSING:
                raise Lost(f"job {self.job} at {len(self.content)}: {said['error']}")
            return
        for choice in said["choices"]:
            self.content += (choice["delta"].get("content") or "").encode()
        if self.content:
            self.has_content.set()

    def whole(self):
        """The text once it is there; raises what went wrong."""
        self.join(PATIENCE_S + wire.TIMEOUT_S)
        if self.failure:
            raise self.failure
        assert self.is_over
        return self.content


def read_log(cluster, job):
    """The events of a job's log in Redis, checked: in order, without a gap, one end, one text."""
    events = events_of(cluster.log_of(job))
    content = b""
    last = (1, 0)
    for event in events:
        place = tuple(int(part) for part in event["id"].split("-"))
        follows = place == (last[0], last[1] + 1) or (place[0] > last[0] and place[1] == 0 and event["kind"] == "claimed")
        if not follows:
            raise Lost(f"job {job}: {event['id']} after {last}")
        # Entries may land between what a claimant has read and its claim: it knows of no later byte.
        is_stale = event["kind"] == "claimed" and event["at_byte"] < len(content)
        if event["at_byte"] != len(content) and not is_stale:
            raise Lost(f"job {job}: {event['id']} at byte {event['at_byte']}, the text has {len(content)}")
        if event["kind"] == "text":
            content += event["text"].encode()
        last = place
    ends = [event for event in events if event["kind"] in ("done", "failed")]
    if [event["kind"] for event in ends] != ["done"] or events[-1] is not ends[0]:
        raise Lost(f"job {job}: ends {[event['kind'] for event in ends]}, last {events[-1]['kind']}")
    sections = [event["section"] for event in events if event["kind"] == "section_done"]
    if sections != sorted(set(sections)):
        raise Lost(f"job {job}: sections done {sections}")
    return events, content
