"""The console's interface: every path, and what no page would ask."""
import base64
import gzip
import json
import os
import re
import socket
import threading
import time

import documents
from bench import KEY, SENSOR, Bench, Failure, Listener, wait_for

ASSETS = 5000
MOST_MS = 300
PATHS = ("about", "assets", "asset?id=a-0000000000000001", "history?id=a-0000000000000001", "gaps", "proposals", "probes", "health", "health?minutes=5")


def event(dataset, text="", **more):
    return json.dumps({"event": {"dataset": f"askance.{dataset}"}, "message": text, **more}, separators=(",", ":"))


def headers_hold(cases, b):
    for path in ("/", "/api/about", "/api/none", "/none"):
        a = b.get(path)
        policy = a.headers.get("Content-Security-Policy", "")
        cases.check(f"{path}: strict policy, nosniff, no referrer", "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy and
                    "frame-ancestors 'none'" in policy and a.headers["X-Content-Type-Options"] == "nosniff" and a.headers["Referrer-Policy"] == "no-referrer", a.status)
        stored = a.headers.get("Cache-Control")
        cases.check(f"{path}: {'may be kept when asked about' if path == '/' else 'is not stored'}", stored == ("no-cache" if path == "/" else "no-store"), stored)
    a = b.get("/app.js")
    again = b.get("/app.js", headers={"If-None-Match": a.headers["ETag"]})
    cases.check("a file that the browser has is not sent again", a.status == 200 and again.status == 304 and not again.body, again.status)
    packed = b.get("/app.js", headers={"Accept-Encoding": "gzip"})
    cases.check("files are compressed", gzip.decompress(packed.body) == a.body, f"{len(a.body)} {len(packed.body)}")
    elsewhere = re.findall(r"""(?:src|href)=["']?(?!data:)[^"'> ]*//[^"'> ]*""", b.get("/").body.decode())
    cases.check("the page names no other place", not elsewhere, elsewhere)


