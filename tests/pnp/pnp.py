#!/usr/bin/env python3
"""What `uma run` says of a plug and play driver, and how it opens its device.

usage: pnp.py UMA LAMP.sys
"""
import json
import subprocess
import sys
import tempfile

uma, lamp = sys.argv[1:]
CLASS = "{6f1a1b2c-0f3d-4c5e-9a77-2b1d3c4e5f60}"
LINK = "\\\\?\\ROOT#UMA#0000#" + CLASS
KEY = "\\Registry\\Machine\\System\\CurrentControlSet\\Enum\\ROOT\\UMA\\0000\\Device Parameters"
STARTED = ["device ROOT\\UMA\\0000: started on the virtual bus", f"   interface {CLASS}: {LINK}",
           f"   interface {CLASS}: {LINK}\\Second"]
END = ["left behind: nothing", "raw user accesses: none"]


def run(*arguments, **file):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as requests:
        json.dump(file, requests)
        requests.flush()
        sent = ["--requests", requests.name] if file else []
        done = subprocess.run([uma, "run", lamp, *arguments, *sent], capture_output=True, text=True, timeout=100)
    return done.returncode, done.stdout.splitlines(), done.stderr


def check(what, expected, found):
    if found != expected:
        sys.exit(f"{what}:\n  expected {expected}\n  found    {found}")


QUERY = {"code": "0x222000", "out": 4}


def reply(second, number=1, power=1, starts=1):
    return f"#{number} ioctl 0x222000: STATUS_SUCCESS information 4 out 4: 00 0{power} 0{starts} 0{second}"


def done(number, what, status="STATUS_SUCCESS"):
    return f"#{number} {what}: {status} information 0"


check("nothing to do", (0, STARTED + END, ""), run())
check("the first interface", (0, STARTED + [reply(0)] + END, ""), run(requests=[QUERY]))
check("a link", (0, STARTED + [reply(1)] + END, ""), run(device=LINK + "\\Second", requests=[QUERY]))
check("a class", (0, STARTED + [reply(0)] + END, ""), run(device=CLASS.upper(), requests=[QUERY]))
check("under the verifier", (0, STARTED + [reply(0)] + END, ""), run("--verify", requests=[QUERY]))
check("power and restart",
      (0, STARTED + [done(1, "sleep"), reply(0, 2, power=4), done(3, "wake"), done(4, "restart"), reply(0, 5, starts=2)] + END,
       ""),
      run(requests=[{"type": "sleep"}, QUERY, {"type": "wake"}, {"type": "restart"}, QUERY]))
check("pulled out",
      (0, STARTED + [done(1, "surprise-removal"), done(2, "close"), done(3, "open", "STATUS_OBJECT_NAME_NOT_FOUND"),
                     done(4, "surprise-removal", "STATUS_NO_SUCH_DEVICE")] + END, ""),
      run(requests=[{"type": "surprise-removal"}, {"type": "close"}, {"type": "open"}, {"type": "surprise-removal"}]))
status, out, err = run(device="{00000000-0000-0000-0000-000000000000}", requests=[QUERY])
check("no such class", (2, STARTED, f"uma: {lamp}: the driver has enabled no interface of class "
                                    "{00000000-0000-0000-0000-000000000000}\n"), (status, out, err))
status, out, err = run(registry={KEY: {"FailStart": {"dword": "0xC0000185"}}}, requests=[QUERY])
check("no start", (2, [], f"uma: {lamp}: its device does not start: IRP_MN_START_DEVICE returned "
                          "STATUS_IO_DEVICE_ERROR\n"), (status, out, err))
