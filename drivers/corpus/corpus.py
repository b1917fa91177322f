#!/usr/bin/env python3
"""corpus.py - the labelled drivers: which there are, what is wrong with each and on which line.

usage: corpus.py list                 a line per driver: its name, its rule, whether it is of the framework
       corpus.py check                every label of labels.tsv has its marker, and every marker its label
       corpus.py labels               the labels with their lines, as tab-separated values
       corpus.py run UMA FOLDER       loads each driver file of FOLDER, sends it its harmless request, and its hostile one

A driver is drivers/corpus/<rule>/<name>.c, built as it is (bad) and with -DFIXED (good). `/* BUG: rule rule */` at the end of a line, or
alone on the line before it, marks what a checker has to find in the bad one; in the good one there is nothing to find. labels.tsv has a
row (file, rule, function) for each; the line is the marker's, so that it is never stale. `Harmless:` in the header is a request file that both
get along with; `Harmless when fixed:` one that the bad driver does not survive. `Hostile:` is one with which `uma run` (with the options of
`Shows`) prints what `Shows:` says for the bad driver, and never for the good one. What takes a checker to be seen has none.
"""
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MARKER = re.compile(r"/\* BUG: ([a-z -]+?) \*/")


def drivers():
    return sorted(HERE.glob("*/*.c"))


def functions(lines):
    """{line number: function it lies in}; a definition begins in column 0 and ends with a brace there."""
    inside, name = {}, None
    for number, line in enumerate(lines, 1):
        found = re.match(r"(?!typedef|#|struct)[A-Za-z_].*?\b(\w+)\([^;]*$", line)
        if found and not line.rstrip().endswith(";"):
            name = found.group(1)
        if name:
            inside[number] = name
        if line.startswith("}"):
            name = None
    return inside


def markers(path):
    """[(rule, function, line)]"""
    lines = path.read_text(encoding="utf-8").splitlines()
    inside, found = functions(lines), []
    for number, line in enumerate(lines, 1):
        marker = MARKER.search(line)
        if marker:
            at = number + 1 if line.strip() == marker.group(0) else number
            if at not in inside:
                sys.exit(f"{path}:{number}: a marker outside of every function")
            found += [(rule, inside[at], at) for rule in marker.group(1).split()]
    return found


def labels():
    rows = (HERE / "labels.tsv").read_text(encoding="utf-8").splitlines()
    if rows[0] != "file\trule\tfunction":
        sys.exit("labels.tsv: its first line names the columns")
    return [tuple(row.split("\t")) for row in rows[1:]]


def check():
    wrong, known = [], {path.name for path in (HERE.parent.parent / "src/check/rules").iterdir() if path.is_dir()}
    marked = sorted({(str(path.relative_to(HERE)), rule, function) for path in drivers() for rule, function, _ in markers(path)})
    written = labels()
    wrong += [f"{row}: no such marker" for row in written if row not in marked]
    wrong += [f"{row}: not in labels.tsv" for row in marked if row not in written]
    wrong += [] if written == sorted(set(written)) else ["labels.tsv is not sorted, or has a row twice"]
    wrong += [f"{row}: no such rule" for row in written if row[1] not in known]
    for rule in sorted(known):
        kinds = {path.name.split("_")[0] for path in (HERE / rule).glob("*.c")}
        wrong += [f"{rule}: no driver {kind}_*.c" for kind in ("wdm", "uma", "kmdf") if kind not in kinds]
    for path in drivers():
        text, rule = path.read_text(encoding="utf-8"), path.parent.name
        wrong += [] if any(found == rule for found, _, _ in markers(path)) else [f"{path}: nothing of {rule} is marked"]
        wrong += [] if "FIXED" in text else [f"{path}: no fixed twin"]
        wrong += [] if text.startswith(f"/*\n * {path.name} - ") else [f"{path}: the header does not name it"]
        harmless(path, "good")
    sys.exit("\n".join(wrong) or 0)


def header(path):
    """{key: text} of the header's last lines, each key's text on one line."""
    text = re.sub(r"\n \* ?", " ", path.read_text(encoding="utf-8").split("\n */")[0])
    found = re.split(r"(?:^| )((?:Harmless|Hostile|Shows)(?: when fixed| with --[\w=-]+)?): ", text)
    return dict(zip(found[1::2], (part.strip() for part in found[2::2])))