def strangers(cases, b):
    here = f"127.0.0.1:{b.port}"
    for host in ("evil.example", f"evil.example:{b.port}", "127.0.0.1.evil.example", "127.0.0.2", "10.0.0.1", "localhost.evil", "", "[::1", "a b", f"{here}@evil.example", "127.0.0.1:80:80"):
        a = b.get("/api/about", host=host)
        cases.check(f"Host '{host}' is refused", a.status in (400, 421), a.status)
    for host in (here, "localhost", "LOCALHOST:99", "[::1]:8080"):
        cases.check(f"Host '{host}' is ours", b.get("/api/about", host=host).status == 200)
    for origin in ("http://evil.example", "null", f"https://{here}", f"http://{here}.evil.example", "http://localhost", f"http://127.0.0.1:{b.port + 1}", "", None):
        a = b.post({"command": "stop"}, Origin=origin)
        cases.check(f"a command from the origin {origin} is refused", a.status == 403, a.status)
    for site in ("cross-site", "same-site", "whatever"):
        cases.check(f"a command of {site} is refused", b.post({"command": "stop"}, Sec_Fetch_Site=site).status == 403)
        cases.check(f"reading by {site} is refused", b.get("/api/assets", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status == 403)
    a = b.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    cases.check("a link from elsewhere opens the page", a.status == 200, a.status)
    cases.check("reading from another origin is refused", b.get("/api/assets", headers={"Origin": "http://evil.example"}).status == 403)
    a = b.ask("/api/command", "OPTIONS", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
    cases.check("no other origin is ever allowed anything", a.status in (403, 405) and not any(h.lower().startswith("access-control") for h in a.headers), a.status)
    cases.check("nothing of it reached Redis", b.root.xlen(KEY + "cmd") == 0)


def garbage(cases, b):
    for path in ("/api", "/api/", "/api/About", "/api/assets/", "//api/about", "/api/../api/about", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/app.js/..", "/index.html%00.js",
                 "/app.css~", "/.git/config", "/api/asset/a-1", "/\\..\\x"):
        a = b.get(path)
        cases.check(f"{path}: there is no such path", a.status in (400, 404) and b"root:" not in a.body, a.status)
    for path in ("asset", "asset?id=", "asset?id=*", "asset?id=a%00b", "asset?id=../x", "asset?id=a%0d%0ab", "asset?id=" + "a" * 64, "asset?id=%ff%fe", "asset?id=a}b", "history", "history?id=a%20b",
                 "history?id=" + "%2e" * 80, "assets?since=x", "assets?since=-1", "assets?since=1x", "assets?since=", "health?minutes=0", "health?minutes=99999999999999999999", "health?minutes=5m", "health?minutes=-5"):
        a = b.get("/api/" + path)
        cases.check(f"{path[:40]}: 400 with a sentence", a.status == 400 and a.error(), f"{a.status} {a.error()}")
    cases.check("an asset that is not there: 404", b.get("/api/asset?id=a-ffffffffffffffff").status == 404)
    cases.check("another sensor: 404", b.get("/api/assets?sensor=plant-2").status == 404)
    cases.check("this sensor by name", b.get(f"/api/assets?sensor={SENSOR}").status == 200)
    for method in ("POST", "PUT", "DELETE", "PATCH", "HEAD", "BREW"):
        a = b.ask("/api/about", method, b"" if method == "POST" else None, {"Origin": f"http://127.0.0.1:{b.port}"})
        cases.check(f"{method} /api/about is refused", a.status in (405, 501, 403), a.status)
    cases.check("GET /api/command is refused", b.get("/api/command").status == 405)


def broken_http(cases, b):
    line = f"GET /api/about HTTP/1.1\r\nHost: localhost\r\n".encode()
    for name, data in {
        "nothing but a line's end": b"\r\n\r\n", "zeros": bytes(1000), "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(300),
        "a head without end": line + b"X: " + b"a" * 100000, "an address without end": b"GET /" + b"a" * 100000, "a thousand headers": line + b"".join(b"X%d: y\r\n" % i for i in range(4000)) + b"\r\n",
        "a body that claims too much": b"POST /api/command HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "two lengths": b"POST /api/command HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
        "a broken chunk": b"POST /api/command HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
    }.items():
        said = b.raw(data, 1)
        cases.check(f"{name}: refused or closed", not said.startswith(b"HTTP/1.1 2"), said[:40])
    cases.check("and the console lives on", b.get("/api/about").status == 200)


def sign_less():
    return {"command": "approve", "id": "0" * 32, "analyst": "ada", "not_before": 1, "not_after": 2, "uses": 1, "signature": base64.b64encode(bytes(64)).decode()}


def commands(cases, b):
    good = sign_less()
    wrong = {
        "nothing": "", "no JSON": "{", "a list": "[]", "a text": '"stop"', "null": "null", "no command": "{}", "another command": '{"command":"order"}', "a number": '{"command":1}',
        "twice": '{"command":"stop","command":"stop"}', "more": dict(good, more=1), "a member of another command": dict(good, time_ms=1), "none of its members": '{"command":"approve"}',
        "an id that is a number": dict(good, id=1), "uses that is a text": dict(good, uses="1"), "below zero": dict(good, uses=-1), "half": dict(good, uses=1.5), "no signature": {k: v for k, v in good.items() if k != "signature"},
        "a short signature": dict(good, signature="AAAA"), "a long text": dict(good, analyst="a" * 600), "a NUL": json.dumps(dict(good, analyst="a\0b")), "no UTF-8": b'{"command":"st\xffop"}',
        "an unsigned resume": {"command": "resume"}, "an unsigned deny": {"command": "deny", "id": "0" * 32}, "half a signed stop": {"command": "stop", "analyst": "ada"}, "deep": "[" * 4000, "a tail": '{"command":"stop"} x',
    }
    for name, body in wrong.items():
        a = b.post(body)
        cases.check(f"a command that is {name}: 400 with a sentence", a.status == 400 and a.error(), f"{a.status} {a.error()}")
    for name, size in {"5000": 5000, "17000": 17000, "1000000": 1000000}.items():
        a = b.post(json.dumps(dict(good, analyst="a")) + " " * size)
        cases.check(f"{name} bytes: 413", a.status == 413, a.status)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", None):
        cases.check(f"Content-Type {kind}: 415", b.post({"command": "stop"}, Content_Type=kind).status == 415)
    cases.check("nothing of it reached Redis", b.root.xlen(KEY + "cmd") == 0)
    for name, body in {"approve": json.dumps(good), "stop": '{"command":"stop"}', "blanks and another order": ' {"uses" : 1,\n"command":"approve", "id":"%s","not_after":2,"not_before":1,"signature":"%s","analyst":"\u00e4da"} ' % ("1" * 32, good["signature"])}.items():
        a = b.post(body)
        last = b.root.xrevrange(KEY + "cmd", count=1)
        same = a.status == 202 and last and last[0][0].decode() == a.json()["id"] and last[0][1] == {b"body": body.encode()}
        cases.check(f"{name}: taken, byte for byte", same, a.status)
    words = [line for line in b.words().splitlines() if "POST" in line and ": 202" in line]
    cases.check("the log names each command", len(words) == 3 and "approve " + "0" * 32 in words[0] and "stop" in words[1], words[-1:])


def numbers(cases, b, many):
    wait_for(lambda: not b.get("/api/assets").json()["loading"], 60, "the console does not read all assets")
    times = []
    for _ in range(5):
        start = time.monotonic()
        packed = b.get("/api/assets", headers={"Accept-Encoding": "gzip, br"})
        times.append((time.monotonic() - start) * 1000)
    plain = b.get("/api/assets")
    answer = json.loads(gzip.decompress(packed.body))
    cases.check(f"{ASSETS} assets in less than {MOST_MS} ms", len(answer["assets"]) == len(many) and min(times) < MOST_MS, f"{min(times):.0f} ms at best, {max(times):.0f} at worst; {len(plain.body)} bytes, {len(packed.body)} compressed")
    one, d = next(a for a in answer["assets"] if a["id"] == "a-0000000000000007"), many[7]["ot"]
    cases.check("a summary says what the document says", one["ip"] == d["asset"]["ip"] and one["zone"] == d["asset"]["zone"] and one["completeness"] == d["asset"]["completeness"] and
                one["gaps"] == len(d["gaps"]) and sorted(one["services"]) == sorted({s["protocol"] for s in d["services"]}) and one["talks"] == d["talks"], "")
    gaps = b.get("/api/gaps").json()["gaps"]
    cases.check("all gaps with whose they are", len(gaps) == sum(len(m["ot"]["gaps"]) for m in many) and all(g["asset"] and g["kind"] and "lacks" in g for g in gaps), len(gaps))
    a = b.get("/api/asset?id=a-0000000000000007")
    cases.check("the document as it stands in Redis", a.body == b.root.hget(KEY + "asset:a-0000000000000007", "body"))
    answer = b.get("/api/history?id=a-0000000000000007").json()
    cases.check("its history", [e["host"]["id"] for e in answer["events"]] == ["a-0000000000000007"] and answer["whole"] and answer["looked"] == len(many), answer["looked"])


def changes(cases, b, many):
    cursor = b.get("/api/assets").json()["cursor"]
    answer = b.get(f"/api/assets?since={cursor}").json()
    cases.check("nothing changed: nothing is told", answer["assets"] == [] and answer["gone"] == [] and not answer["all"])
    page = Listener(b)
    changed = json.loads(json.dumps(many[3]))
    changed["ot"]["asset"]["maker"] = "Another"
    b.root.hset(KEY + "asset:a-0000000000000003", "body", json.dumps(changed))
    b.root.zadd(KEY + "changed", {"a-0000000000000003": 100001})
    told = page.until("changed", 10)[2]["cursor"]
    answer = b.get(f"/api/assets?since={cursor}").json()
    cases.check("one changed: one is told", [a["maker"] for a in answer["assets"]] == ["Another"] and answer["cursor"] == told > cursor)
    b.root.delete(KEY + "asset:a-0000000000000004")
    b.root.zadd(KEY + "changed", {"a-0000000000000004": 100002})
    wait_for(lambda: b.get(f"/api/assets?since={told}").json()["gone"] == ["a-0000000000000004"], 10, "one that went is not told")
    cases.check("one that went is told", True)
    for since in (1, cursor - 10**9, cursor + 10**9):
        answer = b.get(f"/api/assets?since={since}").json()
        cases.check("a cursor of another time: everything", answer["all"] and len(answer["assets"]) == len(many) - 1)
    page.close()


def events(cases, b):
    page = Listener(b)
    cases.check("the stream of events says at once how it stands", page.next(5)[0::2] == ("connection", {"redis": "streaming", "advice": ""}) and "text/event-stream" in page.head and "no-store" in page.head)
    first = b.root.xadd(KEY + "ev", {"body": event("probe", "one")}).decode()
    told = page.until("probe", 5)
    cases.check("an event as it comes, with its ID", told[1] == first and told[2]["message"] == "one")
    page.close()
    for i in range(2500):
        b.root.xadd(KEY + "ev", {"body": event("attribute", str(i))})
    page = Listener(b, first)
    told = [page.until("attribute", 10)[2]["message"] for _ in range(2500)]
    cases.check("after Last-Event-ID nothing is missing, nothing twice", told == [str(i) for i in range(2500)])
    page.close()
    for last, name in (("1-1", "too old"), ("99999999999999-0", "of the future")):
        page = Listener(b, last)
        cases.check(f"a Last-Event-ID {name} begins anew", [page.next(5)[0], page.next(5)[0]] == ["connection", "reset"])
        page.close()
    for last in ("x", "1", "-1-2", "1-2-3", "1e3-0", "%00"):
        page = Listener(b, last)
        b.root.xadd(KEY + "ev", {"body": event("watch", "here")})
        cases.check(f"the Last-Event-ID '{last}' counts as none", page.next(5)[0] == "connection" and page.next(5)[0] == "watch")
        page.close()
    page = Listener(b)
    page.next()
    # What is no document of a sensor can't forge an event.
    for body in ("x", "{}", "[]", '{"event":{"dataset":"askance.probe\\nid: 1-1"}}', '{"event":{"dataset":"other.probe"}}', '{"event":\n{"dataset":"askance.probe"}}', json.dumps({"event": {"dataset": "askance." + "x" * 100}}),
                 event("probe", "x" * 300000)):
        b.root.xadd(KEY + "ev", {"body": body})
    b.root.xadd(KEY + "ev", {"other": "field"})
    b.root.xadd(KEY + "ev", {"body": event("probe", "a\nb\r\nevent: reset\n\n\u2028")})
    told = page.next(10)
    cases.check("entries that are no documents are passed over, and line ends stay in their texts", told[0] == "probe" and told[2]["message"].startswith("a\nb\r\nevent: reset"))
    answer = b.get("/api/probes").json()
    cases.check("probes, watch and commands, newest first", [p["message"][:3] for p in answer["probes"]] == ["a\nb", "one"] and len(answer["watch"]) == 6 and answer["commands"] == [])
    page.close()


def health(cases, b):
    for i in range(2000):
        b.root.xadd(KEY + "ev", {"body": event("health", str(i))})
    wait_for(lambda: b.get("/api/health?minutes=1").json()["health"][-1:] and b.get("/api/health?minutes=1").json()["health"][-1]["message"] == "1999", 10, "health is not told")
    for minutes, count, step in ((1, 6, 1), (60, 360, 1), (360, 667, 3)):
        told = [int(d["message"]) for d in b.get(f"/api/health?minutes={minutes}").json()["health"]]
        cases.check(f"{minutes} minutes of health: oldest first, thinned", len(told) == count and told[-1] == 1999 and {y - x for x, y in zip(told, told[1:])} <= {step}, len(told))


def crowd(cases, b):
    """Connections that ask for nothing, or slowly; more than there may be."""
    idle = []
    for _ in range(200):
        try:
            idle.append(socket.create_connection(("127.0.0.1", b.port), timeout=2))
        except OSError:
            break
    for s in idle:
        s.close()
    wait_for(lambda: b.get("/api/about").status == 200, 20, "a crowd shuts the console up for others")
    cases.check("200 connections of one that then go do not shut others out", True)
    pages = []
    for _ in range(40):
        try:
            pages.append(Listener(b))
        except (OSError, Failure, ValueError):
            break
    heads = [p.head.split()[1] for p in pages if p.head]
    cases.check("listeners are bounded", heads.count("200") == 32 and "503" in heads, f"{heads.count('200')} of {len(pages)}")
    for p in pages:
        p.close()
    # A listener that does not read costs no memory: it is told to begin anew.
    s = socket.create_connection(("127.0.0.1", b.port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    memory = lambda: int(next(line for line in open(f"/proc/{pid_of(b)}/status") if line.startswith("VmRSS")).split()[1])
    before = memory()
    pipe = b.root.pipeline(transaction=False)
    for i in range(9000):
        pipe.xadd(KEY + "ev", {"body": event("attribute", "x" * 12000)})
        if i % 500 == 0:
            pipe.execute()
    pipe.execute()
    b.root.xadd(KEY + "ev", {"body": event("probe", "behind")})
    wait_for(lambda: b.get("/api/probes").json()["probes"][0]["message"] == "behind", 20, "a slow listener stops the console")
    more = memory() - before
    if "libasan" in open(f"/proc/{pid_of(b)}/maps").read():
        cases.skip("what one does not read is not kept for him", "sanitizers keep what was freed")
    else:
        cases.check("108 MB that one does not read are not kept for him", more < 80000, f"{more} KiB more")
    s.close()


def pid_of(b):
    """The page's process, below the verb's."""
    return int(open(f"/proc/{b.console.pid}/task/{b.console.pid}/children").read().split()[0])


class Drip(threading.Thread):
    """One that says a byte now and then, and so is never silent; how long it was borne."""

    def __init__(self, b):
        super().__init__(daemon=True)
        self.port, self.seconds = b.port, None

    def run(self):
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(b"GET /api/about HTTP/1.1\r\nHost: localhost\r\nX: ")
            s.settimeout(0.5)
            while time.monotonic() - start < 90:
                try:
                    s.sendall(b"a")
                    if not s.recv(100):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
        self.seconds = time.monotonic() - start


def outage(cases, b):
    page = Listener(b)
    page.until("connection")
    b.stop_redis()
    told = page.until("connection", 15)
    cases.check("a lost Redis is told", told[2]["redis"] in ("lost", "unreachable"), told[2])
    for path in ("about", "assets", "gaps", "probes", "health"):
        a = b.get("/api/" + path)
        cases.check(f"{path}: from memory while it is away", a.status == 200 and (path != "about" or a.json()["redis"] != "streaming"), a.status)
    for path in ("asset?id=a-1", "history?id=a-1", "proposals"):
        a = b.get("/api/" + path)
        cases.check(f"{path}: 503 with a sentence", a.status == 503 and "Redis" in a.error(), f"{a.status} {a.error()}")
    cases.check("a command: 503", b.post({"command": "stop"}).status == 503)
    b.start_redis()
    while told[2]["redis"] != "streaming":
        told = page.until("connection", 20)
    cases.check("its return is told, by itself", True)
    cases.check("and commands go on", b.post({"command": "stop"}).status == 202)
    at = b.root.xadd(KEY + "ev", {"body": event("probe", "after")}).decode()
    cases.check("and events", page.until("probe", 10)[1] == at)
    b.root.flushall()
    b.root.xadd(KEY + "ev", {"body": event("probe", "anew")}, id="5-1")
    b.stop_redis()
    b.start_redis()
    cases.check("a Redis that began anew is told", page.until("reset", 30)[0] == "reset")
    wait_for(lambda: b.get("/api/assets").json()["assets"] == [], 20, "assets of before stay")
    wait_for(lambda: [p["message"] for p in b.get("/api/probes").json()["probes"]] == ["anew"], 20, "events of before stay")
    cases.check("what is gone is gone", b.get("/api/gaps").json()["gaps"] == [])
    page.close()


def rights(cases, b):
    """Exactly sufficient: nothing refused, nothing given that is not used."""
    log = b.root.execute_command("ACL", "LOG")
    cases.check("its user was refused nothing", not log, log[:1])
    used = {name[8:].replace("|", " ") for name, c in b.root.info("commandstats").items() if c["calls"] > c["rejected_calls"]}
    words = (documents.ROOT / "packaging/redis/console.acl").read_text().split()
    given = {w[1:].replace("|", " ") for w in words if w.startswith("+")}
    cases.check("and uses every command that it has (but SELECT, for a database of its own)", given - used == {"select"}, given - used)
    b.root.execute_command("ACL", "SETUSER", "console", "-xadd")
    a = b.post({"command": "stop"})
    cases.check("a user that may not write commands: 403, and it is told so", a.status == 403 and "console.acl" in a.error(), f"{a.status} {a.error()}")


def run(cases, build):
    b = Bench(build)
    try:
        many = documents.many(build, ASSETS)
        cases.check("the documents validate", not documents.faults(many[:60]), documents.faults(many[:60]))
        documents.fill(b.root, SENSOR, many)
        b.root.config_resetstat()
        b.start()
        wait_for(lambda: b.get("/api/about").json()["redis"] == "streaming", 10, "Redis is not reached")
        answer = b.get("/api/about").json()
        cases.check("about", answer["sensors"] == [SENSOR] and answer["sensor"] == SENSOR and answer["writable"] and answer["user"] == "" and answer["redis"] == "streaming", answer)
        drip = Drip(b)
        drip.start()
        numbers(cases, b, many)
        headers_hold(cases, b)
        strangers(cases, b)
        garbage(cases, b)
        broken_http(cases, b)
        commands(cases, b)
        changes(cases, b, many)
        events(cases, b)
        health(cases, b)
        crowd(cases, b)
        for path in PATHS:
            a = b.get("/api/" + path)
            cases.check(f"{path} answers", a.status in (200, 404) and isinstance(a.json(), dict), a.status)
        drip.join(60)
        cases.check("one that drips is ended after half a minute", drip.seconds and 25 < drip.seconds < 60, f"{drip.seconds or 99:.0f} s")
        rights(cases, b)
        b.root.execute_command("ACL", "SETUSER", "console", "+xadd")
        outage(cases, b)
        cases.check("SIGTERM ends it well", b.stop() == 0)
    finally:
        b.close()
