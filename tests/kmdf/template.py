#!/usr/bin/env python3
"""The sample driver kmdf_template under `uma run`: plug and play starts its device, the interface opens it, every line of its
request file, nothing left behind; and the same by the link and by default.

usage: template.py OUT SOURCE
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

out, source = map(pathlib.Path, sys.argv[1:])
CLASS = "{2b8f0c7e-51d4-4a39-8e16-d3709c42fb05}"
LINK = "\\\\?\\ROOT#UMA#0000#" + CLASS
STARTED = f"""device ROOT\\UMA\\0000: started on the virtual bus
   interface {CLASS}: {LINK}
"""
END = """left behind: nothing
raw user accesses: none
"""
FRESH = " 00 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
WANT = STARTED + f"""#1 ioctl 0x222000 (state): STATUS_SUCCESS information 24 out 24:{FRESH}
#2 ioctl 0x222004 (set): STATUS_SUCCESS information 0
#3 ioctl 0x222000 (state again): STATUS_SUCCESS information 24 out 24:{FRESH.replace(" 00", " 2a", 1)}
#4 ioctl 0x222000 (too small): STATUS_BUFFER_TOO_SMALL information 0
#5 ioctl 0x222004 (no value): STATUS_BUFFER_TOO_SMALL information 0
#6 ioctl 0x222008 (nowhere to put it): STATUS_BUFFER_TOO_SMALL information 0
#7 ioctl 0x222000 (in the kernel): STATUS_ACCESS_VIOLATION information 0
#8 ioctl 0x22200c (another code): STATUS_INVALID_DEVICE_REQUEST information 0
#9 read (a read): STATUS_INVALID_DEVICE_REQUEST information 0
""" + END
QUERY = {"requests": [{"code": "0x222000", "out": 24}]}
ANSWER = STARTED + f"#1 ioctl 0x222000: STATUS_SUCCESS information 24 out 24:{FRESH}\n" + END
mode = os.environ.get("UMA_PROTECT", "auto")


def check(requests, want, *options):
    run = subprocess.run([out / "uma", "run", f"--protect={mode}", out / "drivers/kmdf_template.sys", "--requests", requests,
                          *options], capture_output=True, text=True, timeout=100)
    if mode == "pku" and run.returncode and "STATUS_NOT_SUPPORTED" in run.stderr:
        sys.exit(77)
    if run.returncode or run.stdout != want or run.stderr:
        sys.exit(f"exit status {run.returncode}\n{run.stdout}{run.stderr}\nexpected:\n{want}")


check(source / "drivers/kmdf_template/template.json", WANT)
for device in {}, {"device": LINK}:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(QUERY | device, file)
        file.flush()
        check(file.name, ANSWER)
        check(file.name, ANSWER, "--verify")
