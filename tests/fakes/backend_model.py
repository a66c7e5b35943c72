"""What the scripted model understands of a prompt, and what it answers.

All that depends on how Longhand's prompts are worded (config/prompts) stands in the tables at the
top: how many words or items are asked for, the title of the section, what kind of call it is.
"""

import hashlib
import json
import re

from backend_prose import HAN, Prose, count_tokens, count_words, has_han

READ_CHARS = 100_000
NUMBER = r"(\d[\d,]*)"
# The last match in the last user message counts; the tables are tried in order.
WORDS_ASKED = [
    re.compile(rf"(?:about|in|another|exactly|roughly) {NUMBER}(?: more)? (?:words|characters)", re.IGNORECASE),
    re.compile(rf"(?:约|大约|写|共)\s*{NUMBER}\s*(?:个)?(?:字|词)"),
    re.compile(rf"{NUMBER}(?:[- ]| more )words?\b", re.IGNORECASE),
    re.compile(rf"{NUMBER}\s*(?:个)?(?:字|词)"),
]
ITEMS_ASKED = [
    re.compile(r"\bname exactly (\d+) (?:more )?sections", re.IGNORECASE),
    re.compile(r"\bwhat are (\d+) interesting topics", re.IGNORECASE),
    re.compile(
        r"(\d+) (?:more |other |further |different |distinct |short |new )*"
        r"(?:titles|sections|section titles|parts|chapters|headings|items)",
        re.IGNORECASE,
    ),
    re.compile(r"列出(?:正好)?\s*(\d+)\s*(?:个|节|章)"),
]
SECTION_TITLE = [
    re.compile(r"^(?:now write|you are in) section \d+ of \d+: (.+)$", re.IGNORECASE | re.MULTILINE),
    re.compile(r"第\d+节（共\d+节）：(.+)$", re.MULTILINE),
    re.compile(r"^(.+): (?:explain it|write the end of it) in \d+ words", re.MULTILINE),
    re.compile(r"(?:section|part|chapter|heading|titled)[:,]? [\"“「]([^\"”」\n]+)[\"”」]", re.IGNORECASE),
    re.compile(r"[“「《]([^”」》\n]+)[”」》]\s*(?:这一|一)?(?:节|部分|章)"),
]
# Where the client's own request stands; else the whole first user message is it.
REQUEST = [
    re.compile(r"^The request:\n(.+?)(?:\n\n|\Z)", re.DOTALL | re.MULTILINE),
    re.compile(r"^写作要求：\n(.+?)(?:\n\n|\Z)", re.DOTALL | re.MULTILINE),
    re.compile(r"with facts about (.+?)\."),
    re.compile(r"interesting topics about (.+?)\?"),
    re.compile(r"two sentences about the future of (.+?)\."),
]
# role: patterns of which one must be found in the last user message; the first role found is it.
ROLES = [
    ("summarise", [r"\bsummari[sz]e (?:this|the) (?:text|section|part)\b", r"概括(?:以上|上文|这一)"]),
    ("plan", [
        r"\bname exactly \d+ (?:more )?sections\b",
        r"\bwhat are \d+ interesting topics about\b",
        r"\b(?:name|list|give|plan)\b[^.\n]{0,40}\b\d+\b[^.\n]{0,40}\b(?:titles|sections|headings)\b",
        r"列出(?:正好)?\d+(?:节|个)[^。\n]{0,20}",
    ]),
    ("write", [
        r"\bwrite (?:only )?(?:the|this|its) (?:\w+ ){0,2}(?:section|part|chapter|ending|closing)\b",
        r"\b(?:explain it|write the end of it) in \d+ words\b",
        r"\bgo on exactly where it breaks off\b",
        r"\bfinish with two sentences about the future of\b",
        r"\banswer with the text itself\b",
        r"\nwrite about \d+ words\.\s*\Z",
        r"只写(?:这一节|结尾|正文|其中|“)",
        r"从中断处接着写",
        r"\n约\d+字。\s*\Z",
    ]),
]
ROLES = [(role, [re.compile(p, re.IGNORECASE) for p in patterns]) for role, patterns in ROLES]
STOP_WORDS = """write about words word text section please only with that this from into your have will
story article essay report short long novel paper title titles other different name more than each what which
their there they them should would could between where when while under over after before language english
chinese piece based following using used make made include including least contain thousand hundred"""
REFUSAL = {"en": "I'm sorry, but I can't help with that request.", "zh": "抱歉，我无法协助完成这个请求。"}
DEFAULT_WORDS = {"write": 300, "chat": 60, "summarise": 40, "plan": 60}


