"""Holds every prototype and macro of usermode_accessors.h against docs/spec/ddis.tsv.

Each row becomes a redeclaration with the row's types; a compiler accepts it only if return type, parameters, volatile and calling
convention agree. Compiled for ELF (gcc, clang) and for drivers (clang with mingw-w64's ntddk.h, wdm.h, ntifs.h). Then rows are
falsified one at a time, and each false table has to be refused: so the check can fail.
usage: prototypes.py ROOT GCC CLANG MINGW
"""
import subprocess
import sys
import tempfile
from pathlib import Path

root, gcc, clang, mingw = Path(sys.argv[1]), *sys.argv[2:5]
rows = [line.split("\t")[:5] for line in (root / "docs/spec/ddis.tsv").read_text(encoding="utf-8").splitlines()[1:]]
strict = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{root}/include"]
elf = ["-std=gnu11", "-fshort-wchar", *strict]
driver = ["--target=x86_64-w64-windows-gnu", "-fms-extensions", "-fms-compatibility", "-fms-compatibility-version=19.40",
          "-fgnuc-version=12.2", "-ffreestanding", "-isystem", f"{mingw}/include", "-isystem", f"{mingw}/include/ddk",
          *strict, "-Wno-#warnings", "-Wno-unknown-pragmas", "-Wno-ignored-attributes"]


def source(table, base):
    lines = [f"#include <{base}>"] if base else []
    lines.append('#include "usermode_accessors.h"')
    for name, _, _, returns, parameters in table:
        if returns == "(statement macro)" or returns.startswith("(statement") or name == "RtlTypesCompatible":
            lines.append(f"#ifndef {name}\n#error {name} is not a macro\n#endif")
        else:
            lines.append(f"#ifdef {name}\n#error {name} is a macro\n#endif\n{returns} NTAPI {name}({parameters});")
    return "\n".join(lines) + "\n"


def accepted(command, text):
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(text)
        file.flush()
        result = subprocess.run([*command, file.name], capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def falsified():
    """One false row for each kind of lie, in every function it can be told of."""
    for index, row in enumerate(rows):
        name, kind, family, returns, parameters = row
        lies = []
        if "volatile" in parameters:
            lies.append([name, kind, family, returns, parameters.replace("volatile", "", 1)])
        if not returns.startswith("(") and name != "RtlTypesCompatible":
            lies.append([name, kind, family, "float", parameters])
            lies.append([name, kind, family, returns, parameters + ", int Extra"])
        for lie in lies:
            yield rows[:index] + [lie] + rows[index + 1:]


assert len(rows) == 267, len(rows)
failed = 0
for label, command, base in [("ELF gcc", [gcc, *elf], None), ("ELF clang", [clang, *elf], None),
                             *((f"driver clang {b}", [clang, *driver], b) for b in ("ntddk.h", "wdm.h", "ntifs.h"))]:
    good, errors = accepted(command, source(rows, base))
    print(f"{'ok' if good else 'not ok'} - {label}: {len(rows)} rows as in the table")
    if not good:
        print(errors[:4000])
        failed += 1

# A function in the System V convention must be refused, where the two differ.
good, _ = accepted([gcc, *elf], '#include "usermode_accessors.h"\nUCHAR ReadUCharFromUser(const volatile UCHAR *Source);\n')
print(f"{'not ok' if good else 'ok'} - ELF gcc: the other calling convention is refused")
failed += good

lies = list(falsified())
believed = 0
for table in lies[:: max(1, len(lies) // 24)]:
    if accepted([clang, *elf], source(table, None))[0]:
        believed += 1
print(f"{'not ok' if believed else 'ok'} - false rows are refused ({believed} of {len(lies[::max(1, len(lies) // 24)])} believed)")
sys.exit(1 if failed or believed else 0)
