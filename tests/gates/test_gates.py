"""Each gate must find what it is there for, and nothing in what is right."""

import subprocess
import sys
from pathlib import Path

import pytest
from nesting import max_nesting

GATES = Path(__file__).parent

HEADER = "/* thing - what it is. */\n#ifndef {guard}\n#define {guard}\n{body}#endif\n"


def header(guard: str, body: str = "") -> str:
    return HEADER.format(guard=guard, body=body)


def function(lines: list[str], parameters: str = "void") -> str:
    return "\n".join([f"static int probe({parameters})", "{", *lines, "\treturn 0;", "}", ""])


# A small tree that is right in every respect.
RIGHT = {
    "server/main.c": "int main(void)\n{\n\treturn 0;\n}\n",
    "server/app.c": '#include "api/thing.h"\nint use(struct settings *s)\n'
    "{\n\treturn s->speed_ms + s->url + s->mode;\n}\n",
    "server/base/thing.h": header("LONGHAND_BASE_THING_H"),
    "server/base/thing.c": '#include "base/thing.h"\n#include <string.h>\n'
    + function(["\tif (1)", "\t\tgoto out;", "out:"]),
    "server/api/thing.h": header("LONGHAND_API_THING_H", '#include "job/thing.h"\n'),
    "server/job/thing.h": header("LONGHAND_JOB_THING_H", '#include "model/model.h"\n'),
    "server/loop/thing.h": header("LONGHAND_LOOP_THING_H", "#include <uv.h>\n"),
    "server/settings_table.h": "/* settings_table - rows. */\n"
    "#ifndef LONGHAND_SETTINGS_TABLE_H\n#define LONGHAND_SETTINGS_TABLE_H\n"
    '#define SETTINGS(G, X) \\\n\tG("Group") \\\n\tX(speed_ms, MS, "1", 0, 9, NULL, true, "h")\n'
    '#define BACKEND_SETTINGS(X) X(url, URL, "", 0, 0, NULL, true, "h")\n'
    '#define PRESET_SETTINGS(X) X(mode, ENUM, "a", 0, 0, "a", true, "h")\n#endif\n',
    "config/longhand.yaml": "speed_ms: 1\nbackends:\n  default:\n    url: x\n"
    "#    mode: a\n",
    "docs/settings.md": "| `speed_ms` | `1` |\n| `url` |\n| `mode` |\n",
    "client/main.c": "int main(void)\n{\n\treturn 0;\n}\n",
}
HELP = "  --speed-ms MS\n  --backend URL\n"


def write_tree(root: Path, changes: dict[str, str]) -> None:
    for name, text in (RIGHT | changes).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_binary(root, HELP)


def write_binary(root: Path, help_text: str) -> None:
    """A program that prints what longhandd would."""
    path = root / "build" / "longhandd"
    path.parent.mkdir(exist_ok=True)
    (root / "build" / "help").write_text(help_text, encoding="utf-8")
    path.write_text(
        '#!/bin/sh\ncd "$(dirname "$0")"\ncase $1 in\n--help) cat help;;\n'
        "--print-config) cat ../config/longhand.yaml;;\n*) cat ../docs/settings.md;;\nesac\n",
        encoding="utf-8",
    )
    path.chmod(0o755)


