#!/usr/bin/env python3
"""Holds `uma trace` against golden sessions, docs/uma-trace.md against them, and its options and errors against a table.

usage: trace.py OUT ROOT DRIVERS [--write]    OUT has uma and drivers/*.sys, DRIVERS those of tests/cli and tests/check
UMA_PROTECT in the environment chooses the protection; exit 77 when this processor lacks it. --write makes the golden files and the
page's session anew.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

out, root, drivers = map(pathlib.Path, sys.argv[1:4])
write = "--write" in sys.argv
protect = os.environ.get("UMA_PROTECT", "mprotect")
golden = pathlib.Path(__file__).parent / "golden"
page = root / "docs/uma-trace.md"
good = root / "drivers/demo/01-good.json"
failures = []


def uma(*arguments, status=0):
    """stdout and stderr; places made relative to the tree, as where the command is shown."""
    done = subprocess.run([out / "uma", *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=root)
    if done.returncode != status:
        failures.append(f"uma {' '.join(map(str, arguments))}: exit status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    return re.sub(r"\([^() ]*/(drivers/\w+/)", r"(\1", done.stdout), done.stderr


def trace(driver, *arguments, status=0):
    return uma("trace", "-q", f"--protect={protect}", driver, *arguments, status=status)[0]


def expect(condition, what):
    if not condition:
        failures.append(what)


def sessions():
    for name in ("legacy_race", "legacy_refetch", "uma_safe"):
        file = golden / f"{name}.{'none' if protect == 'none' else 'closed'}.txt"
        text = trace(out / f"drivers/{name}.sys", "--requests", good)
        if write:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        elif file.read_text() != text:
            failures.append(f"{file.name} is not what uma trace prints (trace.py --write):\n{text}")
    session = "$ out/uma trace -q out/drivers/legacy_refetch.sys --requests drivers/demo/01-good.json\n"
    block = f"```console\n{session}{(golden / 'legacy_refetch.closed.txt').read_text()}```\n"
    text, found = re.subn(r"```console\n" + re.escape(session) + r".*?```\n", lambda _: block, page.read_text(), flags=re.S)
    if write:
        page.write_text(text)
    rows = re.search(r"\$ out/uma trace -q out/drivers/legacy_race.sys.*\n((?:    +\d.*\n)+)", (root / "README.md").read_text())
    known = [line.split() for line in (golden / "legacy_race.closed.txt").read_text().splitlines()]
    expect(rows and all(line.split() in known for line in rows.group(1).splitlines()), "README.md shows rows that uma trace does not print")
    expect(found == 1 and page.read_text() == text, f"{page} does not have the session of legacy_refetch (trace.py --write)")


def unchanged():
    """Whoever watches changes nothing: without its own lines, uma trace prints what uma run prints."""
    own = re.compile(r" +(row +access|\d+ +(read|write|update)) |accesses to user memory: |   (no access to user memory|and \d+ accesses more|raw instructions are not|\d+ of them are in none)")
    sent = [("kmdf_neither", root / "drivers/kmdf_neither/neither.json"), *[("legacy_race", root / f"drivers/demo/{name}.json") for name in
            ("02-null", "04-kernel-request", "06-straddling-end", "08-reply-read-only", "10-text-kernel")]]
    if protect != "none":  # one is enough of the longest
        sent.append(("uma_tour", root / "drivers/uma_tour/tour.json"))
    for name, requests in sent:
        driver = out / f"drivers/{name}.sys"
        few = ["--limit=1"] if name == "uma_tour" else []  # naming hundreds of places takes its time
        plain = uma("run", "-q", f"--protect={protect}", driver, "--requests", requests)[0].splitlines()
        seen = [line for line in trace(driver, "--requests", requests, *few).splitlines() if not own.match(line)]
        expect(seen == plain, f"{name} does something else when it is watched:\n" + "\n".join(sorted(set(seen) ^ set(plain))))


def documents():
    seen = json.loads(trace(out / "drivers/uma_safe.sys", "--requests", good, "--format=json"))
    request = seen["requests"][-1]
    rows = request["accesses"]
    expect([row["name"] for row in rows] == ["ReadStructFromUser", "CopyFromUser", "CopyToUser", "WriteULongToUser", "WriteULongToUser"],
           f"JSON: {rows}")
    expect((request["number"], request["code"], request["status"], request["information"]) == (1, "0x222003", "STATUS_SUCCESS", 8),
           f"JSON: {request}")
    expect(rows[1]["value"] == b"hello".hex() and rows[1]["where"] == "[input+0x8]" and rows[1]["size"] == 5, f"JSON: {rows[1]}")
    expect("digest" in rows[0] and rows[0]["handler"] == "driver" and rows[0]["previous_mode"] == "user", f"JSON: {rows[0]}")
    expect(seen["totals"] == {"accesses": 5, "dropped": 0, "raw": 0, "without_handler": 0, "refetched_bytes": 0}, f"JSON: {seen['totals']}")
    expect(seen["protect"] == protect and not seen["timed_out"] and "bugcheck" not in seen, f"JSON: {seen['protect']}")


def failing():
    smap = json.loads(trace(out / "drivers/legacy_race.sys", "--requests", good, "--smap", "--format=json", status=0 if protect == "none" else 1))
    if protect != "none":
        expect(smap["bugcheck"]["code"] == "0x50" and smap["requests"][-1]["accesses"][-1]["outcome"] == "stopped", f"--smap: {smap}")
    died = trace(drivers / "cli/drivers/naughty.sys", "--ioctl=0x22241b", status=1)
    expect("#1 did not come to an end:\n" in died and "\nBUGCHECK 0x1E " in died and
           re.search(r"write +4 +0x8 +STATUS_ACCESS_VIOLATION +raw +none", died), f"a bug check: {died}")
    hang = trace(drivers / "cli/drivers/hangs.sys", status=1, *["--timeout=1"])
    expect(hang.startswith("accesses to user memory: 0,") and "TIMEOUT" in hang, f"a driver that hangs: {hang}")
    null = trace(out / "drivers/legacy_race.sys", "--requests", root / "drivers/demo/02-null.json")
    expect(re.search(r"read +4 +input +STATUS_ACCESS_VIOLATION +raw", null), f"a null request: {null}")


def options():
    driver = out / "drivers/uma_safe.sys"
    for arguments, word in [(["--limit=0", driver], "rows"), (["--limit=10001", driver], "10000"), (["--limit=x", driver], "number"),
                            (["--format=xml", driver], "xml"), ([], "driver"), ([driver, driver], "one driver"),
                            (["/dev/null"], "null"), ([driver, "--requests=/nowhere"], "nowhere"), (["--bogus", driver], "bogus")]:
        printed, said = uma("trace", *arguments, status=2)
        lines = [line for line in said.splitlines() if not line.startswith("Try ")]
        expect(len(lines) == 1 and word in lines[0] and not printed, f"uma trace {arguments}: {said}{printed}")
    few = trace(driver, "--requests", good, "--limit=2")
    expect("and 3 accesses more than --limit keeps" in few and "accesses to user memory: 5," in few, f"--limit=2: {few}")
    help_text = uma("trace", "--help")[0]
    expect("--limit" in help_text and "--smap" in help_text and "--requests" in help_text, help_text)


if uma("trace", "-q", f"--protect={protect}", out / "drivers/uma_safe.sys", status=0)[1].count("lacks that protection"):
    sys.exit(77)
sessions()
unchanged()
documents()
failing()
options()
for failure in failures:
    print("FAILED", failure)
sys.exit(bool(failures))
