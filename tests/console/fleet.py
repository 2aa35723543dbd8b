"""Two sensors of one console as one picture: what is joined, what analysts decided, and what is not shown for want of a right."""
import json
import subprocess
import time

import documents
import page
from bench import Bench, acl_words, wait_for

SENSORS = ("plant-1", "plant-2")
MERGES = "askance:fleet:merges"
OWN, SHARED = 20, 8
FIRST_HOSTILE = 900000
HOSTILE_WORDS = "<img src=x onerror=window.hurt=1>\u202e"


def fill(b, build):
    """Both hear the first SHARED devices and those of hostile names; the others are the first sensor's alone."""
    many, hostile = documents.many(build, OWN), list(documents.hostile(build, FIRST_HOSTILE).values())
    hostile = [d for d in hostile if "\\u0000" not in json.dumps(d)]  # a document with a NUL is none
    for number, d in enumerate(many + hostile):  # made of a few recorded ones, whose serial numbers they share
        for attribute in d["ot"]["attributes"]:
            if attribute["name"] == "serial":
                attribute["value"] = f"{number} {attribute['value']}"
    documents.fill(b.root, SENSORS[0], many + hostile)
    documents.fill(b.root, SENSORS[1], many[:SHARED] + hostile)
    return many, hostile


def tell_health(b, sensor):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    body = {"@timestamp": stamp, "event": {"dataset": "askance.health", "id": f"{sensor}:1:1"}, "observer": {"version": "0.1.0"},
            "ot": {"zone": "hall-1", "health": {"uptime_s": 60, "traffic": {"kernel_drops": 3}, "redis": {"state": "streaming"}}}}
    b.root.xadd("askance:{" + sensor + "}:ev", {"body": json.dumps(body)})


def name_of(sensor, document):
    return f"{sensor}/{document['ot']['asset']['id']}"


def decide(b, *words, why=HOSTILE_WORDS):
    subprocess.run([b.build / "askance", "fleet", *words, "--why", why, "--who", "a.lang", "--redis", f"unix://{b.socket}"], check=True, capture_output=True, timeout=60)


def answers(cases, b, many, hostile):
    get = lambda **words: b.get("/api/fleet" + "".join(f"?{k}={v}" for k, v in words.items())).json()
    # Asked without a pause: what is told as whole must be so from the first such answer on.
    seen = wait_for(lambda: (a := get()) and not a["loading"] and a, 60, "the console does not read both sensors", step=0)
    ids = {d["ot"]["asset"]["id"] for d in many[:SHARED] + hostile}
    joined = {d["id"].split("/")[1] for d in seen["devices"] if [w["sensor"] for w in d["witnesses"]] == list(SENSORS)}
    cases.check("a device that both sensors hear stands there once, with both", joined == ids, f"{len(joined)} of {len(ids)}")
    cases.check("and the others with the one that hears them", len(seen["devices"]) == len(many) + len(hostile) == seen["numbers"]["devices"], seen["numbers"])
    cases.check("each merge has its reason", all(d["merged"][0]["by"] in ("mac", "serial") and d["merged"][0]["reason"] for d in seen["devices"] if len(d["witnesses"]) > 1))
    again = get(since=seen["revision"])
    cases.check("what did not change is not told again", "devices" not in again and again["revision"] == seen["revision"] and again["sensors"], list(again))
    tell_health(b, SENSORS[0])
    wait_for(lambda: [s["stale"] for s in get()["sensors"]] == [False, True], 20, "who is silent is not told")
    cases.check("who is silent is told", True)
    for wrong in ("x", "-1", "1x", ""):
        cases.check(f"since={wrong}: 400", b.get(f"/api/fleet?since={wrong}").status == 400)


def rights(cases, b):
    """The one right that reads decisions: what the page says without it, and with a key of another type."""
    log = b.root.execute_command("ACL", "LOG")
    cases.check("the console's user was refused nothing", not log, log[:1])
    trouble = lambda: b.get("/api/fleet").json()["trouble"]
    kept = b.root.dump(MERGES)
    b.root.delete(MERGES)
    b.root.set(MERGES, "x")
    wait_for(lambda: "WRONGTYPE" in trouble(), 20, "a key of another type is not told")
    b.root.restore(MERGES, 0, kept, replace=True)
    wait_for(lambda: not trouble(), 20, "and not when it is one again")
    b.root.execute_command("ACL", "SETUSER", "console", "resetkeys", *(w for w in acl_words("console", "pw", SENSORS) if "~" in w and MERGES not in w))
    wait_for(lambda: "console.acl" in trouble(), 20, "a missing right is not told")
    cases.check("without the right to read decisions the fleet is shown, and says so", b.get("/api/about").json()["redis"] == "streaming", trouble())


def run(cases, build):
    b = Bench(build, SENSORS)
    try:
        many, hostile = fill(b, build)
        b.start()
        answers(cases, b, many, hostile)
        one, other = (name_of(sensor, many[0]) for sensor in SENSORS)
        why = page.ready(build)
        if why:
            cases.skip("the page before two sensors", why)
        else:
            page.browse(cases, build, "fleet.mjs", f"http://127.0.0.1:{b.port}", {
                "names": lambda _: {"one": one, "other": other, "device": many[0]["ot"]["asset"]["hostname"][0], "hostile": [name_of(SENSORS[0], d) for d in hostile]},
                "split": lambda _: decide(b, "split", one, other), "undo": lambda _: decide(b, "undo", one, other)})
        decide(b, "merge", one, other)
        rights(cases, b)
        cases.check("SIGTERM ends it well", b.stop() == 0)
    finally:
        b.close()
