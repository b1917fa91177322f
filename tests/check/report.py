"""report.py UMA TEST_REPORT ROOT: `uma report` and `uma merge` as their users meet them: exit status, the four formats, colours, files.

TEST_REPORT makes the sample reports; its JSON and text are the golden files in tests/check/golden (`TEST_REPORT --write FOLDER` renews
them). SARIF and HTML are held against their structure.
"""
import html.parser
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

from validate import Schema

uma, test_report, root = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
golden = root / "tests/check/golden"
scratch = pathlib.Path(tempfile.mkdtemp(prefix="uma-report-"))
failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


def run(*arguments, status=0, **keywords):
    done = subprocess.run([uma, *map(str, arguments)], capture_output=True, timeout=60, stdin=subprocess.DEVNULL, **keywords)
    out, err = done.stdout.decode(), done.stderr.decode()
    expect(done.returncode == status, f"uma {' '.join(map(str, arguments))}: status {done.returncode}, not {status}\n{err}")
    expect(status == 2 or not err, f"uma {arguments}: on standard error: {err}")
    return out, err


def refused(words, *arguments):
    out, err = run(*arguments, status=2)
    expect(re.fullmatch(r"uma[^\n]*\n(Try [^\n]*\n)?", err) and not out, f"{arguments}: not one line: {out!r} {err!r}")
    expect(re.search(words, err), f"{arguments}: {err!r} lacks {words!r}")


