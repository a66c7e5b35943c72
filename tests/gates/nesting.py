"""How deep the control structures of a C function are nested; else-if chains are one level.

lizard's own figure counts every else-if as one level more, so this one is ours: a walk over the
statements, no more of C than that needs.
"""

import re

_TOKEN = re.compile(r"\w+|\S")
_OPENING, _CLOSING = "([{", ")]}"
# Macros that are loops.
LOOPS = {"for", "while", "switch", "LIST_EACH"}


class _Walk:
    def __init__(self, code: str) -> None:
        self.tokens = _TOKEN.findall(code)
        self.at = 0
        self.deepest = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def skip_group(self) -> None:
        """From an opening bracket to behind its closing one."""
        depth = 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            depth += (token in _OPENING) - (token in _CLOSING)
            self.at += 1
            if depth == 0:
                return

    def skip_until(self, end: str) -> None:
        while self.peek() not in (end, ""):
            if self.peek() in _OPENING:
                self.skip_group()
            else:
                self.at += 1
        self.at += 1

    def block(self, depth: int) -> None:
        self.at += 1
        while self.peek() not in ("}", ""):
            self.statement(depth)
        self.at += 1

    def body(self, depth: int) -> None:
        self.deepest = max(self.deepest, depth)
        self.statement(depth)

    def branch(self, depth: int) -> None:
        while True:
            self.at += 1
            self.skip_group()
            self.body(depth + 1)
            if self.peek() != "else":
                return
            self.at += 1
            if self.peek() != "if":
                self.body(depth + 1)
                return

    def statement(self, depth: int) -> None:
        token = self.peek()
        if token == "{":
            self.block(depth)
        elif token == "if":
            self.branch(depth)
        elif token in LOOPS:
            self.at += 1
            self.skip_group()
            self.body(depth + 1)
        elif token == "do":
            self.at += 1
            self.body(depth + 1)
            self.skip_until(";")
        elif token in ("case", "default"):
            self.skip_until(":")
        elif self.tokens[self.at + 1 : self.at + 2] == [":"]:
            self.at += 2  # a label
        else:
            self.skip_until(";")


def max_nesting(code: str) -> int:
    """Of a function's body, comments and literals blanked, from its opening brace on."""
    walk = _Walk(code)
    walk.block(0)
    return walk.deepest