def message_text(message):
    """The text of one chat message, its parts joined; of a very long one, its two ends."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(p.get("text", "") for p in content if isinstance(p, dict))
    if not isinstance(content, str):
        return ""
    return content if len(content) < 2 * READ_CHARS else content[:READ_CHARS] + content[-READ_CHARS:]


def request_digest(body):
    """A hash of the request that does not depend on whether it is streamed."""
    body = {k: v for k, v in body.items() if k not in ("stream", "stream_options")}
    return hashlib.md5(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _last_number(patterns, text):
    for pattern in patterns:
        found = pattern.findall(text)
        if found:
            return int(found[-1].replace(",", ""))
    return None


def _request_in(text):
    for pattern in REQUEST:
        if found := pattern.search(text):
            return found.group(1)
    return ""


def _schema_of(body):
    form = body.get("response_format")
    if not isinstance(form, dict) or form.get("type") not in ("json_schema", "json_object"):
        return None
    return (form.get("json_schema") or {}).get("schema") or {}


class Prompt:
    """A chat completion request, understood."""

    def __init__(self, body):
        messages = body.get("messages")
        self.body = body
        self.messages = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
        users = [message_text(m) for m in self.messages if m.get("role") == "user"]
        self.last = users[-1] if users else ""
        everything = "\n".join(users)
        self.prefix = ""
        if self.messages and self.messages[-1].get("role") == "assistant":
            self.prefix = message_text(self.messages[-1])
        self.schema = _schema_of(body)
        self.role = self._role()
        self.words = _last_number(WORDS_ASKED, self.last)
        if self.words is None and "two sentences" in self.last:
            self.words = 30
        self.items = _last_number(ITEMS_ASKED, self.last)
        titles = [found[-1] for p in SECTION_TITLE if (found := p.findall(self.last))]
        self.title = titles[0] if titles else ""
        han = len(HAN.findall(everything))
        self.language = "zh" if han * 3 > count_words(everything) else "en"
        self.subject = self._subject(_request_in(self.last) or (users[0] if users else ""))
        self.tokens = sum(count_tokens(message_text(m)) + 4 for m in self.messages)

    def _role(self):
        if self.schema is not None:
            return "plan"
        for role, patterns in ROLES:
            if any(p.search(self.last) for p in patterns):
                return role
        return "chat"

    def _subject(self, request):
        if self.language == "zh":
            runs = re.findall(r"[\u4e00-\u9fff]{2,}", self.title or request)
            return max(runs, key=len)[:4] if runs else ""
        stop = set(STOP_WORDS.split())
        words = [w for w in re.findall(r"[A-Za-z]{4,}", request) if w.lower() not in stop]
        return max(words, key=len).lower() if words else ""


class Answer:
    """text, reasoning, finish_reason and the tokens of both sides."""

    def __init__(self, text, finish_reason, prompt_tokens):
        self.text = text
        self.reasoning = ""
        self.finish_reason = finish_reason
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = count_tokens(text)


class Model:
    """Answers prompts as a script's behaviour says; remembers only its first text."""

    def __init__(self, seed):
        self.seed = seed
        self.first_text = None

    def answer(self, prompt, behaviour):
        """The answer, the same for the same request and seed."""
        digest = request_digest(prompt.body)
        seed = f"{self.seed}-{digest}"
        language = behaviour["language"] or prompt.language
        prose = Prose(seed, language, prompt.subject)
        text, finish = self._text(prompt, behaviour, prose), "stop"
        limits = [prompt.body.get(k) for k in ("max_tokens", "max_completion_tokens", "n_predict")]
        limits = [n for n in limits if isinstance(n, int)]
        if behaviour["max_tokens"] == "obey" and limits and count_tokens(text) > min(limits):
            text, finish = cut_tokens(text, min(limits)), "length"
        answer = Answer(text, behaviour["finish_reason"] or finish, prompt.tokens)
        answer.reasoning = behaviour["reasoning"] or ""
        return answer

    def _text(self, prompt, behaviour, prose):
        if behaviour["text"] is not None:
            return behaviour["text"]
        if behaviour["refuse"]:
            return REFUSAL[prose.language]
        if prompt.role == "plan":
            return plan_text(prompt, behaviour, prose)
        text = self._write(prompt, behaviour, prose)
        if self.first_text is None:
            self.first_text = text
        if behaviour["repeat_first"]:
            text = self.first_text
        text = faulty(text, behaviour, prose.language)
        return decorated(text, prompt, behaviour)

    def _write(self, prompt, behaviour, prose):
        words = behaviour["words"]
        if words is None:
            factor = behaviour["factor"]
            if isinstance(factor, list):
                factor = prose.random.uniform(*factor)
            words = max(1, round(factor * (prompt.words or DEFAULT_WORDS[prompt.role])))
        if not prompt.prefix or not continues(prompt, behaviour):
            return prose.text(words)
        rest = continuation(prompt.prefix, prose, words - count_words(prompt.prefix))
        return prompt.prefix + rest if behaviour["continues"] == "echo" else rest


def continues(prompt, behaviour):
    """Whether the answer goes on from the last message, the assistant's."""
    if behaviour["continues"] == "vllm":
        flags = prompt.body
        return flags.get("continue_final_message") is True and flags.get("add_generation_prompt") is False
    return behaviour["continues"] in ("yes", "echo")


