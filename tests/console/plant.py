"""The page before a real sensor: some machines of tests/lab, and an analyst who has nothing but a browser."""
import json
import os
import signal
import subprocess
import sys
import time

import documents
import page
from bench import ROOT, Failure, free_port, require, wait_for

LAB = str(ROOT / "tests/lab")
MACHINES = ("press-1", "mixer-1", "chiller-1", "switch-1")
LIMIT_S = 900


def prepare(build):
    """Outside of the namespaces, where npm can be reached."""
    for option in ("--tests", "--plant"):
        subprocess.run([ROOT / "packaging/deps", option], check=True)
    sys.path.insert(0, LAB)
    import sensor
    sensor.packages(build)


def enter():
    """Namespaces of our own; returns inside of them."""
    sys.path.insert(0, LAB)
    import scene
    scene.enter(LIMIT_S)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Stage:
    """The lab, the console before its sensor, and what the browser's script wishes."""

    def __init__(self, build):
        sys.path.insert(0, LAB)
        import machines
        from course import Lab
        from scene import Scene
        self.build = build
        # One that a question kills, so that there is an alarm to see and a quarantine to end.
        self.frail = machines.harmed_machines()[0]
        self.lab = Lab(Scene(), [m for m in machines.all_machines() if m["name"] in MACHINES] + [self.frail], build)
        self.sensor, self.console, self.port = self.lab.sensor, None, free_port()

    def start(self):
        self.lab.start()
        self.log = open(self.lab.scene.work / "log/console", "ab")
        self.console = subprocess.Popen([self.build / "askance", "console", "--config", self.sensor.config, "--listen", f"127.0.0.1:{self.port}"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: self.sensor.events("sensor-health"), 60, "the sensor tells no health")

    def stop(self):
        if self.console:
            self.console.send_signal(signal.SIGTERM)
            self.console.wait(20)
        self.sensor.stop()
        self.lab.scene.end()

    def key(self, rest):
        return self.sensor.key(rest)

    # -- wishes

    def analyst(self, said):
        """What the sensor's owner does with the line that an analyst shows him."""
        path = self.sensor.rules / "policy/analysts.yaml"
        path.write_text(path.read_text() + "".join(f"  {line.strip()}\n" for line in said["line"].strip().splitlines()))
        self.sensor.program.send_signal(signal.SIGHUP)
        self.lab.listen(self.sensor.baseline_s)

    def open_ones(self, frail=False):
        """What one analyst decides on: of the frail device, or of all others."""
        found = [p for p in self.sensor.proposals() if p["status"] == "open" and p["signatures"] == 1 and (p["ip"] == self.frail["ip"]) == frail]
        return sorted(found, key=lambda p: (p["rule"] != "modbus", p["ip"]))

    def proposals(self, _):
        """Two that one analyst decides on, of two devices."""
        def find():
            found = {}
            for p in self.open_ones():
                found.setdefault(p["ip"], p)
            return len(found) >= 2 and list(found.values())
        try:
            proposals = wait_for(find, 90, "too few proposals")
            watched = lambda: self.document(proposals[0]["id"])["ot"]["proposal"].get("watch", {}).get("pairs")
            pairs = wait_for(watched, 30, "a proposal does not show how its target is now")
            return {"proposals": proposals, "recent": [len(p.get("recent", {}).get("period_ms", [])) for p in pairs], "faults": documents.faults([self.document(p["id"]) for p in proposals])}
        except Failure:
            return {"proposals": []}

    def another(self, _):
        return wait_for(self.open_ones, 90, "no further proposal")[0]

    def frail_one(self, _):
        return next(p for p in wait_for(lambda: self.open_ones(True), 90, "nothing is proposed for the frail device") if p["rule"] in self.frail["ask"])

    def quarantined(self, _):
        told = wait_for(lambda: self.sensor.events("target-degraded"), 120, "no alarm")
        return {"asset": told[-1]["ot"]["asset"]["id"], "evidence": told[-1]["ot"]["watch"]["evidence"], "of": self.frail["ip"] in told[-1]["host"]["ip"]}

    def released(self, _):
        done = wait_for(lambda: self.sensor.events("quarantine-released"), 60, "the quarantine is not ended")
        return {"by": done[-1]["user"]["name"]}

    def proposal(self, said):
        return next(({"status": p["status"]} for p in self.sensor.proposals() if p["id"] == said["id"]), {"status": "none"})

    def document(self, number):
        return json.loads(self.sensor.redis().hget(self.key("proposals"), number))

    def commands(self, _):
        return {"count": self.sensor.redis().xlen(self.key("cmd"))}

    def reply(self, said):
        from course import as_shown, gained
        told = lambda: [t for t in self.sensor.probes().get(said["id"], []) if t["action"] == "probe-ended"]
        wait_for(told, 120, "the probe does not end: " + self.sensor.machine.log()[-600:])
        proposal = next(p for p in self.sensor.proposals() if p["id"] == said["id"])
        machine = next(m for m in self.lab.machines if m["ip"] == said["ip"])
        self.lab.wire.update()
        sent = self.lab.sent_to(machine)
        find = lambda: gained(self.sensor.documents().get(said["ip"]))
        values = wait_for(find, 20, "the asset gained nothing")
        asset = self.sensor.documents()[said["ip"]]["asset"]["id"]
        return {"end": told()[-1]["end"], "asset": asset, "gained": [{"name": a["name"], "value": a["value"]} for a in values],
                "sent": sent.syns <= 1 and len(sent.payloads) > 0 and as_shown(proposal["messages"], sent.payloads), "why": f"{sent.packets} packets, {sent.syns} SYN"}

    def stopped(self, _):
        done = wait_for(lambda: self.sensor.events("probing-stopped"), 15, "probing is not stopped")
        return {"stopped": len(done) == 1, "why": done[-1]["ot"]["command"]}

    def resumed(self, _):
        done = wait_for(lambda: self.sensor.events("probing-resumed"), 15, "probing is not resumed")
        return {"resumed": done[-1]["user"]["name"] == "cyd", "why": done[-1]["ot"]["command"]}


def run(cases, build):
    why = page.ready(build)
    if why:
        cases.skip("the page before a real sensor", why)
        return
    stage = Stage(build)
    try:
        stage.start()
        wishes = ("analyst", "proposals", "another", "frail_one", "quarantined", "released", "proposal", "commands", "reply", "stopped", "resumed")
        page.browse(cases, build, "plant.mjs", f"http://127.0.0.1:{stage.port}", {name: getattr(stage, name) for name in wishes})
        stage.lab.wire.update()
        cases.check("the SPAN port sent 0 frames", stage.sensor.span_sent() == 0)
    finally:
        stage.stop()
