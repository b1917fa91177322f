#!/usr/bin/env python3
"""Puts the table that test_kmdf --probe-lock-table prints into docs/kmdf-probe-and-lock.md; --check: whether it is there.

usage: probe_lock_md.py TEST_KMDF [--check]
"""
import os
import pathlib
import re
import subprocess
import sys

page = pathlib.Path(__file__).resolve().parents[2] / "docs/kmdf-probe-and-lock.md"
run = subprocess.run([sys.argv[1], "--probe-lock-table"], capture_output=True, text=True,
                     env={**os.environ, "UMA_PROTECT": "none"})
if run.returncode or not run.stdout.startswith("| how |"):
    sys.exit(f"exit status {run.returncode}\n{run.stdout}{run.stderr}")
old = page.read_text()
new = re.sub(r"(<!-- table -->\n).*?(<!-- end -->)", lambda found: found[1] + run.stdout + found[2], old, flags=re.S)
if "--check" not in sys.argv:
    page.write_text(new)
elif old != new:
    sys.exit(f"{page.name} is not current: run tests/kmdf/probe_lock_md.py {sys.argv[1]}\n{run.stdout}")
print(run.stdout, end="")
