#!/usr/bin/env python3
"""rules_md.py - writes docs/rules.md and docs/rules/<id>.md from rules.def and the rule folders, or with --check says whether they are current.

usage: rules_md.py [--check] DOCS
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
SECTIONS = ["Why it matters", "How it is found", "Bad", "Good", "How to fix it"]
HEAD = """# The rules

Generated from `src/check/rules` by its `rules_md.py`; do not edit.

What a finding in a report means (`uma report`, [report.md](report.md)): a page per rule, with the mistake, the right way, and how the one is told from the
other. The level is the worst a rule reports. The pages are also in SARIF and HTML reports.

| rule | level | |
|---|---|---|
"""
NOTE = "<!-- Generated from src/check/rules by its rules_md.py; do not edit. -->\n"


def rows():
    """[(id, level, summary, tags)] in the order of rules.def."""
    text = (HERE / "rules.def").read_text(encoding="utf-8")
    found = re.findall(r'RULE\((\w+), "([a-z-]+)", LEVEL_(\w+),\s*"([^"]+)",\s*"([^"]*)"\)', text)
    if len(found) != len(re.findall(r"^RULE\(", text, re.M)):
        sys.exit("rules.def: a row that is not RULE(symbol, id, level, summary, tags)")
    for symbol, rule, *_ in found:
        if symbol != rule.replace("-", "_"):
            sys.exit(f"rules.def: {rule}'s symbol is {symbol}")
    return [(rule, level.lower(), summary, tags.split()) for _, rule, level, summary, tags in found]


def body(rule):
    text = (HERE / rule / "rule.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.M)
    if sections != SECTIONS:
        sys.exit(f"{rule}/rule.md: its sections are {sections}, not {SECTIONS}")
    return text


def weakness(tag):
    number = re.fullmatch(r"cwe-(\d+)", tag)
    return f"[{tag.upper()}](https://cwe.mitre.org/data/definitions/{number.group(1)}.html)" if number else tag


def pages():
    """{file name below DOCS: text}"""
    found = {}
    index = HEAD
    folders = {folder.name for folder in HERE.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    if folders != {row[0] for row in rows()}:
        sys.exit(f"rules.def and the folders differ: {sorted(folders ^ {row[0] for row in rows()})}")
    for rule, level, summary, tags in rows():
        index += f"| [`{rule}`](rules/{rule}.md) | {level} | {summary} |\n"
        found[f"rules/{rule}.md"] = (f"{NOTE}# {rule}\n\n**{summary}.** Level: {level}. Tags: "
                                     + ", ".join(weakness(tag) for tag in tags) + f".\n\n{body(rule)}")
    found["rules.md"] = index
    return found


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    docs, found = pathlib.Path(arguments[0]), pages()
    if "--check" not in sys.argv:
        (docs / "rules").mkdir(exist_ok=True)
        for name, text in found.items():
            (docs / name).write_text(text, encoding="utf-8")
        return
    stale = [name for name, text in found.items()
             if not (docs / name).is_file() or (docs / name).read_text(encoding="utf-8") != text]
    stale += [f"rules/{page.name}" for page in (docs / "rules").glob("*.md") if f"rules/{page.name}" not in found]
    if stale:
        sys.exit(f"not current: {', '.join(stale)}; run: python3 src/check/rules/rules_md.py docs")


if __name__ == "__main__":
    main()
