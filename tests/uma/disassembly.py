"""Reads libraries back: which function stands where, and its instructions. Shared by libraries.py and costs.py."""
import re
import subprocess


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def symbols(nm, archive):
    """name -> (member, address) of what the archive defines; the set of names it wants from elsewhere."""
    defined, wanted, member = {}, set(), ""
    for line in run(nm, archive).splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif match := re.match(r"^([0-9a-f]+) ([TtRrDdBb]) (\S+)$", line):
            defined[match[3]] = (member, int(match[1], 16))
        elif match := re.match(r"^\s+U (\S+)$", line):
            wanted.add(match[1])
    return defined, wanted - set(defined)


def instructions(objdump, archive):
    """(member, address) -> (mnemonic, operands, address of the next instruction)."""
    code, member, last = {}, "", None
    for line in run(objdump, "-d", "--no-show-raw-insn", archive).splitlines():
        if match := re.match(r"^\S*?([^/()]+)\)?:\s+file format", line):
            member, last = match[1], None
        elif line.endswith(">:"):
            last = None
        elif match := re.match(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line):
            at = int(match[1], 16)
            code[member, at] = [match[2], match[3], None]
            if last is not None:
                code[member, last][2] = at
            last = at
    return code


def straight(code, start):
    """The instructions from start to the first return, conditional branches not taken, but those around a call."""
    member, at = start
    path = []
    while at is not None:
        mnemonic, operands, following = code[member, at]
        if mnemonic == "je" and following is not None and code[member, following][0] == "callq":
            following = code[member, following][2]
        if mnemonic == "lock": # printed as a line of its own
            at = following
            continue
        path.append(f"{mnemonic} {operands}".strip())
        if mnemonic in ("ret", "retq"):
            return path
        at = following
    return path


def body(code, start, starts):
    """All instructions of the function at start, up to the next function of the member."""
    member, at = start
    end = min((a for m, a in starts if m == member and a > at), default=None)
    return [f"{m} {o}".strip() for (mm, a), (m, o, _) in code.items() if mm == member and a >= at and (end is None or a < end)]
