"""A Redis with the documented users, a console before it, and a client that says what no browser would."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

try:
    import redis
except ImportError:
    sys.exit("tests/console: needs python3-redis, and Debian's python3 (/usr/bin/python3)")

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from waiting import Failure, require, wait_for

SENSOR = "plant-1"
KEY = "askance:{" + SENSOR + "}:"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    def error(self):
        try:
            return self.json()["error"]
        except (ValueError, KeyError, TypeError):
            return ""


def acl_words(name, password, sensors=(SENSOR,)):
    """What ACL SETUSER takes of packaging/redis/NAME.acl; the keys of one sensor once for each of these."""
    words = []
    for word in (ROOT / f"packaging/redis/{name}.acl").read_text().replace("CHANGE-ME", password).split()[1:]:
        words += [word.replace(SENSOR, sensor) for sensor in sensors] if SENSOR in word else [word]
    return words


class Bench:
    def __init__(self, build, sensors=(SENSOR,)):
        self.build, self.sensors = build, sensors
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="askance-console."))
        self.folder.chmod(0o755)
        self.socket, self.log = self.folder / "redis.sock", self.folder / "console.log"
        self.server = self.console = None
        self.port = free_port()
        self.start_redis()

    def start_redis(self):
        self.server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "777", "--dir", self.folder,
                                        "--appendonly", "yes", "--save", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.root = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=20)
        wait_for(self.root.ping, 20, "redis-server does not start")
        self.root.execute_command("ACL", "SETUSER", *acl_words("console", "pw", self.sensors))

    def stop_redis(self):
        self.server.kill()
        self.server.wait(10)
        self.socket.unlink(missing_ok=True)

    def url(self):
        return f"unix://console:pw@{self.socket}"

    def start(self, *options):
        self.console = subprocess.Popen([self.build / "askance", "console", "--redis", self.url(), "--sensor", ",".join(self.sensors), "--listen",
                                         f"127.0.0.1:{self.port}", *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "ab"))
        before = self.words().count("listening on")
        wait_for(lambda: self.words().count("listening on") > before or self.console.poll() is not None, 20, "the console does not listen")
        require(self.console.poll() is None, f"the console ended: {self.words()}")

    def words(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self):
        if self.console and self.console.poll() is None:
            self.console.send_signal(signal.SIGTERM)
            try:
                return self.console.wait(10)
            except subprocess.TimeoutExpired:
                self.console.kill()
                return None
        return self.console and self.console.returncode

    def close(self):
        self.stop()
        self.stop_redis()
        if os.environ.get("ASKANCE_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- requests

    def ask(self, path, method="GET", body=None, headers=None, host=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if host != "":
                c.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in (headers or {}).items():
                c.putheader(name, value)
            if body is not None:
                c.putheader("Content-Length", str(len(body)))
            c.endheaders(body)
            return Answer(c.getresponse())
        finally:
            c.close()

    def get(self, path, **more):
        return self.ask(path, **more)

    def post(self, body, path="/api/command", **headers):
        fields = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{self.port}", "Sec-Fetch-Site": "same-origin"}
        fields.update({k.replace("_", "-"): v for k, v in headers.items()})
        if isinstance(body, dict):
            body = json.dumps(body)
        return self.ask(path, "POST", body.encode() if isinstance(body, str) else body, {k: v for k, v in fields.items() if v is not None})

    def raw(self, data, seconds=5):
        """Says these bytes, and gives what came back until the other side closed or was silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as s:
            s.sendall(data)
            said = b""
            try:
                while part := s.recv(65536):
                    said += part
            except TimeoutError:
                pass
            return said


class Listener:
    """One that reads events as a page does."""

    def __init__(self, bench, last=None, path="/api/events"):
        self.socket = socket.create_connection(("127.0.0.1", bench.port), timeout=20)
        goes_on = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{bench.port}\r\n{goes_on}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.head = b"".join(iter(self.file.readline, b"\r\n")).decode()
        self.pending, self.seen = b"", []

    def line(self):
        """One line of the text; chunks have no say in where lines end."""
        while b"\n" not in self.pending:
            size = int(self.file.readline(), 16)
            require(size, "the stream of events ended")
            self.pending += self.file.read(size)
            self.file.readline()
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def next(self, seconds=20):
        """The next event: (name, id, data); comments are passed over."""
        self.socket.settimeout(seconds)
        fields = {}
        while True:
            line = self.line()
            if not line and fields:
                event = (fields.get("event"), fields.get("id"), json.loads(fields["data"]))
                self.seen.append(event)
                return event
            if line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                require(name not in fields, f"the field {name} twice")
                fields[name] = value

    def until(self, name, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            event = self.next(end - time.monotonic())
            if event[0] == name:
                return event
        raise Failure(f"no event '{name}' within {seconds} s")

    def close(self):
        self.file.close()
        self.socket.close()
