"""Documents for tests of the console: those of the recorded plant, multiplied, and some whose devices have hostile names."""
import copy
import json
import random
import subprocess
import sys

from bench import ROOT

sys.path.append(str(ROOT / "tests/system"))
import validate

# What a device may call itself; the sensor takes control characters out, a hostile Redis does not.
HOSTILE = {
    "script": "<script>window.hurt=1</script>",
    "image": "<img src=x onerror=window.hurt=1>",
    "attribute": "\" onmouseover=\"window.hurt=1\" autofocus onfocus=\"window.hurt=1",
    "template": "{{constructor.constructor('window.hurt=1')()}}${window.hurt=1}",
    "link": "javascript:window.hurt=1",
    "style": "</style><style>*{display:none}</style>",
    "right-to-left": "plc\u202egnp.exe\u2066\u200f",
    "combining": "Z" + "\u0300\u0321" * 200,
    "control": "a\u0000b\u0007c\u001b[2Jd\u007f\u0085e",
    "lines": "one\ntwo\r\nevent: reset\ndata: {}\n\n\u2028three",
    "prototype": "__proto__",
    "long": "W" * 65536,
    "surrogate": "\U0001f3ed\U000e0041",
    "empty": "",
}


def recorded(build):
    """The documents of the recorded plant's devices."""
    lines = subprocess.run([build / "askance", "read", "--json", "--rules", ROOT / "rules", ROOT / "tests/plant/plant.pcap.gz"], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def rename(document, number):
    """The same device once more, with addresses and a name of its own."""
    d = copy.deepcopy(document)
    ip, mac, asset = f"10.{40 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}", f"02:00:5e:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}", f"a-{number:016x}"
    zone = f"hall-{number % 7}/vlan:{100 + number % 5}"
    d["host"] = {"id": asset, "ip": [ip], "mac": [mac.upper().replace(":", "-")]}
    d["related"] = {"ip": [ip]}
    d["device"]["id"] = asset
    d["event"]["sequence"] = number + 1
    ot = d["ot"]
    ot["asset"].update(id=asset, zone=zone, ip=[ip], mac=[mac], hostname=[f"station-{number}"])
    for service in ot["services"]:
        if "ip" in service:
            service["ip"] = ip
    return d, ip


def many(build, count):
    """So many devices; each speaks to some of its neighbours."""
    templates = [d for d in recorded(build) if d["ot"]["asset"].get("class")]
    chance = random.Random(5)
    made = [rename(templates[i % len(templates)], i) for i in range(count)]
    for i, (d, _) in enumerate(made):
        d["ot"]["talks"] = [{"peer": made[(i - i % 40 + chance.randrange(40)) % count][1], "protocol": "modbus", "transport": "tcp", "port": 502}
                            for _ in range(1 + i % 3)]
    return [d for d, _ in made]


def hostile(build, first):
    """One device for each such name, in every place where a device can put a text."""
    template, found = next(d for d in recorded(build) if d["ot"]["attributes"]), {}
    for number, (kind, text) in enumerate(HOSTILE.items(), first):
        d, _ = rename(template, number)
        d["ot"]["asset"].update(hostname=[text], maker=text, vendor=text, firmware=text, os=text, role=text)
        if kind in ("script", "image"):
            d["ot"]["asset"]["class"] = text
            d["ot"]["asset"]["zone"] = text
        for attribute in d["ot"]["attributes"]:
            attribute["value"] = text
        product = dict(d["ot"]["attributes"][0], name="product", protocol="modbus")
        d["ot"]["attributes"] += [product, dict(product, value=text + "2")]
        for gap in d["ot"]["gaps"]:
            gap["why"] = text
        found[kind] = d
    return found


def faults(documents):
    """The first that a schema refuses; "" when all are good."""
    validators = validate.make_validators(validate.load_schemas())
    for d in documents:
        _, wrong = validate.faults_of(d, validators)
        if wrong:
            return wrong[0]
    return ""


def fill(client, sensor, documents):
    """Puts them where the sensor would, as states and as events."""
    key, pipe = "askance:{" + sensor + "}:", client.pipeline(transaction=False)
    for number, d in enumerate(documents, 1):
        body = json.dumps(d, separators=(",", ":"), ensure_ascii=False)
        asset = d["ot"]["asset"]["id"]
        pipe.hset(key + "asset:" + asset, mapping={"body": body, "sequence": number})
        pipe.zadd(key + "changed", {asset: number})
        pipe.xadd(key + "ev", {"body": body}, id=f"1000-{number}")
        if number % 500 == 0:
            pipe.execute()
    pipe.execute()
