"""The course of the lab: make the plant, hear it, ask, compare with others, judge by the wire."""
import re
import time

import machines
from disturbed import why_disturbed
from reference import Reference, compare
from scene import Failure, say
from sensor import PROBE_IP, PROBE_MAC, SPAN_MAC, Sensor, build_folder, packages
from servers import Staff
from wire import TCP, UDP, Sent, Wire, endings

SETTLE_S, AFTER_S = 6, 5
WIRE_NS = 1000 # tcpdump cuts its times to microseconds
VERSION_LIMIT_S = 420 # for one port; what nmap would still have sent then is not counted
VERSION_SAMPLE = ("press-1", "plc-s7", "broker-1", "robot-1")
TIMES_FEWER = 20


def chosen(options):
    found = machines.all_machines()
    if options.names:
        found = [m for m in found if m["name"] in options.names]
        if len(found) != len(options.names):
            raise Failure("no such machine; there are: " + " ".join(m["name"] for m in machines.all_machines()))
    elif options.short:
        found = [m for m in found if m.get("short")]
    return found


class Lab:
    def __init__(self, scene, wanted, build=None):
        self.scene, self.machines = scene, wanted
        self.build = build or build_folder()
        self.wire = Wire(scene)
        self.staff = Staff(scene, wanted, packages(self.build))
        self.sensor = Sensor(scene, self.build)
        self.probed = {}

    def start(self):
        say(f"lab: {len(self.machines)} machines start")
        for machine in self.machines:
            self.staff.make(machine)
        time.sleep(SETTLE_S)
        self.sensor.prepare()
        self.sensor.start()
        for machine in self.machines:
            self.staff.poll(machine)
        self.staff.shut_out(self.machines)
        time.sleep(3)

    def listen(self, seconds):
        say(f"lab: listening for {seconds} s")
        start = time.time()
        time.sleep(seconds)
        self.baseline = (start, time.time())

    def sent_to(self, machine):
        return Sent(self.wire.packets, PROBE_MAC, machine["mac"])

    def dead(self):
        return [m["name"] for m in self.machines if self.scene.machines[m["name"]].dead()]


def shown(value, width):
    text = str(value)
    return text if len(text) <= width else text[:width - 1] + "~"


def attributes_of(document):
    yield from document.get("attributes", [])
    for sub in document.get("subassets", []):
        yield from sub.get("attributes", [])


def gained(document):
    return [a for a in attributes_of(document or {}) if a.get("source") == "probe"]


def check_heard(cases, lab, documents):
    """The passive half: each protocol is known by structure before anybody asks."""
    for machine in lab.machines:
        document = documents.get(machine["ip"], {})
        known = [s for s in document.get("services", []) if s["protocol"] == machine["protocol"] and s["evidence"] == "structure"]
        cases.check(f"heard: {machine['name']} serves {machine['protocol']}", known)


OVER = ("spent", "denied", "revoked", "expired", "superseded")


class Asking:
    """Approves what was proposed for the machines, once each, and waits until it is over."""

    def __init__(self, lab):
        self.lab, self.by_ip, self.approved, self.failed = lab, {m["ip"]: m for m in lab.machines}, {}, {}

    def approve_new(self):
        for p in sorted(self.lab.sensor.proposals(), key=lambda p: p["rule"]):
            machine = self.by_ip.get(p["ip"])
            if not machine or p["status"] != "open" or p["rule"] not in machine["ask"] or p["id"] in self.approved:
                continue
            if any(q["ip"] == p["ip"] for q in self.approved.values()):
                continue
            self.approved[p["id"]] = p
            said = self.lab.sensor.approve(p)
            if said:
                self.failed[p["id"]] = said

    def waiting(self):
        now = {p["id"]: p for p in self.lab.sensor.proposals()}
        return [i for i in self.approved if i not in self.failed and now.get(i, {"status": "spent"})["status"] not in OVER]

    def run(self, limit_s, quiet_s=15):
        """Until all is over and nothing new was proposed for some time, or the limit."""
        end, quiet = time.time() + limit_s, time.time() + quiet_s
        while time.time() < end:
            before = len(self.approved)
            self.approve_new()
            if len(self.approved) > before or self.waiting():
                quiet = time.time() + quiet_s
            elif time.time() > quiet:
                break
            time.sleep(0.5)

    def outcomes(self):
        """By machine: the rule, the proposal and how its run ended."""
        probes, found = self.lab.sensor.probes(), {}
        now = {p["id"]: p for p in self.lab.sensor.proposals()}
        for number, p in self.approved.items():
            told = probes.get(number, [])
            last = next((t for t in reversed(told) if t["action"] == "probe-ended"), told[-1] if told else {})
            state = now.get(number, p)
            found[self.by_ip[p["ip"]]["name"]] = {
                "rule": p["rule"], "proposal": p, "planned": [t for t in told if t["action"] == "probe-planned"],
                "end": last.get("end") or last.get("refusal") or self.failed.get(number) or state["status"], "why": last.get("why") or state["reason"]}
        return found


