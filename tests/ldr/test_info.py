#!/usr/bin/env python3
"""uma info, from outside. Usage: test_info.py UMA DRIVERS FIXTURES"""
import json
import os
import subprocess
import sys
import tempfile

uma, drivers, fixtures = sys.argv[1:]
failures = []


def run(*arguments):
    done = subprocess.run([uma, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def check(what, found, expected):
    if found != expected:
        failures.append(what)
        print(f"{what}:\n  expected {expected!r}\n  found    {found!r}")


def facts(path):
    status, out, err = run("info", path, "--json")
    check(f"{path}: status", (status, err), (0, ""))
    return json.loads(out)


def test_missing_exports():
    found = facts(f"{drivers}/missing.sys")
    check("missing", sorted(found["missing"]), ["FLTMGR.SYS!FltRegisterFilter", "ntoskrnl.exe!IoWMIWriteEvent"])
    counts = {key: found["imports"][key] for key in ("total", "done", "stub", "unknown")}
    check("counts", counts, {"total": 2, "done": 0, "stub": 1, "unknown": 1})
    check("modules", sorted((m["name"], [e["state"] for e in m["exports"]]) for m in found["imports"]["modules"]),
          [("FLTMGR.SYS", ["unknown"]), ("ntoskrnl.exe", ["stub"])])
    status, out, _ = run("info", f"{drivers}/missing.sys")
    check("text", (status, "imports     2: 0 done, 1 stub, 1 unknown" in out, "missing     2;" in out), (0, True, True))
    check("variable", [e for m in facts(f"{drivers}/missing_variable.sys")["imports"]["modules"] for e in m["exports"]
                       if e["name"] == "SeExports"],
          [{"name": "SeExports", "state": "stub", "variable": False, "delayed": False}])


def test_missing_exports_stop_when_used():
    status, out, err = run("run", f"{drivers}/missing.sys")
    check("stop status", status, 1)
    check("stop text", "driver missing called unimplemented export ntoskrnl.exe!IoWMIWriteEvent at missing!touch+0x" in err, True)
    check("stop line", "missing.c:" in err, True)
    status, out, err = run("run", f"{drivers}/missing_variable.sys")
    check("variable stop status", status, 1)
    check("variable stop text", "the imported variable ntoskrnl.exe!SeExports is not provided" in err, True)


def test_kmdf():
    check("kmdf", facts(f"{drivers}/kmdf.sys")["kmdf"],
          {"version": "1.15", "bind": "pointer", "functions": 0, "stubs": []})
    check("kmdf text", "framework   KMDF 1.15, bound by pointer; 0 functions in reach, 0 of them stubs\n"
          in run("info", f"{drivers}/kmdf.sys")[1], True)
    check("kmdf without info", facts(f"{drivers}/kmdf_bare.sys")["kmdf"], {"version": None})
    check("kmdf unknown text", "framework   KMDF, version unknown\n" in run("info", f"{drivers}/kmdf_bare.sys")[1], True)
    check("not kmdf", facts(f"{drivers}/missing.sys")["kmdf"], None)


def test_tables():
    found = facts(f"{fixtures}/plain.sys")
    table = found["uma_table"]
    check("slots", (table["filled"], table["of"], [s["offset"] for s in table["slots"]]), (23, 23, list(range(0, 0xb8, 8))))
    for slot in table["slots"]:
        check(f"slot {slot['name']}", slot["function"].startswith("uma!") and slot["function"].endswith(slot["name"]), True)
    check("config", found["load_config"],
          {"size": 0x148, "security_cookie": True, "guard": True, "guard_flags": 0, "uma_pointer": True})
    check("override", found["function_overrides"], False)
    short = facts(f"{fixtures}/short_config.sys")
    check("no table", (short["uma_table"], short["load_config"]["uma_pointer"]), (None, False))
    check("notes", len(facts(f"{fixtures}/align32.sys")["notes"]), 1)


def test_refusals():
    for arguments, text in (
            (("info",), "which driver?"), (("info", "a", "b"), "more than one driver"), (("info", "--bogus"), "unrecognized option"),
            (("info", f"{fixtures}/library.sys"), "library.sys: user-mode DLL, not a driver"),
            (("info", f"{fixtures}/fixed.sys"), "fixed.sys: linked for a fixed address"),
            (("info", "/tmp"), "/tmp: is a directory"), (("info", "/dev/null"), "/dev/null: not a regular file"),
            (("info", "/nonexistent.sys"), "/nonexistent.sys: No such file or directory")):
        status, out, err = run(*arguments)
        check(f"{arguments}: status", (status, out), (2, ""))
        check(f"{arguments}: text", text in err, True)
    whole = open(f"{fixtures}/plain.sys", "rb").read()
    with tempfile.TemporaryDirectory() as folder:
        pipe = f"{folder}/pipe.sys"
        os.mkfifo(pipe)
        check("pipe", run("info", pipe)[0], 2)
        for name, content in (("random", os.urandom(5000)), ("random_mz", b"MZ" + os.urandom(5000)), ("half", whole[:len(whole) // 2]),
                              ("empty", b""), ("arm64", whole.replace(b"PE\0\0\x64\x86", b"PE\0\0\x64\xaa")),
                              ("x86", whole.replace(b"PE\0\0\x64\x86", b"PE\0\0\x4c\x01"))):
            path = f"{folder}/{name}.sys"
            open(path, "wb").write(content)
            for command in ("info", "run"):
                status, out, err = run(command, path)
                check(f"{command} {name}", (status, out, err.count("\n"), path in err), (2, "", 1, True))


for test in (test_missing_exports, test_missing_exports_stop_when_used, test_kmdf, test_tables, test_refusals):
    test()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