def continuation(prefix, prose, words):
    """Goes on from `prefix`: an open sentence is ended first, then whole ones follow."""
    text, gap = prose.text(max(words, 1)), "" if prose.language == "zh" else " "
    if prefix.rstrip()[-1:] not in ".!?。！？\"”":
        text = text[0].lower() + text[1:]
    return text if prefix[-1:].isspace() else gap + text


def cut_tokens(text, tokens):
    """The first so many tokens of the text, cut between words."""
    used = 0.0
    for match in re.finditer(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", text):
        used += 1 if has_han(match.group()) else 1.35
        if used > tokens + 0.001:
            return text[: match.start()].rstrip()
    return text


def _sentences(text):
    return re.findall(r"[^.。]+[.。]\s*", text)


def _first_words(text, words):
    kept, total = [], 0
    for sentence in _sentences(text):
        kept.append(sentence)
        total += count_words(sentence)
        if total >= words:
            break
    return "".join(kept)


def faulty(text, behaviour, language):
    """The text with what goes wrong inside it."""
    if behaviour["stop_after"] is not None:
        text = _first_words(text, behaviour["stop_after"]).rstrip()
    if behaviour["loop_after"] is not None:
        start = _first_words(text, behaviour["loop_after"])
        phrase = "".join(_sentences(start)[-2:])
        if language == "en":
            phrase = phrase.rstrip() + " "
        lack = max(count_words(text) - count_words(start), 4 * count_words(phrase))
        text = start + (phrase * (lack // max(count_words(phrase), 1) + 1)).rstrip()
    if behaviour["cut"]:
        last = _sentences(text)[-1] if _sentences(text) else text
        text = text[: len(text) - (len(last) + 1) // 2].rstrip(" .。")
    return text


def decorated(text, prompt, behaviour):
    """The text with what models put around it."""
    if behaviour["echo_title"] and prompt.title:
        mark = "## " if behaviour["echo_title"] == "markdown" else ""
        text = f"{mark}{prompt.title}\n\n{text}"
    if behaviour["mark"]:
        text = f"Section 3: {prompt.title or 'The Next Part'}\n\n{text}"
    if behaviour["echo_prompt"]:
        text = f"{prompt.last}\n\n{text}"
    text = behaviour["opening"] + text + behaviour["closing"]
    if behaviour["think"]:
        text = f"<think>\n{behaviour['think']}\n</think>\n\n{text}"
    return text


# --- plans ---


def _titles(prose, count, fault):
    titles = []
    while len(titles) < count:
        title = prose.title()
        if title not in titles:
            titles.append(title)
    if fault == "duplicates":
        titles = [titles[0]] * count
    if fault == "near_duplicates":
        titles = [f"{titles[0]} {word}" for word in ("", "Again", "Anew", "Once More")] * count
        titles = [t.strip() for t in titles[:count]]
    return titles


def _instance(schema, prose, titles, name=""):
    """An instance of a JSON schema; strings called title come from `titles`, in order."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        return {key: _instance(sub, prose, titles, key) for key, sub in schema.get("properties", {}).items()}
    if kind == "array":
        return [_instance(schema.get("items", {}), prose, titles, name) for _ in range(len(titles))]
    if kind in ("integer", "number"):
        return 300
    if kind == "boolean":
        return True
    if titles and not re.search(r"point|summary|detail|language", name):
        return titles.pop(0)
    return prose.sentence()


def _array_bounds(schema):
    if schema.get("type") == "array":
        return schema.get("minItems"), schema.get("maxItems")
    for sub in schema.get("properties", {}).values():
        if isinstance(sub, dict) and (found := _array_bounds(sub)):
            return found
    return None


def plan_text(prompt, behaviour, prose):
    """The answer to a call that asks for a plan, as good or bad as the script says."""
    fault = behaviour["plan"]
    if fault in ("empty", "refuse"):
        return "" if fault == "empty" else REFUSAL[prose.language]
    if fault == "prose":
        return prose.text(120)
    low, high = (_array_bounds(prompt.schema or {}) or (None, None))
    count = behaviour["plan_items"] or prompt.items or low or high or 5
    count = {"too_few": (count + 1) // 2, "too_many": count + 4}.get(fault, count)
    titles = _titles(prose, count, fault)
    if prompt.schema is None or behaviour["schema"] == "ignore":
        lines = "\n".join(f"{at}. {title}" for at, title in enumerate(titles, 1))
        if prompt.prefix.rstrip().endswith(("1.", "1. The")) and continues(prompt, behaviour):
            lines = lines.removeprefix("1.")
            return prompt.prefix + lines if behaviour["continues"] == "echo" else lines
        return f"Sure! Here is the plan:\n\n{lines}\n\nI hope this helps!" if fault == "chatty" else lines
    schema = prompt.schema or {"type": "object", "properties": {"titles": {"type": "array"}}}
    text = json.dumps(_instance(schema, prose, titles), ensure_ascii=False)
    if fault == "bad_json":
        return text[: len(text) * 2 // 3]
    if fault == "fenced":
        return f"```json\n{text}\n```"
    if fault == "chatty":
        return f"Sure! Here is the plan:\n\n{text}\n\nI hope this helps!"
    return text
