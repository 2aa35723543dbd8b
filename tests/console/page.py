"""The page in a real browser: starts what it needs, and does what the browser's script can't do itself."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import documents
from bench import KEY, ROOT, SENSOR, Bench, Failure, wait_for

HERE = ROOT / "tests/console"
LIMIT_S = 600


def packages(build):
    """The npm packages that drive the browser, installed once for each version of their list."""
    here, there = HERE / "npm-packages.json", build / "console/npm"
    if (there / "node_modules").exists() and (there / "package.json").exists() and (there / "package.json").read_text() == here.read_text():
        return there
    there.mkdir(parents=True, exist_ok=True)
    (there / "package.json").write_text(here.read_text())
    with open(there / "npm.log", "w") as log:
        if subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], cwd=there, stdout=log, stderr=log, timeout=300).returncode:
            (there / "package.json").unlink()
            raise Failure(f"npm packages can't be installed; {there}/npm.log says why")
    return there


def browse(cases, build, script, url, helpers):
    """Runs the script; each of its lines is a case, or a wish that one of the helpers fulfils."""
    shots = build / "console/screenshots"
    shots.mkdir(parents=True, exist_ok=True)
    node = subprocess.Popen(["node", HERE / script, packages(build), url, shots], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
    words = []
    threading.Thread(target=lambda: words.extend(node.stderr), daemon=True).start()
    timer = threading.Timer(LIMIT_S, node.kill)
    timer.start()
    try:
        for line in node.stdout:
            said = json.loads(line)
            if "check" in said:
                cases.check(said["check"], said["ok"], said["figure"])
            elif "skip" in said:
                cases.skip(said["skip"], said["why"])
            else:
                answer = helpers[said["do"]](said) or {}
                node.stdin.write(json.dumps(answer) + "\n")
        if node.wait(20):
            raise Failure(f"{script} ended badly: {''.join(words)[-1500:]}")
    finally:
        timer.cancel()
        node.kill()


def ready(build):
    """Why no browser can be started here; "" when it can."""
    if not shutil.which(os.environ.get("CHROMIUM", "/usr/bin/chromium")):
        return "there is no /usr/bin/chromium (packaging/deps --tests installs it)"
    if not shutil.which("node"):
        return "there is no node (packaging/deps installs it)"
    return ""


def crowd(cases, build):
    why = ready(build)
    if why:
        cases.skip("the page with 5000 devices", why)
        return
    b = Bench(build)
    try:
        many, hostile = documents.many(build, 5000), documents.hostile(build, 900000)
        cases.check("the documents validate", not documents.faults(many[:40]), documents.faults(many[:40]))
        documents.fill(b.root, SENSOR, many + list(hostile.values()))
        b.start()
        wait_for(lambda: not b.get("/api/assets").json()["loading"], 60, "the console does not read all assets")

        def change(_):
            d = json.loads(json.dumps(many[11]))
            change.count += 1
            d["ot"]["asset"]["hostname"] = [f"renamed-{change.count}"]
            b.root.hset(KEY + "asset:" + d["host"]["id"], "body", json.dumps(d))
            b.root.zadd(KEY + "changed", {d["host"]["id"]: 1000000 + change.count})
            return {"name": f"renamed-{change.count}"}

        change.count = 0
        browse(cases, build, "crowd.mjs", f"http://127.0.0.1:{b.port}", {
            "hostile": lambda _: {"ids": {kind: d["host"]["id"] for kind, d in hostile.items()}},
            "stop-redis": lambda _: b.stop_redis(), "start-redis": lambda _: b.start_redis(),
            "stop-console": lambda _: {"status": b.stop()}, "start-console": lambda _: b.start(), "change": change})
        cases.check("and the console wrote nothing but what a browser asked", b.root.xlen(KEY + "cmd") == 0)
    finally:
        b.close()