def request_of(path, text):
    try:
        return json.loads(text)
    except ValueError as error:
        sys.exit(f"{path}: a request in its header: {error}")


def harmless(path, twin):
    """The request file in the header; None: this twin has none."""
    keys = header(path)
    if "Harmless" in keys:
        return request_of(path, keys["Harmless"])
    request = request_of(path, keys.get("Harmless when fixed", "it is missing"))
    return request if twin == "good" else None


def send(uma, driver, twin, request, *options):
    """The good twin has to please the verifier and SMAP as well."""
    options += ("--smap", "--verify") if twin == "good" else ()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(request, file)
        file.flush()
        return subprocess.run([uma, "run", str(driver), "--requests", file.name, "--quiet", *options], capture_output=True, text=True,
                              errors="replace", timeout=300)


def check_raw(path, twin, printed):
    """The functions that touch user memory by themselves are those that are labelled so, and no others. (umap_...: the kernel's copies,
    on behalf of one that said the address was the kernel's.)"""
    labelled = {function for rule, function, _ in markers(path) if rule == "raw-user-access"} if twin == "bad" else set()
    seen = set(re.findall(r"^   \d+ x (?:read|write) .*!(\w+)", printed, re.M))
    seen = {function for function in seen if not function.startswith("umap_")}
    return [] if seen == labelled else [f"touches user memory in {sorted(seen)}, labelled are {sorted(labelled)}"]


def check_harmless(uma, driver, path, twin):
    request = harmless(path, twin)
    if request is None:
        return []
    done = send(uma, driver, twin, request, "--timeout=60")
    statuses = re.findall(r"^#\d+ .*?: (STATUS_\w+|0x[0-9a-f]+) information", done.stdout, re.M)
    wrong = [f"exit status {done.returncode}"] if done.returncode else []
    wrong += [] if statuses == ["STATUS_SUCCESS"] * len(request["requests"]) else [f"answers {statuses}"]
    wrong += [] if "left behind: nothing" in done.stdout else ["leaves something behind"]
    wrong += check_raw(path, twin, done.stdout)
    return [f"{line}\n{done.stdout}{done.stderr[-800:]}" for line in wrong]


def check_hostile(uma, driver, path, twin):
    keys = header(path)
    if "Hostile" not in keys:
        return []
    shows = next(key for key in keys if key.startswith("Shows"))
    done = send(uma, driver, twin, request_of(path, keys["Hostile"]), *shows.split()[2:])
    wrong, shown = [], re.search(keys[shows], done.stdout)
    if twin == "bad":
        wrong += [] if shown else [f"does not show {keys[shows]!r}"]
    else:
        wrong += [f"shows {keys[shows]!r}"] if shown else []
        wrong += [f"exit status {done.returncode} after the hostile request"] if done.returncode else []
        wrong += [] if "left behind: nothing" in done.stdout else ["leaves something behind after the hostile request"]
    return [f"{line}\n{done.stdout}{done.stderr[-800:]}" for line in wrong]


def run_one(uma, driver):
    """Lines that say what went wrong."""
    rule, name, twin, _ = driver.stem.split(".")
    path = HERE / rule / f"{name}.c"
    wrong = check_harmless(uma, driver, path, twin) + check_hostile(uma, driver, path, twin)
    return [f"{driver.name}: {line}" for line in wrong]


def run(uma, folder):
    found = sorted(pathlib.Path(folder).glob("*.sys"))
    if len(found) != 4 * len(drivers()):
        sys.exit(f"{folder}: {len(found)} driver files, not {4 * len(drivers())}")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        wrong = [line for lines in pool.map(lambda driver: run_one(uma, driver), found) for line in lines]
    if not wrong:
        shown = sum("Hostile" in header(path) for path in drivers())
        print(f"{len(found)} drivers answer a harmless request and unload; {shown} of {len(drivers())} defects show, and no twin's does")
    sys.exit("\n".join(wrong) or 0)


def main():
    match sys.argv[1:]:
        case ["list"]:
            for path in drivers():
                print(f"{path.stem}\t{path.parent.name}\t{'kmdf' if 'CORPUS_KMDF' in path.read_text() else 'wdm'}")
        case ["check"]:
            check()
        case ["labels"]:
            print("file\trule\tfunction\tline")
            for path in drivers():
                for rule, function, line in markers(path):
                    print(f"{path.relative_to(HERE)}\t{rule}\t{function}\t{line}")
        case ["run", uma, folder]:
            run(uma, folder)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
