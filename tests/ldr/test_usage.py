#!/usr/bin/env python3
"""test_usage.py EXPORTS.DEF USAGE.TSV - an export that two or more folders of sample drivers use must be done.

GAPS are those that are not. A gap that has been closed fails as well, so that its line goes.
"""
import re
import sys

GAPS = set()


def main():
    with open(sys.argv[1], encoding="utf-8") as rows:
        kinds = {name: kind for kind, name in re.findall(r"^EXPORT_(\w+)\((\w+)", rows.read(), re.MULTILINE)}
    with open(sys.argv[2], encoding="utf-8") as lines:
        usage = [line.rstrip("\n").split("\t") for line in lines][1:]
    used = {name for name, folders in usage if int(folders) >= 2}
    lacking = {name for name in used if kinds.get(name, "STUB").endswith("STUB")}
    for name in sorted(lacking - GAPS):
        print(f"{name}: sample drivers use it, and it is {'a stub' if name in kinds else 'no export'}")
    for name in sorted(GAPS - lacking):
        print(f"{name}: done, or used no more; take it out of GAPS")
    return 1 if lacking != GAPS or len(used) < 100 else 0


sys.exit(main())