def text_and_json():
    """Golden, and the same again when a report goes through the program."""
    for name in ("sample", "shard", "hostile"):
        for kind in ("json", "txt"):
            made, kept = (scratch / f"{name}.{kind}").read_bytes(), (golden / f"{name}.{kind}").read_bytes()
            expect(made == kept, f"{name}.{kind} is not golden/{name}.{kind}")
        out, _ = run("report", scratch / f"{name}.json", "--format", "json", status=1)
        expect(out == (golden / f"{name}.json").read_text(), f"{name}: JSON changes on its way through the program")
        out, _ = run("report", scratch / f"{name}.json", status=1)
        expect(out == (golden / f"{name}.txt").read_text(), f"{name}: text changes on its way through the program")
        expect(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", out), f"{name}: control characters in the text")
    problems = Schema(root / "docs/report.schema.json").problems
    for name in ("sample", "shard", "hostile"):
        failures.extend(problems(json.loads((golden / f"{name}.json").read_text())))
    expect(problems({"version": 1, "tool": "t", "ruins": []}), "the schema takes anything")


def empty_and_notes():
    report = json.loads((golden / "sample.json").read_text())
    report["runs"][0]["findings"] = [one for one in report["runs"][0]["findings"] if one["level"] == "note"]
    (scratch / "notes.json").write_text(json.dumps(report))
    expect("0 errors, 0 warnings, 1 note\n" in run("report", scratch / "notes.json")[0], "notes alone are no failure")
    (scratch / "none.json").write_text('{"version": 1, "tool": "uma"}')
    expect(run("report", scratch / "none.json")[0] == "no findings\n", "an empty report in text")
    sarif = json.loads(run("report", scratch / "none.json", "--format=sarif")[0])
    expect(sarif["runs"] == [], "an empty report in SARIF")
    expect("no findings" in run("report", scratch / "none.json", "--format=html")[0], "an empty report in HTML")


def colours():
    """On a terminal only, and not against NO_COLOR."""
    def on_terminal(**environment):
        parent, child = pty.openpty()
        done = subprocess.Popen([uma, "report", str(scratch / "notes.json")], stdout=child, stdin=subprocess.DEVNULL,
                                env={**os.environ, "TERM": "xterm", **environment})
        os.close(child)
        shown = b""
        try:
            while piece := os.read(parent, 65536):
                shown += piece
        except OSError:  # how Linux tells that the other side is closed
            pass
        done.wait(60)
        os.close(parent)
        return b"\x1b[" in shown
    plain = {"NO_COLOR": ""}
    expect(on_terminal(**plain), "no colours on a terminal")
    expect(not on_terminal(NO_COLOR="1"), "colours in spite of NO_COLOR")
    expect(not on_terminal(**plain, TERM="dumb"), "colours on a dumb terminal")


def sarif():
    schema = Schema(root / "tests/check/sarif.schema.json")
    for name in ("sample", "shard", "hostile"):
        log = json.loads(run("report", scratch / f"{name}.json", "--format=sarif", "--source", root, status=1)[0])
        failures.extend(f"{name}.sarif: {line}" for line in schema.problems(log))
        driver, kept = log["runs"][0], json.loads((golden / f"{name}.json").read_text())["runs"][0]
        for result, finding in zip(driver["results"], kept["findings"], strict=True):
            rule = driver["tool"]["driver"]["rules"][result["ruleIndex"]]
            expect(rule["id"] == result["ruleId"] == finding["rule"], f"{name}.sarif: ruleIndex leads to another rule")
            expect(result["partialFingerprints"] == {"umaCause/v1": finding["fingerprint"]}, f"{name}.sarif: fingerprint")
            steps = result["codeFlows"][0]["threadFlows"][0]["locations"] if "codeFlows" in result else []
            expect(len(steps) == len(finding.get("steps", [])), f"{name}.sarif: a step per step")
            expect([one["executionOrder"] for one in steps] == list(range(1, len(steps) + 1)), f"{name}.sarif: order of steps")
        rules = driver["tool"]["driver"]["rules"]
        expect(all("## How to fix it" in rule["help"]["markdown"] for rule in rules), "rules without their help")
        expect(any("external/cwe/cwe-367" in rule["properties"]["tags"] for rule in rules), "rules without weakness numbers")
        if name == "hostile":
            message = driver["results"][0]["message"]["text"]
            expect("{{0}}\\[x\\](y)" in message, f"a message that is not escaped: {message}")
            expect(".." in driver["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "the hostile path")
            expect("uriBaseId" not in driver["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"],
                   "a path that leads out of the root is said to lie in it")
    place = json.loads(run("report", scratch / "sample.json", "--format=sarif", "--source", root, status=1)[0])
    place = place["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    expect(place["artifactLocation"] == {"uri": "drivers/legacy_race/legacy_race.c", "uriBaseId": "%SRCROOT%"}, f"place {place}")
    expect("RtlCopyMemory" in place["region"]["snippet"]["text"], f"no snippet: {place}")
    absolute = (golden / "sample.json").read_text().replace('"drivers/legacy_race', f'"{root}/drivers/legacy_race')
    (scratch / "absolute.json").write_text(absolute)
    log = run("report", scratch / "absolute.json", "--format=sarif", "--source", root, status=1)[0]
    expect('"uri": "drivers/legacy_race/legacy_race.c"' in log, "files below --source are named relative to it")


class Page(html.parser.HTMLParser):
    """Collects what matters; knows which elements have no end."""
    VOID = {"meta", "br", "img", "link", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.words, self.attributes = [], [], [], [], "", []
        self.feed(text)
        self.close()
        expect(not self.open, f"elements that do not end: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        expect(self.open and self.open[-1] == tag, f"</{tag}> ends {self.open[-1:]}")
        if self.open:
            self.open.pop()

    def handle_data(self, data):
        self.words += data


def page():
    for name in ("sample", "shard", "hostile"):
        text, _ = run("report", scratch / f"{name}.json", "--format=html", "--source", root, status=1)
        found = Page(text)
        expect(not {"script", "img", "iframe", "link", "object"} & set(found.tags), f"{name}: {set(found.tags)}")
        expect(not [one for one in found.attributes if one.startswith("on")], f"{name}: handlers in the page")
        expect(all(link.startswith("#") and link[1:] in found.ids for link in found.links), f"{name}: links lead nowhere or out")
        expect(len(found.ids) == len(set(found.ids)), f"{name}: an id twice")
        expect("default-src 'none'" in text, f"{name}: no content security policy")
        expect(not re.search(r"url\(|@import|https?://", text.split("</style>")[0]), f"{name}: the style sheet fetches something")
        report = json.loads((golden / f"{name}.json").read_text())
        for finding in report["runs"][0]["findings"]:
            expect(finding["replay"] in found.words, f"{name}: no replay command for {finding['rule']}")
            expect(f"rule-{finding['rule']}" in found.ids, f"{name}: no help for {finding['rule']}")
        if name == "sample":
            expect(text.count('class="again"') == 1 + 1 + 1, "an arc in the code's map, in the proof's and in the legend")
            expect("the second read of Size" in text, "no source lines")


def merging():
    one, two, out = scratch / "sample.json", scratch / "shard.json", scratch / "merged.json"
    first, _ = run("merge", one, two)
    second, _ = run("merge", two, one)
    expect(first == second, "merging depends on the order")
    run("merge", one, two, "-o", out)
    expect(out.read_text() == first, "-o writes something else")
    run("merge", out, two, "-o", out)  # the output is an input
    expect(json.loads(out.read_text())["runs"][0]["cases"] == 6321, "a report merged into itself")
    new, _ = run("report", two, "--baseline", one, status=1)
    expect("hang" in new and "raw-user-access" not in new and "1 of the baseline left out" in new, f"--baseline: {new}")
    nothing, _ = run("report", one, "--baseline", one)
    expect(nothing.endswith("no findings; 4 of the baseline left out\n"), f"--baseline of itself: {nothing}")
    expect(json.loads(run("merge", one, two, "--baseline", one)[0])["known"] == 4, "merge --baseline")


def mistakes():
    (scratch / "bad.json").write_text("{")
    os.mkfifo(scratch / "pipe")
    refused("which report", "report")
    refused("which report", "merge")
    refused("one report at a time", "report", "a", "b")
    refused("'pdf' is not text, json, sarif or html", "report", "a", "--format", "pdf")
    refused("No such file", "report", scratch / "missing.json")
    refused("Is a directory", "report", scratch)
    refused("not a regular file", "report", scratch / "pipe")
    refused("not a regular file", "report", "/dev/zero")
    refused(r"bad.json: line 1", "report", scratch / "bad.json")
    refused(r"bad.json: line 1", "merge", scratch / "sample.json", scratch / "bad.json")
    refused(r"--baseline: .*bad.json: line 1", "report", scratch / "sample.json", "--baseline", scratch / "bad.json")
    refused("nowhere", "report", scratch / "sample.json", "--source", "/nowhere")
    refused("Not a directory", "report", scratch / "sample.json", "--source", scratch / "bad.json")
    refused("No such file", "report", scratch / "sample.json", "-o", "/nowhere/out.txt")
    if os.path.exists("/dev/full"):
        refused("/dev/full: No space", "report", scratch / "sample.json", "-o", "/dev/full")


subprocess.run([test_report, "--write", str(scratch)], check=True, timeout=60)
for step in (text_and_json, empty_and_notes, colours, sarif, page, merging, mistakes):
    step()
subprocess.run(["rm", "-r", str(scratch)], check=True)
sys.exit("\n".join(failures) or 0)
