#!/usr/bin/env python3
"""Writes docs/kmdf.md from functions.def; with --check only says whether it is current."""
import pathlib
import re
import sys

here = pathlib.Path(__file__).resolve().parent
root = here.parents[1]

HEAD = """# What the kernel-mode driver framework does here

Generated from `src/kmdf/functions.def` by `src/kmdf/kmdf_md.py`; do not edit.

- **done**: a function we have.
- **stub**: known to exist, not written. A driver that has it in its table loads; a call stops with its name and the caller's.
"""


def text():
    rows = re.findall(r"^KMDF_(DONE|STUB)\((\d+), (\w+)\)$", (here / "functions.def").read_text(), re.M)
    done = sum(row[0] == "DONE" for row in rows)
    lines = [HEAD, f"{len(rows)} functions: {done} done, {len(rows) - done} stub.\n", "| slot | name | state |", "|---|---|---|"]
    lines += [f"| {index} | `{name}` | {state.lower()} |" for state, index, name in rows]
    return "\n".join(lines) + "\n"


page = root / "docs/kmdf.md"
if "--check" in sys.argv:
    if not page.exists() or page.read_text() != text():
        sys.exit("docs/kmdf.md is not current: run src/kmdf/kmdf_md.py")
else:
    page.write_text(text())
