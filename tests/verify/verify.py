"""verify.py OUT DRIVERS FOLDER [NAME...]: each sin of sins.def, committed by verify.sys under `uma run --verify`, must end in its bug
check with its parameter 1, blamed on the line with HERE; done right it must succeed, in silence.
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys

out, drivers, folder = map(pathlib.Path, sys.argv[1:4])
chosen = set(sys.argv[4:])
rows = re.findall(r"^SIN\((\w+), (0x\w+), (0x\w+|\*), ", (folder / "sins.def").read_text(), re.M)


def places():
    """The file and line to blame, by sin."""
    found = {}
    for path in (folder / "driver").glob("*.h"):
        sin, before = None, ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            start = re.match(r"NTSTATUS NTAPI ([A-Z_0-9]+)\(", line)
            sin = start.group(1) if start else sin
            if "/* HERE */" in line: # a statement begins on the line before where it does not fit into one
                found[sin] = f"{path.name}:{number - before.rstrip().endswith('=')}"
            before = line
    return found


def uma(*codes, command="run"):
    arguments = [word for code in codes for word in ("--ioctl", hex(0x222003 + 4 * code))]
    done = subprocess.run([str(out / "uma"), command, "--verify", "--timeout=2", str(drivers / "verify.sys"),
                           *arguments], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


blamed = places()


def commit(index, command="run"):
    name, code, first = rows[index]
    status, printed, messages = uma(2 * index, command=command)
    stop = re.search(r"^\*\*\* STOP: (0x[0-9A-F]+) \w+ \((0x[0-9a-f]+),", messages, re.M)
    at = re.search(r"^\*\*\* at (.*)$", messages, re.M)
    wrong = []
    if status != 1 or not stop:
        wrong.append(f"no bug check, exit status {status}")
    else:
        if int(stop.group(1), 16) != int(code, 16) or (first != "*" and int(stop.group(2), 16) != int(first, 16)):
            wrong.append(f"bug check {stop.group(1)} ({stop.group(2)}), not {code} ({first})")
        if name in blamed and not (at and at.group(1).endswith(f"/{blamed[name]})")):
            wrong.append(f"blamed on {at and at.group(1)}, not on {blamed[name]}")
        if messages.count("*** STOP") != 1:
            wrong.append("more than one bug check")
    if wrong:
        print(f"FAILED {name}: " + "; ".join(wrong) + f"\n{printed[-600:]}{messages[-1500:]}", flush=True)
    elif chosen:
        print(messages.strip(), flush=True)
    return not wrong


def do_right(indices):
    status, printed, messages = uma(*(2 * index + 1 for index in indices))
    lines = re.findall(r"^#\d+ ioctl .*$", printed, re.M)
    bad = [rows[i][0] + ": " + line for i, line in zip(indices, lines) if "STATUS_SUCCESS" not in line]
    fine = status == 0 and len(lines) == len(indices) and not bad and "left behind: nothing" in printed and not messages.strip()
    if not fine:
        last = rows[indices[min(len(lines), len(indices) - 1)]][0]
        print(f"FAILED done right: exit status {status}, {len(lines)} of {len(indices)} answered (then {last}); {bad[:5]}\n"
              f"{printed[-600:]}{messages[-1500:]}", flush=True)
    return fine


indices = [i for i, row in enumerate(rows) if not chosen or row[0] in chosen]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    seen = sum(pool.map(commit, indices))
right = do_right(indices)
# Who traces accessors puts functions of his own in the place of those that check.
for index in indices:
    if rows[index][0].startswith("ACCESSOR_"):
        right = commit(index, "trace") and right
print(f"{seen} of {len(indices)} sins seen; done right: {'silent' if right else 'NOT silent'}")
sys.exit(seen != len(indices) or not right)
