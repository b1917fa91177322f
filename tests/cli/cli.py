"""cli.py OUT DRIVERS ROOT: runs `uma` as a user does and holds its exit status and its words against the table below.

OUT has uma and drivers/*.sys, DRIVERS the .sys files of tests/cli/drivers. UMA_PROTECT in the environment chooses the protection; exit
77 when this processor lacks it.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

out, drivers, root = map(pathlib.Path, sys.argv[1:4])
protect = os.environ.get("UMA_PROTECT", "auto")
demo, requests = root / "drivers/demo", root / "tests/cli/requests"
sample = {name: str(out / f"drivers/{name}.sys") for name in ("uma_safe", "legacy_race", "legacy_refetch", "direct_io")}
naughty, refuses, mute, hangs, settings = (str(drivers / f"{name}.sys") for name in ("naughty", "refuses", "mute", "hangs", "settings"))
scratch = pathlib.Path(tempfile.mkdtemp(prefix="uma-cli-"))
pool = concurrent.futures.ThreadPoolExecutor(3)  # most of the time goes into waiting for time-outs
pending = []


def uma(*arguments, timeout=60):
    done = subprocess.run([str(out / "uma"), *map(str, arguments)], capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def check(*arguments, **keywords):
    pending.append(pool.submit(check_now, *arguments, **keywords))


def check_now(arguments, status, *wanted, stderr=(), absent=()):
    """Runs uma; status and every wanted pattern (in stdout, or stderr's in stderr) must be right, no absent one may appear."""
    code, printed, messages = uma(*arguments)
    wrong = [] if code == status else [f"exit status {code}, not {status}"]
    wrong += [f"stdout lacks {p!r}" for p in wanted if not re.search(p, printed, re.M)]
    wrong += [f"stderr lacks {p!r}" for p in stderr if not re.search(p, messages, re.M)]
    wrong += [f"must not print {p!r}" for p in absent if re.search(p, printed + messages, re.M)]
    if wrong:
        shown = " ".join(str(a) for a in arguments)
        print(f"FAILED uma {shown}\n  " + "\n  ".join(wrong) + f"\n--- stdout\n{printed}--- stderr\n{messages[-3000:]}---")
    return not wrong


def run(driver, *arguments):
    return ["run", f"--protect={protect}", driver, *arguments]


CLEAN = "^left behind: nothing$"
NO_RAW = "^raw user accesses: none$"


def command_line():
    one_line = r"\Auma[^\n]*\n(Try [^\n]*\n)?\Z"
    pipe = scratch / "pipe"  # nobody will ever write to it
    os.mkfifo(pipe)
    for arguments, words in [
        (["run", "--ioctl", "1", "--in", f"@{pipe}", "a.sys"], "pipe: not a regular file"),
        (["run", "--ioctl", "1", "--in", "@/dev/zero", "a.sys"], "/dev/zero: not a regular file"),
        (["run", "--ioctl", "1", "--in", "@/", "a.sys"], "/: Is a directory"),
        (["run", "--requests", str(pipe), "a.sys"], "pipe: not a regular file"),
        (["run", str(pipe)], "pipe: not a regular file"),
        (["info", str(pipe)], "pipe: not a regular file"),
        ([], "no command"),
        (["frobnicate"], "there is no command 'frobnicate'"),
        (["run"], "no driver given"),
        (["run", "a.sys", "b.sys"], "one driver at a time: 'b.sys'"),
        (["run", "--bogus", "a.sys"], "bogus"),
        (["run", "--ioctl", "zwölf", "a.sys"], "--ioctl: .* is not a number from 0 to 4294967295"),
        (["run", "--ioctl", "0x100000000", "a.sys"], "--ioctl: .* is not a number"),
        (["run", "--ioctl", "-1", "a.sys"], "--ioctl: .* is not a number"),
        (["run", "--in", "hex:00", "a.sys"], "--in belongs to the --ioctl before it"),
        (["run", "--out-size", "4", "a.sys"], "--out-size belongs to the --ioctl before it"),
        (["run", "--ioctl", "1", "--in", "hex:0", "a.sys"], "pairs of hexadecimal digits"),
        (["run", "--ioctl", "1", "--in", "hex:xy", "a.sys"], "pairs of hexadecimal digits"),
        (["run", "--ioctl", "1", "--in", "size:99999999999999999999", "a.sys"], "--in size: .* is not a number"),
        (["run", "--ioctl", "1", "--in", "00", "a.sys"], "--in takes hex:DIGITS, @FILE or size:N"),
        (["run", "--ioctl", "1", "--in", "@/nowhere", "a.sys"], "/nowhere: No such file"),
        (["run", "--ioctl", "1", "--in", "hex:", "--in", "hex:", "a.sys"], "--in is given twice"),
        (["run", "--ioctl", "1", "--out-size", "1", "--out-size", "1", "a.sys"], "--out-size is given twice"),
        (["run", "--protect=armour", "a.sys"], "--protect takes pku, mprotect, none or auto"),
        (["run", "--timeout=soon", "a.sys"], "--timeout: 'soon' is not a number"),
        (["run", "--requests", "/nowhere.json", "a.sys"], "/nowhere.json: No such file"),
        (["run", "--requests", str(demo / "01-good.json"), "--ioctl", "1", "a.sys"], "do not go together"),
        (["run", "--requests", "a", "--requests", "b", "a.sys"], "--requests is given twice"),
        (["run", "--reg", "/nowhere.json", "a.sys"], "/nowhere.json: No such file"),
        (["run", "--reg", str(pipe), "a.sys"], "pipe: not a regular file"),
        (["run", "--reg", "a", "--reg", "b", "a.sys"], "--reg is given twice"),
        (["run", "/nowhere.sys"], "nowhere.sys"),
        (["run", "/"], "/"),
        (["run", "/dev/null"], "/dev/null"),
        (["run", str(root / "docs/requests.md")], "requests.md"),
        (["demo", "--cases", "/nowhere"], "/nowhere: no request files"),
    ]:
        check(arguments, 2, stderr=[one_line, words])
    check(["--version"], 0, r"\Auma \d+\.\d+\.\d+\n\Z")
    for arguments in (["--help"], ["help"], ["run", "--help"], ["demo", "--help"]):
        check(arguments, 0, "[Uu]sage: uma")
    bad = scratch / "bad.json"
    bad.write_text('{"requests": [{"code": 1, "in": [{"u32": 1}, {"u32": "x"}]}]}')
    check(run(naughty, "--requests", bad), 2,
          stderr=[rf"\Auma: {re.escape(str(bad))}: requests\[0\]\.in\[1\]\.u32: not a number\n\Z"])
    cut = scratch / "cut.sys"
    cut.write_bytes(pathlib.Path(sample["uma_safe"]).read_bytes()[:1000])
    check(run(cut), 2, stderr=[one_line])


def loading():
    check(run(refuses), 2, stderr=["refuses.sys: DriverEntry returned STATUS_DEVICE_NOT_READY"])
    check(run(mute), 0, "the driver has no unload routine and stays")
    check(run(mute, "--ioctl", "1"), 2, stderr=["has created no device with a name; give --device"])
    check(run(mute, "--device", r"\Device\Nobody", "--ioctl", "1"), 2,
          stderr=[r"^uma: device \\Device\\Nobody does not open: STATUS_OBJECT_NAME_NOT_FOUND$"])
    check(run(naughty), 0, CLEAN, NO_RAW)
    for name in (r"\Device\Naughty", r"\device\NAUGHTY"):
        check(run(naughty, "--device", name, "--ioctl", "0x222420", "--in", "hex:0102ff", "--out-size", "2"), 0,
              "^#1 ioctl 0x222420: STATUS_SUCCESS information 2 out 2: 02 04$", CLEAN)
    data = scratch / "data"
    data.write_bytes(bytes(range(100)))
    check(run(naughty, "--ioctl", "0x222420", "--in", f"@{data}", "--out-size", "100"), 0,
          r"information 100 out 100: 00 02 04 .* 7e \.\.\. \(36 more\)$")
    for name in (r"\DosDevices\UmaSafe", r"\??\UmaSafe", r"\\.\UmaSafe"):
        check(run(sample["uma_safe"], "--device", name, "--ioctl", "0x222003"), 0, "STATUS_INFO_LENGTH_MISMATCH", CLEAN)


def safe_driver():
    """uma_safe under every hostile request: a status, nothing left behind, no raw access."""
    expected = {
        "01-good": "STATUS_SUCCESS information 8 out 8: 05 00 00 00 74 01 00 00$",
        "09-size-huge": "STATUS_INVALID_PARAMETER information 0",
        "12-size-races": r"STATUS_SUCCESS x5000 information \d+",
    }
    for path in sorted(demo.glob("*.json")):
        wanted = expected.get(path.stem, "STATUS_ACCESS_VIOLATION information 0")
        for smap in ([], ["--smap"]):
            check(run(sample["uma_safe"], "--requests", path, *smap), 0, f"^#1 ioctl 0x222003: {wanted}", CLEAN, NO_RAW,
                  absent=["KERNEL", "BUGCHECK"])
    check(run(sample["uma_safe"], "--requests", demo / "01-good.json"), 0, "^   reply: 48 45 4c 4c 4f$")
    check(run(sample["uma_safe"], "--requests", requests / "buffered.json"), 0,
          r"^#1 ioctl 0x222004 \(good\): STATUS_SUCCESS information 8 out 8: 04 00 00 00 34 01 00 00$", "^   reply: 4b 45 50 54$",
          r"^#2 .*\(guard\): STATUS_(GUARD_PAGE_VIOLATION|ACCESS_VIOLATION) information 0$",
          r"^#3 .*\(in-page\): STATUS_IN_PAGE_ERROR information 0$",
          r"^#4 .*\(noncanonical\): STATUS_ACCESS_VIOLATION information 0$", r"^#5 .*\(wrap\): STATUS_ACCESS_VIOLATION",
          r"^#6 .*\(short\): STATUS_INFO_LENGTH_MISMATCH", r"^#7 .*\(no-room\): STATUS_BUFFER_TOO_SMALL", CLEAN, NO_RAW)
    check(run(sample["uma_safe"], "--ioctl", "0x222003", "--in", "size:24", "--out-size", "8", "--ioctl", "0x222007"), 0,
          "^#1 ioctl 0x222003: STATUS_INVALID_PARAMETER information 0$",
          "^#2 ioctl 0x222007: STATUS_INVALID_DEVICE_REQUEST information 0$", CLEAN)


def legacy_drivers():
    raw = r"^\d+ raw accesses to user memory outside an accessor \(would bug-check under SMAP\):$"
    for name in ("legacy_race", "legacy_refetch"):
        driver = sample[name]
        raw_wanted = [] if protect == "none" else [raw, rf"^   \d+ x (read|write) of \d+ bytes? at {name}!\w+.*{name}\.c:\d+"]
        check(run(driver, "--requests", demo / "01-good.json"), 0, "^#1 .*STATUS_SUCCESS information 8 out 8: 05 00 00 00 74 01 00 00$",
              "^   reply: 48 45 4c 4c 4f$", CLEAN, *raw_wanted)
        for case in ("02-null", "03-unmapped", "04-kernel-request", "05-straddling", "06-straddling-end", "07-text-unmapped",
                     "08-reply-read-only"):
            check(run(driver, "--requests", demo / f"{case}.json"), 0, "^#1 .*STATUS_ACCESS_VIOLATION information 0", CLEAN)
        check(run(driver, "--requests", demo / "10-text-kernel.json"), 0, "KERNEL BYTES LEAKED to buffer reply", CLEAN)
        check(run(driver, "--requests", demo / "11-reply-kernel.json"), 0, "KERNEL MEMORY OVERWRITTEN", CLEAN)
        # Unprotected memory is read at full speed: legacy_refetch's two loads are then one nanosecond apart, too close for a race.
        if protect != "none" or name == "legacy_race":
            check(run(driver, "--requests", demo / "12-size-races.json"), 1, rf"^BUGCHECK 0x(D6|CD|50) .* at {name}!CopyText.*{name}\.c:\d+",
                  stderr=[rf"{name}!"])
        if protect != "none":
            check(run(driver, "--requests", demo / "01-good.json", "--smap"), 1, rf"^BUGCHECK 0x[0-9A-F]+ .* at {name}!\w+")


def naughty_driver():
    check(run(naughty, "--timeout=1", "--ioctl", "0x222403"), 1,
          r"^TIMEOUT: an ioctl did not come back within 1 s; the driver is at naughty!LoopForEver.*naughty\.c:\d+")
    check(run(naughty, "--timeout=1", "--ioctl", "0x222407"), 1, "^#1 ioctl 0x222407: STATUS_IO_TIMEOUT",
          "^   NEVER COMPLETED: .* not even after it was cancelled$")
    check(run(naughty, "--timeout=1", "--ioctl", "0x22240b"), 1, r"^TIMEOUT: an ioctl did not come back .*naughty!DeviceControl\+")
    check(run(naughty, "--timeout=1", "--ioctl", "0x22241f"), 1, "^#1 ioctl 0x22241f: STATUS_CANCELLED",
          "^   NOT COMPLETED within 1 s and cancelled$", CLEAN)
    check(run(naughty, "--ioctl", "0x22240f"), 0, r"^left behind: .*Keep.*100 bytes.*naughty!DeviceControl.*naughty\.c:\d+",
          absent=[CLEAN])
    check(run(naughty, "--ioctl", "0x222427"), 0, r"^left behind: .*NaughtyTwo", r"^left behind: .*\\Device\\Naughty\b", absent=[CLEAN])
    check(run(naughty, "--ioctl", "0x222413"), 0, "#1 .*STATUS_SUCCESS", CLEAN, stderr=["naughty says hello"])
    check(run(naughty, "--quiet", "--ioctl", "0x222413"), 0, CLEAN, absent=["naughty says"])
    check(run(naughty, "--ioctl", "0x22241b"), 1, r"^BUGCHECK 0x[0-9A-F]+ .* at naughty!WriteNowhere.*naughty\.c:\d+")
    check(run(naughty, "--quiet", "--ioctl", "0x22241b"), 1, r"^BUGCHECK 0x", stderr=[r"\A\Z"])
    check(run(naughty, "--ioctl", "0x222417", "--in", "hex:010203"), 0, "^#1 .*STATUS_SUCCESS information 6", CLEAN,
          *([] if protect == "none" else [r"^3 raw accesses", r"^   3 x read of 1 byte at naughty!ReadRaw.*naughty\.c:\d+"]))
    if protect != "none":
        check(run(naughty, "--smap", "--ioctl", "0x222417", "--in", "hex:010203"), 1, r"^BUGCHECK 0x[0-9A-F]+ .*naughty!ReadRaw")
    for code, bugcheck, place in [
        ("0x22242b", "0x7F", r"at naughty!Recurse\b"), ("0x22242f", "0x(1E|FC|50)", ""), ("0x222433", "0xC2", "at naughty!"),
        ("0x222437", "0x(44|D5)", "at naughty!DeviceControl"), ("0x22243b", "0x1E", "at naughty!DeviceControl"),
        ("0x22243f", "0x139", r"\(0x5, .* at naughty!DeviceControl"), ("0x222443", "0x1E", r"\(0xc000003e, .* at naughty!DeviceControl"),
        ("0x22244b", "0x(BE|50)", "at naughty!Scribble"),
    ]:
        check(run(naughty, "--ioctl", code, "--in", "size:16"), 1, rf"^BUGCHECK {bugcheck} .*{place}", stderr=[r"^\*\*\* STOP"])
    check(run(naughty, "--ioctl", "0x222447"), 0, "^#1 .*: STATUS_INTEGER_DIVIDE_BY_ZERO", CLEAN)
    check(run(naughty, "--requests", requests / "locks.json"), 0, "^#1 .*STATUS_SUCCESS",
          r"^left behind: locked pages, 16 bytes at 0x[0-9a-f]+, locked by naughty!LockPage.*naughty\.c:\d+",
          r"^left behind: system mapping of locked pages, 4096 bytes at .* mapped by naughty!LockPage", absent=[CLEAN])
    check(run(naughty, "--requests", requests / "unlock-twice.json"), 1, r"^BUGCHECK 0xC4 \(0x7c, .* at naughty!LockPage.*naughty\.c:\d+",
          stderr=["is not locked"])
    check(run(hangs, "--timeout=1"), 1, r"^TIMEOUT: DriverEntry did not come back within 1 s; the driver is at hangs!DriverEntry")
    check(run(naughty, "--requests", requests / "read-write.json"), 0, "^#1 open: STATUS_SUCCESS",
          r"^#2 open \(again\): STATUS_INVALID_DEVICE_STATE", "^#3 read: STATUS_SUCCESS information 6 out 6: 10 11 12 13 14 15$",
          "^   target: 10 11 12 13 14 15$", "^#4 write: STATUS_SUCCESS information 8", "^#5 read: STATUS_ACCESS_VIOLATION",
          "^#6 close: STATUS_SUCCESS", "^#7 read: STATUS_INVALID_HANDLE", "^#9 ioctl 0x222420: STATUS_SUCCESS x2 information 3 out 3: 02 04 06",
          CLEAN)


def files():
    """C: is the folder of --root: its files are read and written, and nothing else."""
    root = scratch / "root"
    (root / "notes").mkdir(parents=True)
    (root / "notes" / "TODAY.txt").write_text("hello, world")
    (root / "out").symlink_to("/etc")
    driver = sample["uma_safe"]
    check(run(driver, "--root", root, "--requests", requests / "file.json"), 0,
          "^#1 read: STATUS_SUCCESS information 12", "^#2 write: STATUS_SUCCESS information 5",
          "^#3 read: STATUS_END_OF_FILE", "^#4 read: STATUS_ACCESS_VIOLATION",
          "^#5 read: STATUS_SUCCESS information 12 out 12: 48 45 4c 4c 4f 2c 20 77 6f 72 6c 64$", CLEAN)
    check(run(driver, "--root", root, "--device", "\\??\\C:\\out\\passwd", "--ioctl", "0"), 2, stderr=["STATUS_ACCESS_DENIED"])
    check(run(driver, "--root", root / "none"), 2, stderr=["--root .*none: No such file"])
    check(run(driver, "--root", root / "notes" / "TODAY.txt"), 2, stderr=["--root .*TODAY.txt: not a folder"])
    check(run(driver, "--device", "\\??\\C:\\passwd", "--ioctl", "0"), 2, stderr=["STATUS_OBJECT_NAME_NOT_FOUND"])


def registry():
    """Keys and values made before the driver comes, by a file of their own; files that are wrong."""

    def reg(content, status, *wanted, name="registry.json", **keywords):
        path = scratch / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        check(run(settings, "--reg", path), status, *wanted, **keywords)

    whole = json.loads((requests / "settings.json").read_text())["registry"]
    reg(json.dumps(whole), 0, CLEAN, stderr=[
        "^Start: type 4, 4 bytes: 03 00 00 00$", "^Parameters: 0x00000000$", "^Number: type 4, 4 bytes: 78 56 34 12$",
        "^Big: type 11, 8 bytes: fe ff ff ff ff ff ff ff$", "^Text: type 1, 6 bytes: 68 00 e9 00 00 00$",
        "^Path: type 2, 6 bytes: 25 00 61 00 00 00$", "^Peers: type 7, 10 bytes: 61 00 00 00 62 00 00 00 00 00$",
        "^Bytes: type 3, 2 bytes: 00 ff$", r"Er: 0x00000000$", "^: type 1, 4 bytes: 64 00 00 00$"])
    check(run(settings, "--requests", requests / "settings.json"), 0, "^#1 close: STATUS_SUCCESS", CLEAN,
          stderr=["^Bytes: type 3, 2 bytes: 00 ff$"])
    reg("{}", 0, CLEAN, stderr=["^Number: 0xc0000034$", r"Er: 0xc0000034$"], name="empty.json")
    reg('{"": {}}', 2, stderr=[r"\Auma: .*: a key is .*\n\Z"], name="unnamed.json")
    one_line = r"\Auma: [^\n]*\n\Z"
    for number, (content, words) in enumerate([
        (b"\xff\xfe", "unable to decode"), ("[]", "not an object of registry keys"), ('{"K": {"V": {"dword": 4294967296}}}', "K.V.dword: does not fit"),
        ('{"K": {"V": {"binary": "' + "00" * (1 << 20) + '00"}}}', "K.V.binary: more than 1048576 bytes"),
        ('{"\\\\Registry\\\\Machine\\\\New": {}}', r"registry: \\Registry\\Machine\\New: STATUS_INVALID_PARAMETER"),
        (json.dumps({"\\Registry\\None\\X": {}}), "registry: .*STATUS_"),
        (json.dumps({"K\\" * 400 + "L" * 300: {}}), "registry: .*STATUS_"), (json.dumps({"K" * 40000: {}}), "STATUS_NAME_TOO_LONG"),
        (json.dumps({f"K{i}": {} for i in range(4097)}), "more than 4096 keys and values"),
        (json.dumps({"Parameters": {"N" * 20000: {"dword": 1}}}), "registry: Parameters: STATUS_"),
    ]):
        reg(content, 2, stderr=[one_line, words], name=f"hostile{number}.json", absent=["Start: "])


def direct_driver():
    """Buffers locked by the system, and by the driver: nothing of user memory is touched raw, no lock stays."""
    for smap in ([], ["--smap"]):
        check(run(sample["direct_io"], "--requests", requests / "direct.json", *smap), 0,
              r"^#1 ioctl 0x222001 \(put\): STATUS_SUCCESS information 6", r"^#2 .*\(get\): STATUS_SUCCESS information 6",
              "^   back: 64 69 72 65 63 74$", r"^#3 .*\(put-constant\): STATUS_SUCCESS information 5",
              r"^#4 .*\(get-constant\): STATUS_ACCESS_VIOLATION", r"^#5 .*\(get-kernel\): STATUS_ACCESS_VIOLATION",
              r"^#6 .*\(get-straddling\): STATUS_ACCESS_VIOLATION", r"^#7 .*\(get-torn\): STATUS_IN_PAGE_ERROR",
              r"^#8 .*\(get-nothing\): STATUS_SUCCESS information 0", r"^#9 write \(write\): STATUS_SUCCESS information 4",
              r"^#10 read \(read\): STATUS_SUCCESS information 4 out 4: 57 52 49 54$",
              r"^#11 .*\(read-unmapped\): STATUS_ACCESS_VIOLATION", r"^#12 .*\(upper\): STATUS_SUCCESS", "^   text: 44 49 52 45 43 54$",
              r"^#13 .*\(upper-constant\): STATUS_ACCESS_VIOLATION", r"^#14 .*\(upper-kernel\): STATUS_ACCESS_VIOLATION",
              r"^#15 .*\(upper-raced\): STATUS_SUCCESS x2000", CLEAN, NO_RAW, absent=["KERNEL", "BUGCHECK"])


def demonstration():
    check(["demo", "--drivers", "/nowhere", "--cases", demo], 2, "not run: ")
    check(["demo", "--drivers", out / "drivers", "uma_safe"], 0, "^request +uma_safe$", r"drivers that only use the accessors \(uma_safe\): 1 of 1")
    check(["demo", "--drivers", out / "drivers"], 0, r"^request +legacy_race +legacy_refetch +uma_safe$",
          r"^good request +ok +ok +ok$", r"LEAKED KERNEL BYTES +LEAKED KERNEL BYTES +STATUS_ACCESS_VIOLATION$",
          r"OVERWROTE KERNEL MEMORY +OVERWROTE KERNEL MEMORY +STATUS_ACCESS_VIOLATION$",
          r"^good request, with SMAP +BUGCHECK .*BUGCHECK .* ok$", r"^uma_safe: the kernel came to harm in 0 of 13 cases .*\n    0 raw accesses to user memory; 0 things left behind$",
          "^legacy_race: the kernel came to harm in [1-9]", "^legacy_refetch: the kernel came to harm in [1-9]",
          r"^What the accessors changed: .*legacy_race, legacy_refetch\): 0 of 2 unharmed;$",
          r"\(uma_safe\): 1 of 1 unharmed\.$", absent=["not run", r"\033"])


status, _, messages = uma("run", f"--protect={protect}", naughty)
if status == 2 and "lacks that protection" in messages:
    shutil.rmtree(scratch)
    print(f"not run: {messages.strip()}")
    sys.exit(77)
if protect == "auto":
    command_line()
    demonstration()
else:
    loading()
    safe_driver()
    legacy_drivers()
    naughty_driver()
    files()
    registry()
    direct_driver()
right = sum(future.result() for future in pending)
shutil.rmtree(scratch)
print(f"{right} of {len(pending)} command lines as expected (protection: {protect})")
sys.exit(right != len(pending))
