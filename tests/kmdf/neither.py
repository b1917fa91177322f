#!/usr/bin/env python3
"""The sample drivers kmdf_neither and kmdf_uma under `uma run`, and nothing left behind.

usage: neither.py OUT SOURCE

kmdf_neither: every line of its request file. kmdf_uma: what uma_tour answers to the same requests, line by line.
"""
import os
import pathlib
import re
import subprocess
import sys

out, source = map(pathlib.Path, sys.argv[1:])
REPLY = "4c 4f 43 4b 45 44 20 46 4f 52 20 52 45 41 44 49 4e 47"
WANT = f"""#1 ioctl 0x222003 (neither): STATUS_SUCCESS information 18 out 18: {REPLY}
   reply: {REPLY}
#2 ioctl 0x222003 (no input): STATUS_BUFFER_TOO_SMALL information 0
#3 ioctl 0x222003 (output too small): STATUS_BUFFER_TOO_SMALL information 0
#4 ioctl 0x222003 (input at null): STATUS_INVALID_PARAMETER information 0
#5 ioctl 0x222003 (input in the kernel): STATUS_ACCESS_VIOLATION information 0
#6 ioctl 0x222003 (input not mapped): STATUS_ACCESS_VIOLATION information 0
#7 ioctl 0x222003 (input ends on no page): STATUS_ACCESS_VIOLATION information 0
#8 ioctl 0x222003 (read-only input): STATUS_SUCCESS information 4 out 4: 46 49 4e 45
#9 ioctl 0x222003 (read-only output): STATUS_ACCESS_VIOLATION information 0
#10 ioctl 0x222003 (guard page): STATUS_GUARD_PAGE_VIOLATION information 0
#11 ioctl 0x222004 (embedded): STATUS_SUCCESS information 0
   reply: {REPLY}
#12 ioctl 0x222004 (embedded, in place): STATUS_SUCCESS information 0
   text: 4c 4f 43 4b 45 44 20 66 6f 72 20 72 65 61 64 69 6e 67
#13 ioctl 0x222004 (embedded, no length): STATUS_INVALID_USER_BUFFER information 0
#14 ioctl 0x222004 (embedded kernel address): STATUS_ACCESS_VIOLATION information 0
#15 ioctl 0x222004 (embedded, wraps): STATUS_ACCESS_VIOLATION information 0
#16 ioctl 0x222004 (short structure): STATUS_BUFFER_TOO_SMALL information 0
#17 ioctl 0x222008 (another code): STATUS_INVALID_DEVICE_REQUEST information 0
left behind: nothing
raw user accesses: none
"""
# The structure is copied before anybody looks at it: a changing length is one of the two, whole.
RACED = r"""#1 ioctl 0x222004 \(length changes meanwhile\): STATUS_(SUCCESS|INSUFFICIENT_RESOURCES) x\d+(, STATUS_(SUCCESS|INSUFFICIENT_RESOURCES) x\d+)? information 0 raced by \d+ stores
left behind: nothing
raw user accesses: none
"""
mode = os.environ.get("UMA_PROTECT", "auto")


def output(driver, requests):
    run = subprocess.run([out / "uma", "run", f"--protect={mode}", out / "drivers" / driver, "--requests", source / requests],
                         capture_output=True, text=True)
    if mode == "pku" and run.returncode and "STATUS_NOT_SUPPORTED" in run.stderr:
        sys.exit(77)
    if run.returncode or run.stderr:
        sys.exit(f"{driver}: exit status {run.returncode}\n{run.stdout}{run.stderr}")
    return run.stdout


got = output("kmdf_neither.sys", "drivers/kmdf_neither/neither.json")
if got != WANT:
    sys.exit(got)
raced = output("kmdf_neither.sys", "drivers/kmdf_neither/races.json")
if not re.fullmatch(RACED, raced):
    sys.exit(raced)
tour, twin = (output(driver, "drivers/uma_tour/tour.json") for driver in ("uma_tour.sys", "kmdf_uma.sys"))
if len(twin.splitlines()) < 50 or tour != twin:
    sys.exit(f"uma_tour:\n{tour}kmdf_uma:\n{twin}")
