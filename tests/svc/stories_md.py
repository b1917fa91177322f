#!/usr/bin/env python3
"""Puts what `uma stories` prints into docs/previous-mode.md; with --check only says whether it stands there.

usage: stories_md.py UMA DRIVER [--check]
"""
import pathlib
import re
import subprocess
import sys

page = pathlib.Path(__file__).resolve().parents[2] / "docs/previous-mode.md"
uma, driver = sys.argv[1:3]
session = subprocess.run([uma, "stories", driver], stdout=subprocess.PIPE, text=True, check=True).stdout
session = re.sub(r"\([^()]*/(drivers/previous_mode/)", r"(\1", session)  # places are relative to where the command runs
session = re.sub(r"0xffffffff8000[0-9a-f]{4}", "0xffffffff80000004", session)  # which handles are free differs
block = "```console\n$ out/uma stories\n" + session + "```\n"
text, found = re.subn(r"```console\n\$ out/uma stories\n.*?```\n", lambda _: block, page.read_text(), flags=re.S)
if found != 1:
    sys.exit(f"{page} has {found} sessions, not one")
if "--check" not in sys.argv:
    page.write_text(text)
elif page.read_text() != text:
    sys.exit("docs/previous-mode.md does not have what `uma stories` prints: run tests/svc/stories_md.py")
