"""The Windows libraries as built: every accessor is there, imports are the three known ones, and the machine code keeps the promises that
only it can keep (instructions per scalar, one access, ordered forms, fences, no AVX).

usage: libraries.py ROOT NM OBJDUMP FOLDER   FOLDER: where windows-x64 and windows-arm64 are
"""
import sys
from pathlib import Path
from disassembly import body, instructions, straight, symbols

root, nm, objdump, folder = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
rows = [line.split("\t") for line in (root / "docs/spec/ddis.tsv").read_text(encoding="utf-8").splitlines()[1:]]
functions = [row[0] for row in rows if row[1] != "macro" and row[0] != "RtlTypesCompatible"]
imports = {"__imp_MmUserProbeAddress", "__imp_ExRaiseStatus", "__imp_ExRaiseDatatypeMisalignment"}
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"not ok - {what}")


for arch, limit in (("x64", 8), ("arm64", 14)):
    for library in ("umaccess.lib", "umaccess_dbg.lib"):
        path = folder / f"windows-{arch}" / library
        defined, wanted = symbols(nm, path)
        name = f"{arch} {library}"
        check(set(functions) <= set(defined), f"{name} lacks {sorted(set(functions) - set(defined))}")
        check(wanted == imports, f"{name} imports {sorted(wanted)}, should be {sorted(imports)}")
        check("__uma_functions" in defined, f"{name} has no __uma_functions")
        code = instructions(objdump, path)
        starts = set(defined.values())
        for row in rows:
            ddi, family = row[0], row[2]
            if ddi not in functions:
                continue
            whole = body(code, defined[ddi], starts)
            text = "\n".join(whole)
            if "scalar" in family and "Mode" not in family:
                path_taken = straight(code, defined[ddi])
                check(len(path_taken) <= limit, f"{name}: {ddi} takes {len(path_taken)} instructions, at most {limit} are allowed")
                clamps = [line for line in path_taken if line.startswith(("cmovb", "csel"))]
                check(len(clamps) == 1, f"{name}: {ddi} clamps its address {len(clamps)} times")
            if arch == "x64":
                check("%ymm" not in text and "%zmm" not in text, f"{name}: {ddi} uses AVX state")
                if "NonTemporal" in ddi and "Mode" not in ddi:
                    check("movnt" in text and "sfence" in text, f"{name}: {ddi} has no streaming store or no fence")
                if "nterlocked" in ddi and "Mode" not in ddi:
                    check("lock" in text and "cmpxchg" in text, f"{name}: {ddi} is not a locked operation")
            else:
                check(("ldar" in text) == ddi.endswith("Acquire"), f"{name}: {ddi} and ldar do not go together") \
                    if "scalar" in family else None
                check(("stlr" in text) == ddi.endswith("Release"), f"{name}: {ddi} and stlr do not go together") \
                    if "scalar" in family else None
                if "nterlocked" in ddi and "Mode" not in ddi:
                    check("ldaxr" in text and "stlxr" in text and "dmb" in text, f"{name}: {ddi} is no exclusive pair with a barrier")
        if library == "umaccess_dbg.lib":
            trap = "int $0x29" if arch == "x64" else "brk #0xf003"
            fail = "\n".join(body(code, defined["RtlFastFailIfUserPointer"], starts)).replace("\t", " ")
            check(trap in fail and ("0x4d" in fail or "77" in fail), f"{name}: no fast fail 77: {fail}")
        print(f"{'not ok' if failures else 'ok'} - {name}: {len(functions)} accessors")
sys.exit(1 if failures else 0)
