#!/usr/bin/env python3
"""Runs the suites' PKU cases on an emulated machine that has protection keys.

Most build machines hide PKU. QEMU's TCG emulates it, and Debian packages a kernel, so the same test binaries run
there: an initramfs holds them with the libraries they need, tests/pku/init.c runs them one by one. Downloads the
kernel package with apt-get into the build folder; installs nothing.

usage: run.py BUILD_FOLDER [NAME_REGEX]
"""
import json
import os
import re
import shutil
import subprocess
import sys

TIMEOUT_SECONDS = 1500
REQUESTS = "1000"  # of a load test, that an emulated machine may end it in good time


def output(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def download_kernel(folder):
    """Unpacks Debian's cloud kernel package below folder; false if it cannot be had."""
    try:
        package = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", "depends", "linux-image-cloud-amd64")).group(1)
        subprocess.run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, AttributeError):
        return False
    deb = next(name for name in os.listdir(folder) if name.startswith(package) and name.endswith(".deb"))
    subprocess.run(["dpkg", "-x", os.path.join(folder, deb), os.path.join(folder, "kernel")], check=True)
    return True


def kernel(folder):
    """Path of a Debian cloud kernel's image, downloaded once."""
    boot = os.path.join(folder, "kernel", "boot")
    if not os.path.isdir(boot) and not download_kernel(folder):
        # The package lists may be missing or older than the archive.
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if not root or shutil.which("sudo"):
            subprocess.run([*root, "apt-get", "update", "-q"], check=False, stdout=subprocess.DEVNULL)
        if not download_kernel(folder):
            print("pku-machine: not run: Debian's kernel package linux-image-cloud-amd64 is not to be had")
            sys.exit(77)
    return next(os.path.join(boot, name) for name in os.listdir(boot) if name.startswith("vmlinuz"))


def libraries(program):
    text = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return re.findall(r"(/\S+\.so\S*)", text)


def suites(build, pattern):
    """(name, environment words, command) of each ctest case that runs under PKU and needs no Python."""
    for test in json.loads(output("ctest", "--test-dir", build, "--show-only=json-v1"))["tests"]:
        if not re.search(pattern, test["name"]):
            continue
        if "python" in os.path.basename(test["command"][0]):
            continue
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        command = [REQUESTS if re.fullmatch(r"\d{4,}", word) else word for word in test["command"]]
        yield test["name"], properties.get("ENVIRONMENT", []) + ["UMA_COPY_STRIDE=7"], command


def demo(build):
    """The demo as one more case, and the files it reads."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        out = re.search(r"^UMA_OUT:PATH=(.*)$", cache.read(), re.M).group(1)
    drivers = os.path.join(out, "drivers")
    requests = os.path.join(drivers, "demo")
    files = [os.path.join(folder, name) for folder in (drivers, requests) for name in os.listdir(folder)
             if name.endswith((".sys", ".json"))]
    return ("demo", [], [os.path.join(out, "uma"), "demo", "--drivers", drivers]), files


def failures(text):
    """What each failed suite printed: its failed tests, or its last lines if it died in between."""
    start = 0
    for verdict in re.finditer(r"^pku-machine: (\w+.*?) (\S+) \((\d+)\), \d+ s$", text, re.M):
        printed, start = text[start:verdict.start()], verdict.end()
        if verdict.group(1) == "FAILED":
            tests = re.findall(r"^\[ RUN[^\[]*(?:(?!^\[ RUN|^\[ +OK).*\n)*?^\[ +FAILED +\] \w+\n", printed, re.M)
            yield "\n".join([*(test[-3000:] for test in tests or [printed]), verdict.group(0)])


def main():
    build = os.path.abspath(sys.argv[1])
    pattern = sys.argv[2] if len(sys.argv) > 2 else r"\.pku$"
    here = os.path.dirname(os.path.abspath(__file__))
    work = os.path.join(build, "pku-machine")
    root = os.path.join(work, "root")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    image = kernel(work)
    subprocess.run(["gcc", "-O2", "-static", os.path.join(here, "init.c"), "-o", os.path.join(root, "init")], check=True)

    program, files = demo(build)
    rows, files = [], set(files)
    for name, environment, command in [*suites(build, pattern), program]:
        rows.append(name + "\n" + " ".join(environment + command) + "\n")
        for word in command:
            if os.path.isfile(word):
                files.add(word)
        files.update(libraries(command[0]))
    with open(os.path.join(root, "tests"), "w", encoding="ascii") as listing:
        listing.writelines(rows)
    for path in files:
        target = root + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.realpath(path), target)

    archive = os.path.join(work, "initramfs.cpio")
    with open(archive, "wb") as to:
        listing = "\n".join(os.path.relpath(os.path.join(folder, name), root)
                            for folder, folders, names in os.walk(root) for name in folders + names)
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=listing.encode(), stdout=to, check=True, cwd=root)
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2048", "-nographic",
               "-no-reboot", "-kernel", image, "-initrd", archive, "-append", "console=ttyS0 quiet panic=-1 mitigations=off"]
    try:
        text = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT_SECONDS).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace")
        print(text[-4000:])
        sys.exit(f"pku-machine: no closing line within {TIMEOUT_SECONDS} s")
    closing = re.search(r"pku-machine: (\d+) passed, (\d+) failed, (\d+) skipped", text)
    good = closing and closing.group(2) == "0" and closing.group(3) == "0" and int(closing.group(1)) == len(rows)
    if not good:
        text = text.replace("\r", "")
        print(*failures(text), sep="\n")
        print(closing.group(0) if closing else text[-4000:] + "\npku-machine: it ended without its closing line")
        sys.exit("pku-machine: failed")
    print("\n".join(line for line in text.replace("\r", "").splitlines() if line.startswith("pku-machine:")))


main()
