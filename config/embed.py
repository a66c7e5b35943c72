"""Prints the named text files as C designated initialisers: { "name", "text" },"""
import json
import pathlib
import sys

for name in sys.argv[1:]:
    path = pathlib.Path(name)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    print(f'{{ "{path.stem}",')
    for line in lines:
        print("  " + json.dumps(line, ensure_ascii=False))
    print("},")
