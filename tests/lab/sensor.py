"""The sensor under test: its rules with the lab's own policy and key, its processes, and what its commands say."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import machines
from scene import ROOT, Failure, frames_sent_by, wait_for

sys.path.append(str(ROOT / "tests/system"))
import validate  # noqa: E402

NAME, ZONE = "lab", "hall-3"
PROBE_IP, PROBE_MAC, SPAN_MAC = "10.20.30.9", "02:20:30:00:00:09", "02:20:30:00:00:08"


WATCH = "watch: {learn_s: 10, hold_s: 15, observe_s: 3, canary_s: 5}\n"
BUDGETS = """target: {packets_a_minute: 200, bytes_a_minute: 16384, connections_a_minute: 3, packets_a_day: 400, bytes_a_day: 32768, connections_a_day: 12}
zone: {packets_a_minute: 4000, bytes_a_minute: 262144, connections_a_minute: 200, packets_a_day: 8000, bytes_a_day: 524288, connections_a_day: 400}
sensor: {packets_a_minute: 4000, bytes_a_minute: 262144, connections_a_minute: 200, packets_a_day: 8000, bytes_a_day: 524288, connections_a_day: 400}
cool_down_s: 1
repeat_days: 1
targets_at_once: 1
failures_to_stop: 30
"""
# Every machine of the lab, whatever class it was taken for; one signature, that of the lab's own key.
WHITELIST = """allow:
  - rules: [%s]
    networks: [10.20.30.0/24]
    may: propose
    why: the lab
