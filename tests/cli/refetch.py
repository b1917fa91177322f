"""refetch.py OBJECT FUNCTION: FUNCTION reads the first 4 bytes its first argument points at twice, with a call in between.

Follows the argument (rcx) through register moves in the function's disassembly and lists the loads that cover offset 0.
"""
import re
import subprocess
import sys

LOADS = {"movl": 4, "movq": 8, "movups": 16, "movaps": 16, "movdqu": 16, "movzwl": 2, "movzbl": 1, "cmpl": 4}


def function_lines(path, name):
    text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    body = re.search(r"^[0-9a-f]+ <%s>:\n(.*?)(?:\n\n|\Z)" % re.escape(name), text, re.S | re.M)
    if not body:
        sys.exit(f"{path}: no function {name}")
    return [line.split("\t", 1)[1].split("#")[0].strip() for line in body.group(1).splitlines() if "\t" in line]


def main(path, name):
    holders, calls, loads = {"%rcx"}, 0, []
    for line in function_lines(path, name):
        operation, _, operands = line.replace("\t", " ").partition(" ")
        operands = operands.strip()
        memory = re.match(r"(?:0x0)?\((%r\w+)\), *(%\w+)$", operands)
        if operation in LOADS and memory and memory.group(1) in holders:
            loads.append((calls, line))
        move = re.match(r"(%\w+), *(%\w+)$", operands)
        if operation == "movq" and move and move.group(1) in holders:
            holders.add(move.group(2))
        elif re.search(r", *(%\w+)$", operands) and not operation.startswith(("cmp", "test")):
            holders.discard(re.search(r"(%\w+)$", operands).group(1))
        if operation.startswith("call"):
            calls += 1
            holders -= {"%rcx", "%rdx", "%r8", "%r9", "%r10", "%r11", "%rax"}
    for calls_before, line in loads:
        print(f"after {calls_before} calls: {line}")
    if len({calls_before for calls_before, _ in loads}) < 2:
        sys.exit(f"{name} reads its argument's first field {len(loads)} time(s); the story needs two reads around a call")
    print(f"{name}: the field is read again after the check")


main(*sys.argv[1:])
