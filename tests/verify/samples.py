"""samples.py OUT ROOT: the sample drivers under `uma run --verify`: the same results as without it, no warning and no bug check of the
verifier's. Each runs the request files that its demonstration or its tests use.
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys

out, root = map(pathlib.Path, sys.argv[1:3])
demo, requests = sorted((root / "drivers/demo").glob("*.json")), root / "tests/cli/requests"
runs = [("uma_safe", path) for path in demo] + [("legacy_race", demo[0]), ("legacy_refetch", demo[0]), ("uma_tour", root / "drivers/uma_tour/tour.json")]
runs += [("direct_io", requests / name) for name in ("buffered.json", "direct.json", "locks.json", "read-write.json")]
runs += [("kmdf_template", root / "drivers/kmdf_template/template.json"), ("kmdf_echo", root / "drivers/kmdf_echo/echo.json"), ("kmdf_uma", root / "drivers/uma_tour/tour.json")]
runs += [("kmdf_neither", root / "drivers/kmdf_neither" / name) for name in ("neither.json", "races.json")]


def uma(driver, path, *options):
    done = subprocess.run([str(out / "uma"), "run", *options, "--requests", str(path), str(out / f"drivers/{driver}.sys")],
                          capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    return done.returncode, re.sub(r"raced by \d+", "raced by", done.stdout.decode(errors="replace")), done.stderr.decode(errors="replace")


def same(run):
    plain, verified = uma(*run), uma(*run, "--verify")
    racing = "races" in run[1].name  # its numbers are those of a race
    if verified[0] == plain[0] and (racing or verified[1] == plain[1]) and "***" not in verified[2]:
        return True
    print(f"FAILED {run[0]} {run[1].name}: {plain[0]} and {verified[0]}\n--- without\n{plain[1]}--- with\n{verified[1]}{verified[2][-1500:]}", flush=True)
    return False


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    right = sum(pool.map(same, runs))
print(f"{right} of {len(runs)} runs of sample drivers are the same under the verifier")
sys.exit(right != len(runs))
