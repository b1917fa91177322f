"""verify_pnp.py UMA DRIVER FOLDER: each PNP_SIN of sins.def, committed by verify_pnp.sys under `uma run --verify`, must end in its
bug check with its parameter 1, blamed on that driver; without one it must start and go in silence, with and without the verifier.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

uma, driver, folder = sys.argv[1:]
KEY = "\\Registry\\Machine\\System\\CurrentControlSet\\Enum\\ROOT\\UMA\\0000\\Device Parameters"
rows = re.findall(r"^PNP_SIN\((\w+), (0x\w+), (0x\w+), ", (pathlib.Path(folder) / "sins.def").read_text(), re.M)


def run(sin, *arguments):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as registry:
        json.dump({KEY: {"Sin": {"dword": sin}}}, registry)
        registry.flush()
        done = subprocess.run([uma, "run", *arguments, driver, "--reg", registry.name], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


failed = not rows
for number, (name, code, first) in enumerate(rows):
    status, printed, messages = run(number, "--verify")
    stops = re.findall(r"^\*\*\* STOP: (0x[0-9A-F]+) \w+ \((0x[0-9a-f]+),", messages, re.M)
    right = len(stops) == 1 and [int(text, 16) for text in stops[0]] == [int(code, 16), int(first, 16)]
    if status != 1 or not right or not re.search(r"^\*\*\* at verify_pnp!", messages, re.M):
        print(f"FAILED {name}: exit status {status}, {stops}\n{printed}{messages}")
        failed = True
for arguments in (["--verify"], []):
    status, printed, messages = run(0xFFFFFFFF, *arguments)
    if status or messages or "started on the virtual bus" not in printed or "left behind: nothing" not in printed:
        print(f"FAILED without a sin {arguments}: exit status {status}\n{printed}{messages}")
        failed = True
print(f"{len(rows)} sins")
sys.exit(failed)