def tell_outcomes(lab, outcomes):
    """Each that was asked with how it ended, each that was not with the reason that the sensor gives."""
    documents = lab.sensor.documents()
    for machine in lab.machines:
        outcome = outcomes.get(machine["name"])
        if outcome:
            print(f"asked {machine['name']} by {outcome['rule']}: {outcome['end']} {outcome['why']}".rstrip(), flush=True)
            continue
        gaps = documents.get(machine["ip"], {}).get("gaps", [])
        why = "; ".join(f"{g['subject']} lacks {','.join(g.get('lacks', []))}: {g['verdict']} {g.get('rule') or ''} {g['why']}" for g in gaps)
        print(f"not asked {machine['name']}: {why or 'no gap: known by listening'}", flush=True)


def table_row(machine, rule, values, ours, theirs, result, disturbed):
    kind = {"server": "server", "player": "player", "fragile": "fragile"}[machine["kind"]]
    print("{:<18} {:<14} {:<8} {:<16} {:>6} {:>4}/{:<6} {:>4}/{:<6} {:<10} {}".format(
        machine["name"], machine["protocol"], kind, rule or "-", len(values), ours.packets, ours.bytes,
        theirs.packets if theirs else "-", theirs.bytes if theirs else "-", result, "; ".join(disturbed) or "-"), flush=True)


def print_head():
    print("{:<18} {:<14} {:<8} {:<16} {:>6} {:>11} {:>11} {:<10} {}".format(
        "machine", "protocol", "answers", "rule", "values", "our pkts/B", "nmap pkts/B", "same", "disturbed"))


def judge_manners(cases, lab, outcomes):
    """What every probe owes its target, on the wire."""
    packets = lab.wire.update()
    resets = sum(lab.sent_to(m).resets for m in lab.machines)
    retries = {m["name"]: lab.sent_to(m).retries for m in lab.machines if lab.sent_to(m).retries}
    cases.check("0 RST from us", resets == 0, f"{resets}")
    cases.check("0 retries", not retries, f"{retries or 0}")
    syns = {m["name"]: lab.sent_to(m).syns for m in lab.machines}
    runs = {name: 1 for name in outcomes}
    cases.check("one connection for each probe", all(n <= runs.get(name, 0) for name, n in syns.items()), f"{sum(syns.values())}")
    unfinished = []
    for machine in lab.machines:
        for state in endings(packets, PROBE_MAC, machine["mac"]).values():
            if state["answered"] and not state["their_rst"] and not state["fin"]:
                unfinished.append(machine["name"])
    cases.check("every connection ended by FIN", not unfinished, " ".join(unfinished))
    strangers = {p.dst for p in packets if p.src == PROBE_MAC} - {m["mac"] for m in lab.machines} - {"ff:ff:ff:ff:ff:ff"}
    cases.check("nobody else was sent anything", not strangers, " ".join(strangers))
    shouted = [p for p in packets if p.src == PROBE_MAC and p.dst == "ff:ff:ff:ff:ff:ff" and p.type != 0x0806]
    cases.check("no broadcast but ARP", not shouted, f"{len(shouted)}")


def pattern_of(text):
    """A message as a proposal shows it, "0002{unit}2b": its open bytes fit anything."""
    return re.compile("".join("(?:..)+" if part.startswith("{") else part for part in re.split(r"(\{[^}]*\})", text)))


