#!/usr/bin/env python3
"""exports_md.py - writes docs/exports.md from exports.def, or with --check says whether it is current.

usage: exports_md.py [--check] exports.def exports.md
"""
import re
import sys

STATES = {"DONE": "done", "AS": "done", "LEAF": "done", "LEAF_AS": "done", "DATA": "data", "DATA_AS": "data",
          "STUB": "stub", "DATA_STUB": "data stub"}

HEAD = """# What ntoskrnl.exe exports here

Generated from `src/ldr/exports.def` by `src/ldr/exports_md.py`; do not edit.

- **done**: a function we have. **data**: a variable we have.
- **stub**: known to exist, not written. A driver that imports it loads; a call stops with its name and the caller's.
- **data stub**: a variable of that kind; the first access stops.
"""


def groups(path):
    """[(heading, [(name, state)])] in the order of the file."""
    found, heading_below = [], re.compile(r"/\* (.+) \*/$")
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        row = re.match(r"EXPORT_([A-Z_]+)\((\w+)[,)]", line)
        heading = heading_below.match(line.strip())
        if heading and not line.startswith(" "):
            found.append((heading.group(1), []))
        elif row and row.group(1) not in STATES:
            sys.exit(f"{path}:{number}: unknown kind of row: {line.strip()}")
        elif row:
            found[-1][1].append((row.group(2), STATES[row.group(1)]))
    return [group for group in found if group[1]]


def page(path):
    found = groups(path)
    rows = [row for _, rows in found for row in rows]
    counts = {state: sum(row[1] == state for row in rows) for state in ("done", "data", "stub", "data stub")}
    text = HEAD + f"\n{len(rows)} exports: " + ", ".join(f"{count} {state}" for state, count in counts.items()) + ".\n"
    for heading, rows in found:
        have = sum(row[1] in ("done", "data") for row in rows)
        text += f"\n## {heading[0].upper()}{heading[1:]}\n\n{have} of {len(rows)}.\n\n| name | state |\n|---|---|\n"
        text += "".join(f"| `{name}` | {state} |\n" for name, state in rows)
    return text


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    text = page(arguments[0])
    if "--check" not in sys.argv:
        open(arguments[1], "w", encoding="utf-8").write(text)
        return
    try:
        current = open(arguments[1], encoding="utf-8").read() == text
    except OSError as error:
        sys.exit(f"{arguments[1]}: {error.strerror}")
    if not current:
        sys.exit(f"{arguments[1]} is not current; run: python3 src/ldr/exports_md.py {arguments[0]} {arguments[1]}")


if __name__ == "__main__":
    main()
