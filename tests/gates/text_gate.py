"""Gate: file length, line length, banned functions and words, gotos that go back."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from source import Fault, c_files, code_only, line_of, run

FILE_LINES_MAX = 500
LINE_COLUMNS_MAX = 100
TAB_COLUMNS = 8

# Function to what stands in for it.
BANNED = {
    "strcpy": "buf_append or memcpy with a known length",
    "strncpy": "mem_copy or buf_append",
    "strcat": "buf_append",
    "strncat": "buf_append",
    "sprintf": "snprintf or buf_printf",
    "vsprintf": "vsnprintf",
    "strtok": "strcspn",
    "gets": "read",
    "atoi": "strict parsing",
    "atol": "strict parsing",
    "atoll": "strict parsing",
    "atof": "strict parsing",
    "alloca": "a fixed array or mem_alloc",
    "system": "nothing",
    "tmpnam": "mkstemp",
}
# Only in server/ and client/: tests may allocate as they like.
BANNED_IN_PRODUCT = {name: "base/mem.h" for name in ("malloc", "calloc", "realloc", "free")} | {
    name: "mem_strdup, mem_copy" for name in ("strdup", "strndup", "asprintf", "vasprintf")
}
# Where a banned function is right, and why.
ALLOWED = {
    ("server/base/mem.c", "malloc"): "this is where it is wrapped",
    ("server/base/mem.c", "calloc"): "this is where it is wrapped",
    ("server/base/mem.c", "realloc"): "this is where it is wrapped",
    ("server/base/mem.c", "free"): "this is where it is wrapped",
    ("server/base/text.c", "free"): "utf8proc's own memory",
}

# Spelled so that this file does not hold them.
MARKS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
MARKED_ENDINGS = {".c", ".h", ".py", ".sh", ".js", ".mjs", ".yaml", ".yml", ".txt", ".md", ""}
MARKED_PLACES = ("server", "client", "tests", "config", "deploy", "docs", ".ci", "Makefile")
SKIPPED = {"node_modules", "__pycache__", ".pytest_cache", "data"}


def columns(line: str) -> int:
    return len(line.expandtabs(TAB_COLUMNS))


def size_faults(name: Path, text: str) -> Iterator[Fault]:
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield Fault(name, 1, f"{len(lines)} lines, {FILE_LINES_MAX} are allowed")
    for number, line in enumerate(lines, 1):
        if columns(line) > LINE_COLUMNS_MAX:
            yield Fault(name, number, f"{columns(line)} columns, {LINE_COLUMNS_MAX} are allowed")


def banned_faults(name: Path, code: str) -> Iterator[Fault]:
    banned = dict(BANNED)
    if name.parts[0] in ("server", "client"):
        banned |= BANNED_IN_PRODUCT
    for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", code):
        function = match.group(1)
        if function in banned and (name.as_posix(), function) not in ALLOWED:
            text = f"{function} is banned; use {banned[function]}"
            yield Fault(name, line_of(code, match.start()), text)
    for match in re.finditer(r"\btypedef\s+(struct|union|enum)\b[^;(]*[;{]", code):
        text = "a typedef hides what it is: write struct, union or enum"
        yield Fault(name, line_of(code, match.start()), text)


def goto_faults(name: Path, code: str) -> Iterator[Fault]:
    """A label lies behind its gotos, in the same function (functions end with } in column 1)."""
    for match in re.finditer(r"\bgoto\s+(\w+)", code):
        end = code.find("\n}", match.end())
        body = code[match.end() : end if end >= 0 else len(code)]
        if re.search(rf"^\s*{match.group(1)}\s*:", body, re.MULTILINE) is None:
            yield Fault(name, line_of(code, match.start()), "goto goes forward only")


def marked_files(root: Path) -> Iterator[Path]:
    for place in MARKED_PLACES:
        top = root / place
        for path in sorted([top] if top.is_file() else top.rglob("*")):
            if path.is_file() and path.suffix in MARKED_ENDINGS and not SKIPPED & set(path.parts):
                yield path


def mark_faults(root: Path) -> Iterator[Fault]:
    for path in marked_files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in MARKS.finditer(text):
            line = line_of(text, match.start())
            yield Fault(path.relative_to(root), line, f"{match.group()}: do it or say it in docs/")


def gate(root: Path) -> Iterable[Fault]:
    for path in c_files(root):
        name = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        code = code_only(text)
        yield from size_faults(name, text)
        yield from banned_faults(name, code)
        yield from goto_faults(name, code)
    yield from mark_faults(root)


if __name__ == "__main__":
    run(gate)
