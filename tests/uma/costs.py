"""Writes docs/accessor-costs.md: the instructions of each accessor, per build.

Scalars and interlocked forms are read off the disassembly (the path without a fault and, on Windows, without redirection). The rest depends
on lengths, so calls are made and stepped (count.c).
usage: costs.py NM OBJDUMP LIBRARIES LIBUMA_ARCH COUNT OUT
"""
import sys
from pathlib import Path
from disassembly import instructions, run, straight, symbols

nm, objdump, libraries, arch, count, out = sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:7]
builds = {}
for name in ("x64", "arm64"):
    path = libraries / f"windows-{name}" / "umaccess.lib"
    builds[name] = (symbols(nm, path)[0], instructions(objdump, path))
kernel = (symbols(nm, arch)[0], instructions(objdump, arch))


def length(build, name):
    return len(straight(build[1], build[0][name]))


lines = ["# What an accessor costs, in instructions", "",
         "Written by `ninja accessor_costs` from the built libraries. Every count includes the return; a call instruction is the caller's.", "",
         "## Scalars and interlocked operations", "",
         "Windows: an older kernel, no redirection. Kernel: our own, through the table, with user pages open at all times (none), closed by",
         "page protection (hook; a page already open), or by a protection key (pku). 16-bit and 8-bit forms cost what the 32-bit ones do.", "",
         "| accessor | Windows x64 | Windows ARM64 | kernel, none | kernel, hook | kernel, pku |", "|---|---|---|---|---|---|"]
for name, slot in (("ReadULongFromUser", "ReadULongFromUser"), ("ReadULongFromUserAcquire", "ReadULongFromUser"),
                   ("ReadULong64FromUser", "ReadULong64FromUser"), ("WriteULongToUser", "WriteULongToUser"),
                   ("WriteULongToUserRelease", "WriteULongToUser"), ("WriteULong64ToUser", "WriteULong64ToUser"),
                   ("ReadULongFromMode", None), ("InterlockedAndToUser", "InterlockedAnd32ToUser"),
                   ("InterlockedOr64ToUser", "InterlockedOr64ToUser"),
                   ("InterlockedCompareExchange64ToUser", "InterlockedCompareExchange64ToUser")):
    cells = [str(length(builds["x64"], name)), str(length(builds["arm64"], name))]
    for variant in ("none", "hook", "pku"):
        cells.append(str(1 + length(kernel, f"uma_{variant}_{slot}")) if slot else str(length(kernel, name)))
    label = name if slot else f"{name}, KernelMode"
    lines.append(f"| `{label}` | " + " | ".join(cells) + " |")
lines += ["", "A read or write by mode with UserMode adds two to the user form. And and Or take one more round when the value is not 0.", "",
          "## Everything else", "", "Kernel build, x86-64 with AVX if the machine has it; counted by stepping one call.", "",
          "| call | none | hook |", "|---|---|---|"]
counted = [dict(line.split("\t") for line in run(count, variant).splitlines()) for variant in ("none", "hook")]
for name in counted[0]:
    lines.append(f"| {name} | {counted[0][name]} | {counted[1][name]} |")
Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")
