"""Gate: every setting of server/settings_table.h is in --help, in config/longhand.yaml and in
docs/settings.md, exactly as the program prints them, and is read by the wiring (server/app*.c,
server/main.c): a setting that nobody reads is a promise that nobody keeps."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from source import Fault, code_only, line_of, run

TABLE = "server/settings_table.h"
SAMPLE = "config/longhand.yaml"
DOCS = "docs/settings.md"
BINARY = "build/longhandd"

# What the wiring reads in place of a setting.
READ_AS = {"default_backend": "settings_default_backend", "key_env": "key"}

_MACRO = re.compile(r"#define (\w*SETTINGS)\((?:G, )?X\)((?:.*\\\n)*.*\n)")
_ROW = re.compile(r"\bX\(\s*(\w+)\s*,\s*(\w+)\s*,")


class Row:
    def __init__(self, table: str, name: str, kind: str, line: int) -> None:
        self.table, self.name, self.kind, self.line = table, name, kind, line

    def flag(self) -> str | None:
        """Without its dashes; None where a setting has none."""
        if self.table == "SETTINGS":
            name = self.name
        elif self.table != "BACKEND_SETTINGS" or self.kind == "MAP":
            return None
        else:
            name = {"url": "backend", "model": "model"}.get(self.name, "backend_" + self.name)
        return name.replace("_", "-")


def rows_of(text: str) -> list[Row]:
    rows = []
    for macro in _MACRO.finditer(text):
        for row in _ROW.finditer(macro.group(2)):
            line = line_of(text, macro.start(2) + row.start())
            rows.append(Row(macro.group(1), row.group(1), row.group(2), line))
    return rows


def read(root: Path, name: str) -> str:
    path = root / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def text_faults(root: Path, rows: list[Row]) -> Iterator[Fault]:
    sample, docs = read(root, SAMPLE), read(root, DOCS)
    for row in rows:
        if re.search(rf"^#? *{row.name}:", sample, re.MULTILINE) is None:
            yield Fault(TABLE, row.line, f"{row.name} is not in {SAMPLE}")
        if f"| `{row.name}` |" not in docs:
            yield Fault(TABLE, row.line, f"{row.name} is not in {DOCS}")


def use_faults(root: Path, rows: list[Row]) -> Iterator[Fault]:
    wiring = sorted((root / "server").glob("app*.[ch]"))
    if not wiring:
        return
    sources = [*wiring, root / "server" / "main.c"]
    code = "".join(code_only(path.read_text(encoding="utf-8")) for path in sources if path.exists())
    for row in rows:
        name = READ_AS.get(row.name, row.name)
        if re.search(rf"(->|\.|\b(?=settings_)){name}\b", code) is None:
            yield Fault(TABLE, row.line, f"{row.name} ({row.table}) is read by nobody")


def printed(root: Path, flag: str) -> str:
    done = subprocess.run([root / BINARY, flag], capture_output=True, text=True, check=True)
    return done.stdout


def binary_faults(root: Path, rows: list[Row]) -> Iterator[Fault]:
    if not (root / "server" / "main.c").exists():
        return
    if not (root / BINARY).exists():
        yield Fault(BINARY, 1, "is not built; run make first")
        return
    text = printed(root, "--help")
    for row in rows:
        flag = row.flag()
        if flag is not None and re.search(rf"^  --{flag}\b", text, re.MULTILINE) is None:
            yield Fault(TABLE, row.line, f"--{flag} is not in --help")
    for name, flag in ((SAMPLE, "--print-config"), (DOCS, "--print-docs")):
        if printed(root, flag) != read(root, name):
            yield Fault(name, 1, f"differs from {BINARY} {flag}; write it anew")


def gate(root: Path) -> Iterable[Fault]:
    rows = rows_of(read(root, TABLE))
    if not rows:
        yield Fault(TABLE, 1, "holds no settings")
    yield from text_faults(root, rows)
    yield from use_faults(root, rows)
    yield from binary_faults(root, rows)


if __name__ == "__main__":
    run(gate)
