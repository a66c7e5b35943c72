"""Gate: how long, complex, nested and many-handed a function may be. Lizard finds the functions
and measures all but the nesting."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import lizard
from nesting import max_nesting
from source import Fault, c_files, code_only, run

LIMITS = {"lines": 60, "cyclomatic complexity": 15, "nested structures": 3, "parameters": 5}

# file:function to the one figure that may be over its limit, and why.
EXCEPTIONS = {
    "server/http/connection.c:on_mhd_request": ("parameters", "libmicrohttpd's signature"),
}


def body_of(lines: list[str], function: lizard.FunctionInfo) -> str:
    text = "\n".join(lines[function.start_line - 1 : function.end_line])
    return text[text.index("{") :]


def figures(lines: list[str], function: lizard.FunctionInfo) -> dict[str, int]:
    return {
        "lines": function.length,
        "cyclomatic complexity": function.cyclomatic_complexity,
        "nested structures": max_nesting(body_of(lines, function)),
        "parameters": function.parameter_count,
    }


def faults_of(name: Path, lines: list[str], function: lizard.FunctionInfo) -> Iterator[Fault]:
    allowed = EXCEPTIONS.get(f"{name}:{function.name}", ("", ""))[0]
    for what, value in figures(lines, function).items():
        if value > LIMITS[what] and what != allowed:
            text = f"{function.name} has {value} {what}, {LIMITS[what]} are allowed"
            yield Fault(name, function.start_line, text)


def gate(root: Path) -> Iterable[Fault]:
    for path in c_files(root):
        name = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        lines = code_only(text).splitlines()
        for function in lizard.analyze_file.analyze_source_code(str(path), text).function_list:
            yield from faults_of(name, lines, function)


if __name__ == "__main__":
    run(gate)
