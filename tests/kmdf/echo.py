#!/usr/bin/env python3
"""The sample driver kmdf_echo under `uma run`: every line of its request file, and nothing left behind.

usage: echo.py OUT SOURCE
"""
import os
import pathlib
import subprocess
import sys

out, source = map(pathlib.Path, sys.argv[1:])
WANT = """#1 write: STATUS_SUCCESS information 16
#2 read: STATUS_SUCCESS information 16 out 16: 68 65 6c 6c 6f 2c 20 66 72 61 6d 65 77 6f 72 6b
   text: 68 65 6c 6c 6f 2c 20 66 72 61 6d 65 77 6f 72 6b
#3 ioctl 0x222000: STATUS_SUCCESS information 5 out 5: 48 45 4c 4c 4f
   text: 48 45 4c 4c 4f 2c 20 66 72 61 6d 65 77 6f 72 6b
#4 ioctl 0x222000: STATUS_BUFFER_TOO_SMALL information 0
#5 ioctl 0x222004: STATUS_INVALID_DEVICE_REQUEST information 0
#6 write: STATUS_SUCCESS information 0
#7 read: STATUS_ACCESS_VIOLATION information 0
#8 ioctl 0x222008: STATUS_SUCCESS information 5 out 5: 4c 41 54 45 52
   text: 4c 41 54 45 52 2c 20 66 72 61 6d 65 77 6f 72 6b
left behind: nothing
raw user accesses: none
"""
mode = os.environ.get("UMA_PROTECT", "auto")
run = subprocess.run([out / "uma", "run", f"--protect={mode}", out / "drivers/kmdf_echo.sys", "--requests",
                      source / "drivers/kmdf_echo/echo.json"], capture_output=True, text=True)
if mode == "pku" and run.returncode and "STATUS_NOT_SUPPORTED" in run.stderr:
    sys.exit(77)
if run.returncode or run.stdout != WANT or run.stderr:
    sys.exit(f"exit status {run.returncode}\n{run.stdout}{run.stderr}")
