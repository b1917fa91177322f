#!/usr/bin/env python3
"""Holds our parser's reading of the fixtures against llvm-readobj's. Usage: compare_readobj.py PE_DUMP FIXTURES"""
import re
import shutil
import subprocess
import sys


def number(text):
    return int(text, 0)


def one(key, text):
    match = re.search(rf"^\s*{key}: (?:.*\()?(0x[0-9A-Fa-f]+|\d+)\)?$", text, re.M)
    return number(match.group(1)) if match else None


def theirs(readobj, path):
    run = lambda *flags: subprocess.run([readobj, *flags, path], check=True, capture_output=True, text=True).stdout
    headers = run("--file-headers")
    rows = {
        "machine": one("Machine", headers), "timestamp": one("TimeDateStamp", headers),
        "entry": one("AddressOfEntryPoint", headers), "image_base": one("ImageBase", headers),
        "section_alignment": one("SectionAlignment", headers), "file_alignment": one("FileAlignment", headers),
        "image_size": one("SizeOfImage", headers), "headers_size": one("SizeOfHeaders", headers),
    }
    flags = re.findall(r"Characteristics \[ \((0x[0-9A-F]+)\)", headers)
    rows["characteristics"], rows["dll_characteristics"] = number(flags[0]), number(flags[1])
    rows["section"] = [
        # the name's eight bytes: long ones are offsets into a string table, which is no part of an image
        (bytes.fromhex(name).rstrip(b"\0").decode(), number(size), number(rva), number(raw), number(flag))
        for name, size, rva, raw, flag in re.findall(
            r"Name: \S+ \(([0-9A-F ]+)\).*?VirtualSize: (\S+).*?VirtualAddress: (\S+).*?PointerToRawData: (\S+).*?Characteristics \[ \((\S+)\)",
            run("--sections"), re.S)]
    imports, module = [], None
    for line in run("--coff-imports").splitlines():
        if match := re.match(r"\s*Name: (\S+)", line):
            module = match.group(1)
        elif match := re.match(r"\s*Symbol: (\S*) ?\((\d+)\)", line):
            name = match.group(1)
            imports.append((module, name or "-", number(match.group(2)) if not name else 0))
    rows["import"] = sorted(imports)
    rows["function"] = [number(a) for a in re.findall(r"StartAddress: .*?\(?(0x[0-9A-Fa-f]+)\)?$", run("--unwind"), re.M)]
    config = run("--coff-load-config")
    if "SecurityCookie" in config:
        rows["config_size"], rows["config_cookie"] = one("Size", config), one("SecurityCookie", config)
        if one("GuardCFCheckFunction", config) is not None:
            rows["config_guard_check"] = one("GuardCFCheckFunction", config)
            rows["config_guard_dispatch"] = one("GuardCFCheckDispatch", config)
    return rows


def ours(dump, path):
    rows = {"section": [], "import": [], "function": []}
    for line in subprocess.run([dump, path], check=True, capture_output=True, text=True).stdout.splitlines():
        key, *values = line.split()
        if key == "section":
            rows[key].append((values[0], *map(number, values[1:])))
        elif key == "import":
            rows[key].append((values[0], values[1], number(values[2])))
        elif key == "function":
            rows[key].append(number(values[0]))
        else:
            rows[key] = number(values[0])
    rows["import"].sort()
    return rows


def main():
    dump, folder = sys.argv[1:]
    readobj = shutil.which("llvm-readobj-19") or shutil.which("llvm-readobj")
    if not readobj:
        print("not run: no llvm-readobj")
        return 77
    failures = compared = 0
    for name in ("plain", "dwarf", "align64k", "align32", "filealign", "merged", "norebase", "fixed", "short_config", "delayed"):
        path = f"{folder}/{name}.sys"
        expected, found = theirs(readobj, path), ours(dump, path)
        if name == "merged":
            del expected["function"]  # llvm-readobj finds unwind data only in a section called .pdata
        for key, value in expected.items():
            compared += 1
            if found.get(key) != value:
                failures += 1
                print(f"{name}: {key}: llvm-readobj says {value}, we say {found.get(key)}")
            if value is None or value == []:
                failures += 1
                print(f"{name}: {key}: llvm-readobj's output was not understood")
    print(f"{compared} fields compared, {failures} differ")
    return 1 if failures or compared < 100 else 0


sys.exit(main())
