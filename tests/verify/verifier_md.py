#!/usr/bin/env python3
"""verifier_md.py - writes docs/verifier.md from sins.def, or with --check says whether it is current.

usage: verifier_md.py [--check] sins.def verifier.md
"""
import re
import sys

HEAD = """# The verifier

Generated from `tests/verify/sins.def` by `tests/verify/verifier_md.py`; do not edit.

    uma run --verify driver.sys ...

or `verify` in `struct uma_options` holds the drivers to what Driver Verifier holds them to on Windows. What it finds is a bug check
with the code and the parameters that Microsoft documents for Driver Verifier ("Bug Check 0xC4: DRIVER_VERIFIER_DETECTED_VIOLATION",
"Bug Check 0xC9: DRIVER_VERIFIER_IOMANAGER_VIOLATION" and those they name); the report says in words what was done, and the driver's
function and line that did it:

    *** STOP: 0x000000C4 DRIVER_VERIFIER_DETECTED_VIOLATION (0x00000000000000e5, 0x0000000000000002, ...)
    *** RtlEqualUnicodeString was called at DISPATCH_LEVEL; only PASSIVE_LEVEL is allowed
    *** at verify!STRING_AT_DISPATCH+0x27 (tests/verify/driver/levels.h:51)

Each row is held by a test: a driver that does what the row says ends in that bug check, blamed on the right line, and one that does
the same right passes in silence (`ctest -R '^verify$'`). The sample drivers run unchanged under the verifier (`ctest -R
verify.samples`). Without `--verify` the checks cost next to nothing: the levels of `src/ldr/irql.def` are checked by code that
stands in the export table only when it is on, everything else behind one flag.

What Driver Verifier does beyond these rows it does not do here: see [CAVEATS.md](CAVEATS.md). Special pool and the checks that need
it are always on.
"""


def page(path):
    text = HEAD
    for line in open(path, encoding="utf-8"):
        heading = re.match(r"/\* (.+) \*/$", line)
        row = re.match(r"(?:PNP_)?SIN\(\w+, 0x(\w+), (0x\w+|\*), \"(.*)\"\)$", line)
        if heading:
            text += f"\n## {heading.group(1)}\n\n| bug check | parameter 1 | what the driver does |\n|---|---|---|\n"
        elif row:
            first = "an address" if row.group(2) == "*" else row.group(2)
            what = row.group(3).replace('\\"', '"')
            text += f"| 0x{row.group(1)} | {first} | {what} |\n"
        elif line.startswith(("SIN", "PNP_SIN")):
            sys.exit(f"{path}: not understood: {line.strip()}")
    return text


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    text = page(arguments[0])
    if "--check" not in sys.argv:
        open(arguments[1], "w", encoding="utf-8").write(text)
    elif open(arguments[1], encoding="utf-8").read() != text:
        sys.exit(f"{arguments[1]} is not current: run {sys.argv[0]} {' '.join(arguments)}")


main()
