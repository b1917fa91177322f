"""browser.py UMA TEST_REPORT ROOT: the HTML report in Chromium, light and dark, 1280 and 400 pixels wide: no message on the console, the
colours of the reader's scheme, nothing wider than the window, nothing of the hostile report executed. Exit 77 without Chromium.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

uma, test_report, root = sys.argv[1], sys.argv[2], sys.argv[3]
browser = shutil.which("chromium")
if not browser:
    print("no chromium here")
    sys.exit(77)
scratch = pathlib.Path(tempfile.mkdtemp(prefix="uma-browser-"))
GROUND = {"light": "rgb(245, 244, 240)", "dark": "rgb(20, 22, 26)"}
# A page of ours around the report, which itself may run nothing; it writes down what it sees.
HARNESS = """<!doctype html><title>waiting</title><body style="margin:0"><iframe id=f src="{page}" width={width} height=900></iframe>
<script>f.onload = () => {{ const d = f.contentDocument, e = d.documentElement;
for (const one of d.querySelectorAll("details")) one.open = true;
const out = {{width: e.scrollWidth, ground: f.contentWindow.getComputedStyle(d.body).backgroundColor, title: d.title,
  scripts: d.scripts.length, images: d.images.length, articles: d.querySelectorAll("article").length,
  maps: [...d.querySelectorAll("svg.map")].filter(m => m.getBoundingClientRect().height > 20).length}};
const p = document.createElement("pre"); p.id = "seen"; p.textContent = JSON.stringify(out); document.body.append(p); }}</script>"""
failures = []


def look(page, width, scheme):
    harness = scratch / f"{page}-{width}.harness.html"
    harness.write_text(HARNESS.format(page=f"{page}.html", width=width))
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
         "--disable-dev-shm-usage", "--enable-logging=stderr", f"--user-data-dir={scratch}/profile",
         f"--blink-settings=preferredColorScheme={1 if scheme == 'light' else 0}", "--virtual-time-budget=5000", "--dump-dom",
         harness.as_uri()], capture_output=True, text=True, timeout=100)
    where = f"{page} at {width}, {scheme}"
    seen = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.S)
    if not seen:
        failures.append(f"{where}: the page did not load: {done.stderr[-400:]}")
        return {}
    seen = json.loads(seen.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    failures.extend(f"{where}: {line}" for line in done.stderr.splitlines() if "CONSOLE" in line)
    if seen["width"] > width:
        failures.append(f"{where}: {seen['width']} pixels wide")
    if seen["ground"] != GROUND[scheme]:
        failures.append(f"{where}: the ground is {seen['ground']}")
    if seen["scripts"] or seen["images"]:
        failures.append(f"{where}: something of the report's texts became markup: {seen}")
    return seen


subprocess.run([test_report, "--write", str(scratch)], check=True, timeout=60)
for name in ("sample", "hostile"):
    subprocess.run([uma, "report", str(scratch / f"{name}.json"), "--format=html", "--source", root, "-o",
                    str(scratch / f"{name}.html")], check=False, timeout=60)
for scheme in GROUND:
    for width in (1280, 400):
        seen = look("sample", width, scheme)
        if seen and (seen["title"], seen["articles"], seen["maps"]) != ("legacy_race.sys - uma", 7, 2):
            failures.append(f"not the page that was written: {seen}")
look("hostile", 400, "light")
shutil.rmtree(scratch, ignore_errors=True)
sys.exit("\n".join(failures) or 0)
