"""Gate: who may include whom, which library belongs where, guards, and headers that say what
they are."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from source import Fault, c_files, line_of, run

PORTS = ("model/model.h", "store/store.h")

# A directory of server/ to the directories and headers that it may include beside its own.
MATRIX: dict[str, tuple[str, ...]] = {
    "base": (),
    "async": ("base",),
    "loop": ("async", "base"),
    "http": ("loop", "async", "base"),
    "model": ("loop", "async", "base"),
    "store": ("loop", "async", "base"),
    "writing": ("base",),
    "job": ("writing", *PORTS, "async", "base"),
    "api": ("http", "job", "writing", *PORTS, "async", "base"),
}
# The ports know neither their makers nor the loop.
PORT_MATRIX = ("async", "base")
# server/main.c and server/app*: everything; server/settings*: base and themselves.
ROOT_ANYTHING = re.compile(r"(main|app\w*)\.[ch]$")

# A library's headers to where they belong.
LIBRARIES = (
    (re.compile(r"uv\.h$|uv/"), ("server/loop/",)),
    (re.compile(r"curl/"), ("server/loop/", "client/")),
    (re.compile(r"hiredis/"), ("server/loop/",)),
    (re.compile(r"microhttpd\.h$"), ("server/http/",)),
    (re.compile(r"yaml\.h$"), ("server/settings_file.c",)),
    (re.compile(r"utf8proc\.h$"), ("server/base/text.c",)),
    (re.compile(r"nettle/"), ("server/base/", "server/api/")),
)

INCLUDE = re.compile(r"""^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]""", re.MULTILINE)


def layer(name: Path) -> str:
    """The directory below server/, "" for files in server/ itself."""
    return name.parts[1] if len(name.parts) > 2 else ""


def may_include(name: Path, target: str) -> bool:
    inside = name.relative_to("server").as_posix()
    own = layer(name)
    if own == "":
        is_settings = name.name.startswith("settings")
        if ROOT_ANYTHING.match(name.name):
            return True
        return is_settings and (target.startswith("base/") or target.startswith("settings"))
    allowed = PORT_MATRIX if inside in PORTS else (own, *MATRIX.get(own, ()))
    return target in allowed or target.split("/")[0] in allowed


def project_faults(name: Path, text: str) -> Iterator[Fault]:
    for match in INCLUDE.finditer(text):
        quote, target = match.groups()
        line = line_of(text, match.start())
        if quote == "<" or target.endswith(".inc"):
            continue
        if layer(name) and "/" not in target:
            yield Fault(name, line, f'"{target}": paths are relative to server/')
        elif not may_include(name, target):
            yield Fault(name, line, f'{layer(name) or name.name} may not include "{target}"')


def library_faults(name: Path, text: str) -> Iterator[Fault]:
    for match in INCLUDE.finditer(text):
        for pattern, places in LIBRARIES:
            if pattern.match(match.group(2)) and not name.as_posix().startswith(places):
                text_ = f"<{match.group(2)}> belongs to {' and '.join(places)}"
                yield Fault(name, line_of(text, match.start()), text_)


def header_faults(name: Path, text: str) -> Iterator[Fault]:
    parts = name.parts[1:] if name.parts[0] == "server" else name.parts
    guard = "LONGHAND_" + re.sub(r"\W", "_", "_".join(parts)).upper()
    if f"#ifndef {guard}\n#define {guard}\n" not in text:
        yield Fault(name, 1, f"the guard is not {guard}")
    if not re.match(rf"/\* {name.stem} - ", text):
        yield Fault(name, 1, f'a header begins with "/* {name.stem} - what it is"')


def own_header_faults(name: Path, root: Path, text: str) -> Iterator[Fault]:
    """X.c includes X.h before anything else, so that each header stands alone."""
    header = name.with_suffix(".h")
    if not (root / header).exists():
        return
    first = INCLUDE.search(text)
    if first is None or first.group(2) != header.relative_to(name.parts[0]).as_posix():
        yield Fault(name, 1, f"the first include is not {header.name}")


def gate(root: Path) -> Iterable[Fault]:
    for path in c_files(root):
        name = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if name.parts[0] == "server":
            yield from project_faults(name, text)
        if name.parts[0] != "tests":
            yield from library_faults(name, text)
            if name.suffix == ".h":
                yield from header_faults(name, text)
            else:
                yield from own_header_faults(name, root, text)


if __name__ == "__main__":
    run(gate)
