"""The ways in and out: who may come in over TLS, and a Redis that is not on a UNIX socket."""
import datetime
import json
import os
import signal
import ssl
import http.client
import subprocess

import api
from bench import KEY, SENSOR, Bench, Failure, free_port, wait_for


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-subj", f"/CN={name}", "-keyout", self.path("key"), "-out", self.path("pem"))

    def path(self, kind):
        return self.folder / f"{self.name}.{kind}"

    def sign(self, name, subject, extension, days=2):
        """A certificate and its key: two files."""
        base = self.folder / f"{self.name}-{name}"
        crt, key, csr, ext = (base.with_name(f"{base.name}.{k}") for k in ("pem", "key", "csr", "ext"))
        ext.write_text(extension + "\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject, "-keyout", key, "-out", csr)
        openssl("x509", "-req", "-in", csr, "-CA", self.path("pem"), "-CAkey", self.path("key"), "-CAcreateserial", "-days", days, "-extfile", ext, "-out", crt)
        return crt, key


def call(b, authority, client, path="/api/about", host="console.plant", method="GET", body=None, headers=None, version=None):
    """(status, answer) or ("refused", why)."""
    context = ssl.create_default_context(cafile=str(authority.path("pem")))
    context.check_hostname = False
    if client:
        context.load_cert_chain(*map(str, client))
    if version:
        context.maximum_version = version
    c = http.client.HTTPSConnection("127.0.0.1", b.port, context=context, timeout=10)
    try:
        c.request(method, path, body, {"Host": host, **(headers or {})})
        r = c.getresponse()
        return r.status, json.loads(r.read())
    except (ssl.SSLError, ConnectionError, http.client.HTTPException, TimeoutError) as why:
        return "refused", str(why)
    finally:
        c.close()


def expired(authority, folder):
    """faketime is not needed: a certificate may say when it began and ended."""
    crt, key = authority.sign("old", "/CN=old", "extendedKeyUsage=clientAuth")
    csr, ext = folder / "console-old.csr", folder / "console-old.ext"
    (folder / "index").write_text("")
    (folder / "serial").write_text("77\n")
    (folder / "ca.cnf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
    day = datetime.datetime.now(datetime.timezone.utc)
    when = lambda days: (day - datetime.timedelta(days)).strftime("%y%m%d%H%M%SZ")
    openssl("ca", "-batch", "-config", folder / "ca.cnf", "-cert", authority.path("pem"), "-keyfile", authority.path("key"), "-in", csr, "-extfile", ext, "-startdate", when(3), "-enddate", when(1), "-out", crt)
    return crt, key


def logins(cases, b):
    ours, other = Authority(b.folder, "console"), Authority(b.folder, "other")
    door = ours.sign("door", "/CN=console.plant", "subjectAltName=DNS:console.plant,IP:127.0.0.1\nextendedKeyUsage=serverAuth")
    ada = ours.sign("ada", '/O=Plant/CN=ada\nlong "name"', "extendedKeyUsage=clientAuth")
    strangers = {"nobody": None, "another authority's": other.sign("eve", "/CN=ada", "extendedKeyUsage=clientAuth"), "a server's": door, "an old one": expired(ours, b.folder)}
    b.start("--tls-cert", door[0], "--tls-key", door[1], "--client-ca", ours.path("pem"))
    status, answer = call(b, ours, ada)
    cases.check("who has a certificate comes in, and is named", status == 200 and "CN=ada" in answer["user"] and "\n" not in answer["user"], answer)
    for name, client in strangers.items():
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            status, answer = call(b, ours, client, version=version)
            cases.check(f"{name}, {version.name}: does not come in", status == "refused", f"{status} {answer}")
    status, answer = call(b, ours, ada, version=ssl.TLSVersion.TLSv1_1)
    cases.check("TLS 1.1 is not spoken", status == "refused", answer)
    for host, status in (("console.plant", 200), ("127.0.0.1", 200), ("CONSOLE.plant:443", 200), ("localhost", 421), ("evil.example", 421), ("plant", 421)):
        cases.check(f"Host '{host}': {status}", call(b, ours, ada, host=host)[0] == status)
    send = lambda origin: call(b, ours, ada, "/api/command", method="POST", body='{"command":"stop"}', headers={"Content-Type": "application/json", "Origin": origin})[0]
    cases.check("a command from the page over TLS", send("https://console.plant") == 202)
    cases.check("and none from one without TLS, or elsewhere", send("http://console.plant") == 403 and send("https://evil.example") == 403)
    words = [line for line in b.words().splitlines() if "POST /api/command: 202" in line]
    cases.check("the log says whose command it was", len(words) == 1 and 'CN=ada' in words[0], words[:1])
    said = b.raw(b"GET /api/about HTTP/1.1\r\nHost: console.plant\r\n\r\n", 2)
    cases.check("without TLS nothing is told", b"200" not in said and b"version" not in said, said[:40])
    cases.check("and it ends well", b.stop() == 0)
    return ours, door


def refusals(cases, b, ours, door):
    """It does not start where that would be unsafe, and says why."""
    pem = ours.path("pem")
    for name, words, says in (
        ("an address that others reach", ["--listen", f"0.0.0.0:{b.port}"], "--client-ca"), ("of IPv6 too", ["--listen", f"[::]:{b.port}"], "--client-ca"),
        ("half of TLS", ["--tls-cert", door[0], "--tls-key", door[1]], "go together"), ("no such file", ["--tls-cert", "/none", "--tls-key", door[1], "--client-ca", pem], "/none"),
        ("a key of another", ["--tls-cert", door[0], "--tls-key", ours.path("key"), "--client-ca", pem], "belong together"), ("no certificate in it", ["--tls-cert", door[1], "--tls-key", door[1], "--client-ca", pem], "door.key"),
        ("a name", ["--listen", "localhost:8080"], "not a name"), ("no port", ["--listen", "127.0.0.1"], "no address"), ("no number", ["--listen", "127.0.0.1:http"], "not a name"),
        ("another's address", ["--listen", f"192.0.2.1:{b.port}", "--tls-cert", door[0], "--tls-key", door[1], "--client-ca", pem], "192.0.2.1"),
    ):
        done = subprocess.run([b.build / "askance", "console", "--redis", b.url(), "--sensor", SENSOR, *map(str, words)], capture_output=True, text=True, timeout=20)
        cases.check(f"{name}: does not start", done.returncode == 2 and says in done.stderr, f"{done.returncode} {done.stderr.strip()[-160:]}")
    b.start()
    done = subprocess.run([b.build / "askance", "console", "--redis", b.url(), "--sensor", SENSOR, "--listen", f"127.0.0.1:{b.port}"], capture_output=True, text=True, timeout=20)
    cases.check("a port in use: does not start", done.returncode == 2 and "in use" in done.stderr, done.stderr.strip()[-100:])
    b.stop()
    done = subprocess.run([b.build / "libexec/askance/askance-console"], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    cases.check("its process started by hand says who starts it", done.returncode == 2 and "askance console" in done.stderr, done.stderr.strip())


def children(b):
    found = {}
    for pid in open(f"/proc/{b.console.pid}/task/{b.console.pid}/children").read().split():
        found[open(f"/proc/{pid}/comm").read().strip()] = int(pid)
    return found


def elsewhere(cases, b):
    """A Redis over TCP is reached through a relay, which the console can do without for a while."""
    port = free_port()
    b.root.config_set("bind", "127.0.0.1")
    b.root.config_set("port", port)
    b.url = lambda: f"redis://console:pw@127.0.0.1:{port}"
    b.start()
    about = lambda: b.get("/api/about").json()
    wait_for(lambda: about()["redis"] == "streaming", 15, "Redis over TCP is not reached")
    cases.check("Redis over TCP is reached", b.post({"command": "stop"}).status == 202)
    os.kill(children(b)["askance-relay"], signal.SIGKILL)
    wait_for(lambda: about()["redis"] != "streaming", 15, "a dead relay is not noticed")
    wait_for(lambda: about()["redis"] == "streaming", 20, "a dead relay is not replaced")
    cases.check("a relay that dies is replaced", b.post({"command": "stop"}).status == 202)
    pids = list(children(b).values())
    cases.check("the end of one is the end of all", b.stop() == 0 and not any(os.path.exists(f"/proc/{p}") for p in pids))
    cases.check("and leaves nothing behind", not [p for p in os.listdir(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") if p.startswith("askance-console.") and p.count(".") == 1 and os.path.exists(f"/tmp/{p}/relay.sock")])


def run(cases, build):
    b = Bench(build)
    try:
        b.root.xadd(KEY + "ev", {"body": api.event("probe", "one")})
        ours, door = logins(cases, b)
        refusals(cases, b, ours, door)
        elsewhere(cases, b)
    finally:
        b.close()
