"""hostile.py OUT DRIVERS SOURCES [NAME...]: one `uma run` for each sin of sins.def and entry.def (or those named), which must end as its
row says.

A sin may end in a bug check, a time-out or a status; never in a crash of the program's own, never in silence, never later than the
time-out allows. UMA_PROTECT chooses the protection; exit 77 when this processor lacks it. HOSTILE_STRIDE=N: every N-th sin.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

out, drivers, sources = map(pathlib.Path, sys.argv[1:4])
chosen = set(sys.argv[4:])
protect = os.environ.get("UMA_PROTECT", "auto")
stride = int(os.environ.get("HOSTILE_STRIDE", "1"))
TIMEOUT = 2
SLOWEST = 60  # seconds; the machine may be busy


def uma(driver, *arguments):
    command = [str(out / "uma"), "run", f"--protect={protect}", f"--timeout={TIMEOUT}", str(driver), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SLOWEST, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace"), (late.stderr or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


ENDINGS = {
    "BUGCHECK": lambda code, printed: code == 1 and re.search(r"^BUGCHECK 0x", printed, re.M),
    "TIMEOUT": lambda code, printed: code == 1 and re.search(r"^TIMEOUT: .* did not come back", printed, re.M),
    "STATUS": lambda code, printed: code == 0 and re.search(r"^#1 ioctl .*: (STATUS_|0x)", printed, re.M),
    "LOADERROR": lambda code, printed: code == 2 and not printed,
    "LOADED": lambda code, printed: code == 0 and re.search("^(left behind|unload): ", printed, re.M),
}
ENDINGS["ENDS"] = lambda code, printed: any(ENDINGS[e](code, printed) for e in ("BUGCHECK", "TIMEOUT", "STATUS", "LOADED")) or (
    code == 1 and "COMPLETED" in printed)
ENDINGS["DAMAGE"] = lambda code, printed: code == 1  # the program's own memory is gone: one line, whatever it says


def judge(name, expected, driver, *arguments):
    started = time.monotonic()
    code, printed, messages = uma(driver, *arguments)
    took = time.monotonic() - started
    wrong = []
    if code is None:
        wrong.append(f"did not end within {SLOWEST} s")
    elif not ENDINGS[expected](code, printed):
        wrong.append(f"ended with exit status {code}, not in {expected}")
    if re.search(r"Segmentation|core dumped|AddressSanitizer|runtime error|unhandled fault|^uma: fault|and while reporting", messages, re.M):
        wrong.append("died by itself")
    if "escaped" in printed:
        wrong.append("reached Linux")
    ending = next((e for e in ("BUGCHECK", "TIMEOUT", "STATUS") if code is not None and ENDINGS[e](code, printed)), "ends")
    if expected == "BUGCHECK" and not wrong and " at " not in printed and " in " not in messages:
        wrong.append("names no place")
    if wrong:
        print(f"FAILED {name}: " + "; ".join(wrong) + f"\n--- stdout\n{printed[-1500:]}--- stderr\n{messages[-1500:]}---", flush=True)
    elif chosen or "-v" in os.environ.get("HOSTILE", ""):
        line = next((l for l in printed.splitlines() if l.startswith(("BUGCHECK", "TIMEOUT", "#1"))), "")
        print(f"{name}: {ending} in {took:.1f} s: {line[:150]}", flush=True)
    return not wrong


probe = uma(drivers / "hostile.sys")
if probe[0] == 2 and "lacks that protection" in probe[2]:
    print(f"not run: {probe[2].strip()}")
    sys.exit(77)
def rows(name):
    return re.findall(r"^SIN\((\w+), (\w+)\)$", (sources / name).read_text(), re.M)


pool = concurrent.futures.ThreadPoolExecutor(3)
pending = []
for index, (name, expected) in enumerate(rows("sins.def")):
    method = 0 if name.startswith("SYSTEM_BUFFER") or name == "HUGE_INFORMATION" else 3
    if name in chosen or not chosen and index % stride == 0:
        arguments = ["--ioctl", hex(0x222000 + 4 * index + method), "--in", "size:4096", "--out-size", "64"]
        pending.append(pool.submit(judge, name, expected, drivers / "hostile.sys", *arguments))
scratch = pathlib.Path(tempfile.mkdtemp(prefix="uma-hostile-"))
for name, expected in rows("entry.def"):
    if not chosen or name in chosen:
        shutil.copy(drivers / "entry.sys", scratch / f"{name}.sys")
        pending.append(pool.submit(judge, "entry " + name, expected, scratch / f"{name}.sys"))
right = sum(future.result() for future in pending)
shutil.rmtree(scratch)
print(f"{right} of {len(pending)} sins ended as they must (protection: {protect})")
sys.exit(right != len(pending))
