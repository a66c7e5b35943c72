"""What all gates share: which files there are, C without its comments, and how faults are told."""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
C_DIRECTORIES = ("server", "client", "tests")

_C_PARTS = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


class Fault:
    """One thing that is wrong, where it can be found."""

    def __init__(self, path: Path | str, line: int, text: str) -> None:
        self.path, self.line, self.text = str(path), line, text

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def c_files(root: Path) -> list[Path]:
    """All C sources and headers, in a fixed order."""
    found = []
    for directory in C_DIRECTORIES:
        for ending in ("*.c", "*.h"):
            found += (root / directory).rglob(ending)
    return sorted(path for path in found if "node_modules" not in path.parts)


def blank(text: str) -> str:
    """The text as blanks, its lines kept."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text: str) -> str:
    """C with comments and the inside of literals blanked; offsets and lines stay."""

    def replace(match: re.Match[str]) -> str:
        part = match.group()
        if part[0] in "\"'":
            return part[0] + blank(part[1:-1]) + part[-1]
        return blank(part)

    return _C_PARTS.sub(replace, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def run(gate: Callable[[Path], Iterable[Fault]]) -> None:
    """Runs a gate on the tree (or on the root given) and exits 1 when it found something."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    faults = list(gate(root))
    for fault in faults:
        print(fault)
    if not c_files(root):
        sys.exit(f"no C files under {root}: nothing was checked")
    sys.exit(1 if faults else 0)
