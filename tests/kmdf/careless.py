#!/usr/bin/env python3
"""What the program says of a framework driver that leaves an object behind, calls a stub, or looks into a handle.

usage: careless.py UMA SOURCE DRIVERS
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

uma, source, drivers = sys.argv[1:]
lines = pathlib.Path(source).read_text().splitlines()
symbols = shutil.which("llvm-symbolizer-19")


def line_of(text):
    return 1 + next(i for i, line in enumerate(lines) if text in line)


def run(*arguments):
    done = subprocess.run([uma, *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check(what, good, text):
    if not good:
        sys.exit(f"{what}:\n{text}")


status, text = run("run", f"{drivers}/careless.sys", "--ioctl=0x222000")
check("status", status == 0, text)
check("leak", re.search(r"WDFOBJECT 0x[0-9a-f]+, 1 reference \(the newest from .*\), created by careless", text), text)
if symbols:
    check("line of creation", f"careless.c:{line_of('created here')}" in text, text)
    check("line of reference", f"careless.c:{line_of('referenced here')}" in text, text)

status, text = run("run", f"{drivers}/careless_stub.sys", "--ioctl=0x222000")
check("stub", status == 1 and "unimplemented framework function WdfChildListBeginScan (slot 4)" in text, text)
if symbols:
    check("line of the stub's call", f"careless.c:{line_of('BeginScan')}" in text, text)
    check("name of the stub's caller", re.search(r"\(slot 4\) at careless_stub!\w+\+0x[0-9a-f]+ \(.*\); docs/kmdf.md lists", text), text)

status, text = run("run", f"{drivers}/careless_dereference.sys", "--ioctl=0x222000")
check("dereference", status == 1 and "the driver took the handle of a WDFOBJECT for a pointer" in text, text)

facts = json.loads(run("info", "--json", f"{drivers}/careless_stub.sys")[1])["kmdf"]
check("info", facts["version"] == "1.33" and facts["bind"] == "pointer, version 2 information" and facts["functions"] >= 7
      and facts["stubs"] == ["WdfChildListBeginScan"], facts)
facts = json.loads(run("info", "--json", f"{drivers}/careless.sys")[1])["kmdf"]
check("info without stubs", facts["stubs"] == [], facts)