def as_shown(messages, payloads):
    """True when what was sent are the messages shown, in order; those that a reply decides may be left out."""
    at = 0
    for payload in payloads:
        while at < len(messages) and not pattern_of(messages[at]["hex"]).fullmatch(payload.hex()):
            at += 1
        if at == len(messages):
            return False
        at += 1
    return True


def unplanned(audit, machine, sent):
    """Frames that the audit did not have on the disk before they were sent: the run with its target and its port, and each message."""
    target = machine["mac"].replace(":", "")
    runs = [r for r in audit if r["type"] == "planned" and r["target_mac"] == target]
    numbers = {r["run"] for r in runs}
    words = [r for r in audit if r["type"] == "sending" and r["run"] in numbers]
    before = lambda records, p: any(r["time_ns"] <= p.time * 1e9 + WIRE_NS for r in records)
    return [p for p in sent.list if not before([r for r in runs if p.sport in (0, r.get("source_port", 0))], p) or
            (p.payload and p.protocol in (TCP, UDP) and not before([w for w in words if bytes.fromhex(w["bytes"]) == p.payload], p))]


def planned_once(audit, told):
    """The event of the plan is there, once, and names its record of the audit."""
    return len(told) == 1 and any(r["type"] == "planned" and r["run"] == told[0]["run"] and r["number"] == told[0]["audit"] for r in audit)


def judge_words(cases, lab, outcomes, documents):
    """What was shown, told and written down, against the wire."""
    other, untold, early, first, twice, audit = [], [], [], {}, [], lab.sensor.audit()
    for machine in lab.machines:
        sent, outcome = lab.sent_to(machine), outcomes.get(machine["name"])
        if not sent.packets:
            continue
        if not outcome or not as_shown(outcome["proposal"]["messages"], sent.payloads):
            other.append(machine["name"])
        if not outcome or not planned_once(audit, outcome["planned"]):
            untold.append(machine["name"])
        early += unplanned(audit, machine, sent)
        if machine["kind"] == "fragile":
            first[machine["name"]] = [p[2:] for p in sent.payloads] # but the transaction's number
        values = {(a["name"], a["value"]) for a in gained(documents.get(machine["ip"]))}
        heard = {(a["name"], a["value"]) for a in attributes_of(documents.get(machine["ip"], {})) if a.get("source") == "passive"}
        if machine["kind"] != "player" and values & heard:
            twice.append(machine["name"])
    asked = sum(1 for m in lab.machines if lab.sent_to(m).packets)
    told = lambda name, bad, why="": cases.check(name, not bad, " ".join(map(str, bad)) + why) if asked else cases.skip(name, "nothing was asked")
    told("the bytes shown are the bytes sent", other)
    told("each probe was told as planned, once", untold)
    told("each frame was in the audit before it was sent", early)
    odd = [n for n, payloads in first.items() if len(payloads) > 1 or any(p != q for p, q in zip(payloads, next(iter(first.values()))))]
    told("the same bytes whatever was answered", odd)
    strange = [p for p in lab.wire.packets if p.src == PROBE_MAC and p.ip_src not in (None, PROBE_IP)]
    told("every frame of ours has our address", strange)
    told("nothing of ours was taken for heard", twice + [PROBE_IP for d in [documents.get(PROBE_IP)] if d and d.get("speaks")])


def judge_span(cases, lab):
    sent = lab.sensor.span_sent()
    cases.check("the SPAN port sent 0 frames", sent == 0 and not any(p.src == SPAN_MAC for p in lab.wire.update()), f"{sent}")
    cases.check("(of the frames that it heard)", len(lab.wire.packets) > 1000, f"{len(lab.wire.packets)}")


def judge_values(cases, lab, machine, pairs, source, outcome, everything):
    name = machine["name"]
    if not lab.sensor.can_ask():
        cases.skip(f"{name}: values as {source} reads them", "nothing could be asked")
        return
    for key, said, ours_value in pairs:
        cases.check(f"{name}: {key} as {source} reads it", ours_value is not None, shown(said, 60))
    if outcome.get("end") == "complete":
        for wanted in machine.get("attributes", []):
            if wanted["name"] in lab.sensor.fills(outcome["rule"]):
                found = [v for _, v in everything if wanted["value"].casefold() in str(v).casefold()]
                cases.check(f"{name}: {wanted['name']} as configured", found, wanted["value"])