def run_gate(name: str, root: Path) -> tuple[int, str]:
    command = [sys.executable, str(GATES / f"{name}_gate.py"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", ["function", "text", "include", "settings"])
def test_a_right_tree_passes(name: str, tmp_path: Path) -> None:
    write_tree(tmp_path, {})
    assert run_gate(name, tmp_path) == (0, "")


def nested(levels: int) -> list[str]:
    return ["\t" * (i + 1) + "if (probe())" for i in range(levels)] + ["\t" * (levels + 1) + ";"]


CASE = "server/base/case.c"
MARK = "TO" + "DO"
BAD = [
    ("function", CASE, function(['\tputs("x");'] * 57), "61 lines"),
    ("function", CASE, function(["\tif (probe())", "\t\treturn 1;"] * 15), "16 cyclomatic"),
    ("function", CASE, function(nested(4)), "4 nested structures"),
    ("function", CASE, function([], "int a, int b, int c, int d, int e, int f"), "6 parameters"),
    ("text", CASE, "\n" * 501, "501 lines"),
    ("text", CASE, "int x; /*" + "-" * 90 + "*/\n", "101 columns"),
    ("text", CASE, "\t" * 12 + "int x;\n", "102 columns"),
    ("text", CASE, "void f(char *a)\n{\n\tstrcpy(a, a);\n}\n", "strcpy is banned"),
    ("text", CASE, "void f(void)\n{\n\tg(malloc (3));\n}\n", "malloc is banned"),
    ("text", "client/case.c", "void f(void *a)\n{\n\tfree(a);\n}\n", "free is banned"),
    ("text", "tests/case.c", "int f(char *a)\n{\n\treturn atoi(a);\n}\n", "atoi is banned"),
    ("text", CASE, "typedef struct thing { int x; } thing;\n", "a typedef hides"),
    ("text", CASE, "void f(void)\n{\nagain:\n\tgoto again;\n}\n", "goto goes forward"),
    ("text", CASE, f"/* {MARK} later */\n", MARK),
    ("text", "deploy/setup", f"#!/bin/bash\n# {MARK}\n", MARK),
    ("include", "server/writing/case.c", '#include "async/op.h"\n', "writing may not include"),
    ("include", "server/base/case.c", '#include "model/model.h"\n', "base may not include"),
    ("include", "server/api/case.c", '#include "model/backend.h"\n', "api may not include"),
    ("include", "server/job/case.c", '#include "http/reply.h"\n', "job may not include"),
    ("include", "server/model/model.h", '#include "loop/x.h"\n', "model may not include"),
    ("include", "server/settings_x.c", '#include "api/x.h"\n', "settings_x.c may not include"),
    ("include", "server/base/case.c", '#include "thing.h"\n', "relative to server/"),
    ("include", "server/model/case.c", "#include <uv.h>\n", "<uv.h> belongs to"),
    ("include", "server/model/case.c", "#include <curl/curl.h>\n", "belongs to server/loop/"),
    ("include", "server/api/case.c", "#include <microhttpd.h>\n", "belongs to server/http/"),
    ("include", "server/base/thing.c", '#include <a.h>\n#include "base/thing.h"\n', "the first"),
    ("include", "server/base/case.h", header("CASE_H"), "the guard is not LONGHAND_BASE_CASE_H"),
    ("include", "server/base/case.h", "int x;\n", 'begins with "/* case - '),
    ("settings", "config/longhand.yaml", "url: x\nmode: x\n", "speed_ms is not in con"),
    ("settings", "docs/settings.md", "| `url` | `mode` |\n", "speed_ms is not in docs"),
    ("settings", "server/app.c", "int use;\n", "mode (PRESET_SETTINGS) is read by nobody"),
    ("settings", "server/settings_table.h", "\n", "holds no settings"),
]


@pytest.mark.parametrize(("name", "path", "text", "says"), BAD, ids=[row[3] for row in BAD])
def test_what_is_wrong_is_found(name: str, path: str, text: str, says: str, tmp_path: Path) -> None:
    write_tree(tmp_path, {path: text})
    code, output = run_gate(name, tmp_path)
    assert code == 1
    assert says in output
    assert path in output or name == "settings"


def test_a_flag_that_help_does_not_list_is_found(tmp_path: Path) -> None:
    write_tree(tmp_path, {})
    write_binary(tmp_path, "  --backend URL\n")
    code, output = run_gate("settings", tmp_path)
    assert (code, "--speed-ms is not in --help" in output) == (1, True)


def test_a_sample_that_is_not_what_the_program_prints_is_found(tmp_path: Path) -> None:
    write_tree(tmp_path, {})
    binary = tmp_path / "build" / "longhandd"
    binary.write_text(binary.read_text().replace("cat ../config", "cat help ../config"))
    code, output = run_gate("settings", tmp_path)
    assert (code, "differs from build/longhandd --print-config" in output) == (1, True)


def test_an_empty_tree_is_not_a_clean_one(tmp_path: Path) -> None:
    command = [sys.executable, str(GATES / "function_gate.py"), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_words_in_comments_and_literals_are_no_code(tmp_path: Path) -> None:
    write_tree(tmp_path, {CASE: '/* strcpy(a, b) */\nconst char *x = "malloc(1)"; // free(x)\n'})
    assert run_gate("text", tmp_path) == (0, "")


NESTING = [
    ("{ a(); }", 0),
    ("{ if (a) b(); }", 1),
    ("{ if (a) b(); else if (c) d(); else if (e) f(); else g(); }", 1),
    ("{ if (a) { for (;;) while (b) c(); } else d(); }", 3),
    ("{ do { if (a) b(); } while (c); }", 2),
    ("{ switch (a) { case 1: if (b) c(); break; default: d(); } }", 2),
    ("{ LIST_EACH(a, &b) { if (c) d(); } }", 2),
    ("{ int x[] = { 1, 2 }; if (a) b(); }", 1),
    ("{ out: if (a) if (b) c(); }", 2),
    ("{ a = b ? c : d; if (a) b(); }", 1),
]


@pytest.mark.parametrize(("code", "depth"), NESTING)
def test_nesting(code: str, depth: int) -> None:
    assert max_nesting(code) == depth
