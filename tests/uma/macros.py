"""The macros of usermode_accessors.h: incompatible structure types do not compile. (That arguments are evaluated once is shown by accessors.c.)

usage: macros.py ROOT GCC CLANG MINGW
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root, gcc, clang, mingw = Path(sys.argv[1]), *sys.argv[2:5]
strict = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{root}/include"]
elf = ["-std=gnu11", "-fshort-wchar", *strict]
pe = ["--target=x86_64-w64-windows-gnu", "-fms-extensions", "-fms-compatibility", "-fms-compatibility-version=19.40",
      "-fgnuc-version=12.2", "-ffreestanding", "-isystem", f"{mingw}/include", "-isystem", f"{mingw}/include/ddk", *strict,
      "-Wno-#warnings", "-Wno-unknown-pragmas", "-Wno-ignored-attributes"]
builds = [("ELF gcc", [gcc, *elf], ""), ("ELF clang", [clang, *elf], ""), ("driver clang", [clang, *pe], "#include <ntddk.h>\n"),
          # mingw-w64's ntddk.h is not C++.
          ("Windows clang C++", [clang, *pe, "-x", "c++", "-std=c++17"],
           "#include <windows.h>\n#include <winternl.h>\ntypedef CCHAR KPROCESSOR_MODE;\nenum { KernelMode, UserMode };\n")]

forms = [f"{verb}{mode}{aligned}" for verb in ("ReadStructFrom", "WriteStructTo") for mode in ("User", "Mode")
         for aligned in ("", "Aligned")]
text = """
typedef struct { int a; int b; } ONE;
typedef struct { int a; int b; } TWO;
typedef struct { int a; int b; int c; } BIGGER;
"""


def call(form, destination, source):
    arguments = [destination, source]
    if "Mode" in form:
        arguments.append("Mode")
    if "Aligned" in form:
        arguments.append("4")
    return f"{form}({', '.join(arguments)});"


def refused_lines(command, body):
    """The lines of the source that the compiler has an error on; one run for all cases."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(body)
        file.flush()
        limit = "-ferror-limit=0" if "clang" in command[0] else "-fmax-errors=0"
        place = [] if "clang" in command[0] else ["-ftrack-macro-expansion=0"]
        result = subprocess.run([*command, limit, *place, file.name], capture_output=True, text=True)
        lines = {int(number) for number in re.findall(rf"^{re.escape(file.name)}:(\d+):\d+: (?:fatal )?error:", result.stderr, re.M)}
    return lines, result.stderr


PARAMETERS = "ONE *one, const ONE *constant, volatile ONE *user, TWO *two, BIGGER *bigger, VOID *any, KPROCESSOR_MODE Mode"
failed = 0
for label, command, include in builds:
    before = failed
    lines = (include + '#include "usermode_accessors.h"\n' + text).splitlines()
    wants = {}
    for form in forms:
        pair = ("one", "user") if form.startswith("Read") else ("user", "constant")
        cases = [(True, *pair), (False, "two", pair[1]), (False, "bigger", pair[1]), (False, "any", pair[1]),
                 (False, pair[0], "any"), (False, "any", "any")]
        for want, destination, source in cases:
            name = f"Use{len(wants)}"
            lines.append(f"VOID {name}({PARAMETERS}); VOID {name}({PARAMETERS}) {{ (void)one; (void)constant; (void)user; (void)two; "
                         f"(void)bigger; (void)any; (void)Mode; {call(form, destination, source)} }}")
            wants[len(lines)] = (want, f"{form}({destination}, {source})")
    refused, errors = refused_lines(command, "\n".join(lines) + "\n")
    for number in refused - set(wants):
        failed += 1
        print(f"not ok - {label}: {lines[number - 1]}\n{errors[:1500]}")
    for number, (want, what) in wants.items():
        if want == (number in refused):
            failed += 1
            print(f"not ok - {label}: {what} should {'' if want else 'not '}compile")
    print(f"{'not ok' if failed > before else 'ok'} - {label}: {len(wants)} uses of the structure macros, equal types only")
sys.exit(1 if failed else 0)