def compare_all(cases, lab, reference, outcomes, documents, until):
    """The table. nmap goes after all of ours, one machine at a time."""
    packets = lab.wire.update()
    disturbed = {m["name"]: why_disturbed(lab.scene, m, packets, lab.baseline, lab.baseline[1], until) for m in lab.machines}
    ours = {m["name"]: lab.sent_to(m) for m in lab.machines}
    print_head()
    for machine in lab.machines:
        output, theirs = reference.script(machine)
        source = "nmap" if output else "recorded"
        document = documents.get(machine["ip"], {})
        values = gained(document)
        everything = [(a["name"], a["value"]) for a in attributes_of(document)]
        pairs = compare(machine, output or "", everything)
        if not pairs:
            pairs, source = compare(machine, reference.recorded(machine), everything), "recorded"
        equal = sum(1 for _, _, ours_value in pairs if ours_value is not None)
        outcome = outcomes.get(machine["name"], {})
        name, sent = machine["name"], ours[machine["name"]]
        table_row(machine, outcome.get("rule"), values, sent, theirs, f"{equal}/{len(pairs)} {source}" if pairs else "-", disturbed[name])
        judge_values(cases, lab, machine, pairs, source, outcome, everything)
        if theirs and sent.packets:
            cases.check(f"{name}: no more packets than nmap's {machine['nse']['script']}", sent.packets <= theirs.packets, f"{sent.packets} of {theirs.packets}")
    cases.check("0 devices disturbed", not any(disturbed.values()), "; ".join(f"{n}: {'; '.join(w)}" for n, w in disturbed.items() if w))


def compare_version_scan(cases, lab, reference, asked, whole):
    """nmap -sT -sV --version-all against the same ports: a sample, or those that were named; it takes minutes for each."""
    if not whole:
        print("nmap -sT -sV --version-all: not measured in the short form")
        return
    ours = theirs = 0
    sample = [m for m in lab.machines if m["name"] in VERSION_SAMPLE] or lab.machines
    for machine in sample:
        if machine["transport"] != "tcp" or machine["name"] not in asked or machine["kind"] == "fragile":
            continue
        _, sent = reference.nmap(machine, "-sT", "-sV", "--version-all", "-p", str(machine["port"]), timeout=VERSION_LIMIT_S)
        print(f"nmap -sT -sV --version-all {machine['name']}: {sent.packets} packets in {sent.connections} connections, ours {asked[machine['name']]}")
        ours, theirs = ours + asked[machine["name"]], theirs + sent.packets
    cases.check(f"{TIMES_FEWER} times fewer packets than nmap -sT -sV --version-all", ours and theirs >= TIMES_FEWER * ours, f"{ours} of {theirs}")


def run(cases, scene, options):
    lab = Lab(scene, chosen(options))
    reference = Reference(scene, lab.wire)
    lab.start()
    lab.listen(lab.sensor.baseline_s)
    if lab.dead():
        raise Failure("these servers ended by themselves: " + ", ".join(f"{n}: {scene.machines[n].log()[-300:]}" for n in lab.dead()))
    check_heard(cases, lab, lab.sensor.documents())
    outcomes = {}
    if lab.sensor.can_ask():
        asking = Asking(lab)
        asking.run(150 if options.short else 900)
        outcomes = asking.outcomes()
        time.sleep(AFTER_S)
        tell_outcomes(lab, outcomes)
    else:
        cases.skip("asking", "this build has no `askance approve`")
    until = time.time()
    documents = lab.sensor.documents()
    judge_span(cases, lab)
    judge_manners(cases, lab, outcomes)
    judge_words(cases, lab, outcomes, documents)
    asked = {m["name"]: lab.sent_to(m).packets for m in lab.machines if lab.sent_to(m).packets}
    compare_all(cases, lab, reference, outcomes, documents, until)
    compare_version_scan(cases, lab, reference, asked, not options.short)
    lab.sensor.stop()
    scene.end()