"""


class Sensor:
    """A machine with two ports: the SPAN port, which has no address, and the prober's."""

    def __init__(self, scene, build, mode="propose"):
        self.scene, self.build, self.mode = scene, build, mode
        self.machine = scene.machine("sensor", None, SPAN_MAC, interface="span0")
        self.machine.port("probe0", PROBE_IP, PROBE_MAC)
        self.folder = scene.work / "sensor"
        self.folder.mkdir()
        self.rules, self.state, self.config = self.folder / "rules", self.folder / "state", self.folder / "askance.yaml"
        shutil.copytree(ROOT / "rules", self.rules)
        self.program, self.asks, self.rule_fills, self.keys = None, None, None, []

    def write_config(self, more=""):
        self.config.write_text(
            f"sensor: {{name: {NAME}, zone: {ZONE}}}\ncapture: [{{interface: span0}}]\nstate: {self.state}\nrules: {self.rules}\n"
            f"probing: {{mode: {self.mode}, interface: probe0, source: {PROBE_IP}, require_clock: false}}\n{WATCH}{more}")

    def policy(self, name, text):
        (self.rules / "policy" / f"{name}.yaml").write_text(text)

    def prepare(self):
        """The lab's own policy and key: the shipped one lets nobody sign, and waits longer than a test may."""
        self.baseline_s = 20 # more than learn_s, and it includes the devices' first answers
        self.policy("budgets", BUDGETS)
        self.policy("whitelist", WHITELIST % ", ".join(sorted(self.wanted_rules())))
        self.write_config()
        if self.can_ask():
            self.make_keys()

    def wanted_rules(self):
        """Those that the lab's machines name and that there are."""
        self.fills("")
        return {r for m in machines.all_machines() + machines.harmed_machines() for r in m["ask"]} & set(self.rule_fills)

    def fills(self, rule):
        """The attributes that a rule fills, as it says of itself."""
        if not self.rule_fills:
            lines = subprocess.run([self.build / "askance", "rules", "--json", "--rules", self.rules], capture_output=True, text=True).stdout
            self.rule_fills = {r["name"]: r["fills"] for r in map(json.loads, lines.splitlines())}
        return self.rule_fills.get(rule, [])

    def can_ask(self):
        if self.asks is None:
            self.asks = self.machine.run(self.build / "askance", "approve", "--help", check=False).returncode == 0
        return self.asks

    def start(self):
        self.program = self.machine.start(self.build / "askance", "run", "--config", self.config)
        heard = wait_for(lambda: "askance: listening on" in self.machine.log() or self.program.poll() is not None, 30)
        if not heard or self.program.poll() is not None:
            raise Failure("the sensor does not listen: " + self.machine.log()[-2000:])

    def askance(self, *args, check=True, timeout=60):
        """One command of ours, on the sensor's machine. Its standard output."""
        done = self.machine.run(self.build / "askance", *args, "--config", self.config, check=False, timeout=timeout)
        if check and done.returncode:
            raise Failure(f"askance {' '.join(map(str, args))}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout if check else done

    def redis(self):
        import redis
        return redis.Redis(unix_socket_path=str(self.state / "redis.sock"), socket_timeout=10)

    def key(self, rest):
        return "askance:{" + NAME + "}:" + rest

    def documents(self):
        """What it knows of each asset now, by address."""
        r, found = self.redis(), {}
        for key in r.scan_iter(match=self.key("asset:*"), count=1000):
            body = r.hget(key, "body")
            if body:
                document = json.loads(body)
                for address in document["ot"]["asset"].get("ip", []):
                    found[address] = document["ot"]
        return found

    def proposals(self):
        """All that are kept, each as its last event said it: id, status, rule, ip, messages, signatures needed."""
        found = []
        for body in self.redis().hgetall(self.key("proposals")).values():
            p = json.loads(body)["ot"]["proposal"]
            found.append({"id": p["id"], "status": p["status"], "rule": p["text"]["rule"], "ip": p["text"]["target_ip"], "path": p["text"]["path"],
                          "parameters": p["text"]["parameters"],
                          "others": p.get("alternatives", []),
                          "messages": [m for m in p.get("messages", [])], "signatures": p["signatures"], "signed": len(p.get("signed", [])),
                          "reason": p.get("reason", "")})
        return found

    def probes(self):
        """What became of orders: by proposal, in the order of the events."""
        found = {}
        for event in self.events():
            if event["event"].get("dataset") == "askance.probe":
                found.setdefault(event["ot"]["proposal"]["id"], []).append(
                    {"action": event["event"]["action"], "time": event["@timestamp"], **event["ot"]["probe"]})
        return found

    def audit(self):
        """Its records, oldest first."""
        return [json.loads(line) for line in self.askance("audit", "show", "--json").splitlines()]

    def approve(self, proposal):
        """Signs with as many of the lab's keys as it needs. What went wrong, or ""."""
        for key in self.keys[:max(1, proposal["signatures"])]:
            done = self.askance("approve", proposal["id"], *self.sign_options(key), check=False)
            if done.returncode:
                return (done.stderr or done.stdout).strip()
        return ""

    def sign_options(self, key):
        return ("--key", str(key), "--yes", "--rules", str(self.rules))

    def make_keys(self):
        """Two analysts, who may sign all."""
        lines = []
        for name in ("ada", "ben"):
            key = self.folder / f"{name}.key"
            done = self.machine.run(self.build / "askance", "keygen", "--name", name, "--out", key, "--no-passphrase", "--json", check=False)
            if done.returncode:
                raise Failure("askance keygen: " + done.stderr.strip())
            self.keys.append(key)
            lines += [f"  - name: {name}", f'    key: "{json.loads(done.stdout)["key"]}"', "    may: [low, medium, high]"]
        self.policy("analysts", "analysts:\n" + "\n".join(lines) + "\n")

    def events(self, action=None):
        r, entries, at = self.redis(), [], "-"
        while True:
            some = r.xrange(self.key("ev"), min=at, count=5000)
            if not some:
                return [e for e in entries if action is None or e["event"]["action"] == action]
            entries += [json.loads(f[b"body"]) for _, f in some]
            at = "(" + some[-1][0].decode()

    def span_sent(self):
        return frames_sent_by(self.machine, "span0")

    def stop(self, seconds=30):
        if self.program and self.program.poll() is None:
            self.program.send_signal(signal.SIGTERM)
            try:
                code = self.program.wait(seconds)
            except subprocess.TimeoutExpired:
                self.program.kill()
                return None
            fault = validate.first_fault_of_store(self.state / "askance.db")
            if fault:
                raise Failure(f"a document of the sensor is not as its schema says: {fault}")
            return code
        return None


def build_folder():
    """The build under test: ASKANCE_BUILD, or ROOT/build, made when it isn't there."""
    folder = pathlib.Path(os.environ.get("ASKANCE_BUILD", ROOT / "build")).resolve()
    if not (folder / "askance").exists():
        subprocess.run(["cmake", "-G", "Ninja", "-B", folder, "-S", ROOT], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def packages(folder):
    """The npm packages of the lab, installed once for each version of their list."""
    here, there = ROOT / "tests/lab/npm-packages.json", folder / "lab-npm"
    if (there / "node_modules").exists() and (there / "package.json").exists() and (there / "package.json").read_text() == here.read_text():
        return there
    there.mkdir(parents=True, exist_ok=True)
    log = open(there / "npm.log", "w")
    draft = there / "package.json"
    draft.write_text(here.read_text())
    for command in (["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
                    ["npm", "rebuild", "--nodedir=/usr", "--loglevel=error", "node-snap7", "--ignore-scripts=false"]):
        if subprocess.run(command, cwd=there, stdout=log, stderr=log, timeout=900).returncode:
            draft.unlink()
            raise Failure(f"npm packages can't be installed; {there}/npm.log says why")
    return there
