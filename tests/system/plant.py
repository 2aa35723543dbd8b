"""A plant in a network namespace of its own, a sensor on its SPAN port, and what tests ask of both.

A bridge that ages its addresses at once floods like a hub, so a veth on it sees all: a SPAN port.
Devices are frames that this module writes; nothing here reaches the machine's own network.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

try:
    import redis
    import validate
except ImportError:
    sys.exit("tests/system: needs python3-redis and python3-jsonschema, and Debian's python3 (/usr/bin/python3)")

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from cases import Cases, run
from waiting import Failure, require, wait_for

SENSOR = "plant-1"
KEY = "askance:{" + SENSOR + "}:"
PROCESSES = ("capture", "engine", "hub", "prober", "redis-server", "supervisor")
CLONE_NEWNET = 0x40000000
BROADCAST = b"\xff" * 6


def as_root():
    """These tests make namespaces; a user calls them through sudo."""
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "-E", sys.executable, *sys.argv])


def build_folder(*targets):
    """The build to test: ASKANCE_BUILD, or ROOT/build, which is made when it lacks something."""
    folder = pathlib.Path(os.environ.get("ASKANCE_BUILD", ROOT / "build")).resolve()
    wanted = ["askance", *(f"askance-{p}" for p in PROCESSES if p != "redis-server"), *targets]
    there = [folder / "askance", *(folder / "libexec/askance" / t for t in wanted[1:6])]
    if not all(p.exists() for p in there) or any(not (folder / "tests/system" / t).exists() for t in targets):
        if not (folder / "build.ninja").exists():
            subprocess.run(["cmake", "-G", "Ninja", "-B", folder, "-S", ROOT], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", folder, *wanted], check=True, stdout=subprocess.DEVNULL)
    return folder


def arp(number):
    """The announcement of device `number` (below 65536): its MAC and its address in one frame."""
    mac = b"\x02\x00\x5e\x10" + struct.pack(">H", number)
    ip = b"\x0a\x14" + struct.pack(">H", number)
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac + ip + bytes(6) + ip
    return BROADCAST + mac + b"\x08\x06" + body + bytes(18)


def udp(number, source_port, port, payload):
    """A datagram from device `number` to its neighbour."""
    eth = b"\x02\x00\x5e\x10" + struct.pack(">H", number + 1) + b"\x02\x00\x5e\x10" + struct.pack(">H", number) + b"\x08\x00"
    ends = b"\x0a\x14" + struct.pack(">H", number) + b"\x0a\x14" + struct.pack(">H", number + 1)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), number, 0, 64, 17, 0) + ends
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack(">H", 0xffff & ~((total & 0xffff) + (total >> 16))) + head[12:]
    return (eth + head + struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload).ljust(60, b"\0")


def mac_text(number):
    return f"02-00-5E-10-{number >> 8:02X}-{number & 255:02X}"


class Plant:
    """The namespace, the bridge, and the folder of the sensor under test. With port_of it is one more sensor on that plant's port."""

    def __init__(self, build, settings="", port_of=None):
        self.build = build
        self.port_of = port_of
        self.name = port_of.name if port_of else f"askance-{os.getpid()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="askance."))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.log = self.folder / "log"
        self.config = self.folder / "askance.yaml"
        self.config.write_text(
            f"sensor: {{name: {SENSOR}, zone: hall-3}}\ncapture: [{{interface: span0}}]\n"
            f"state: {self.state}\nrules: {ROOT}/rules\n{settings}")
        self.supervisor = None
        self.before = ()  # a command that runs the sensor

    def __enter__(self):
        if self.port_of:
            return self
        self.run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "br0", "type", "bridge", "ageing_time", "0", "mcast_snooping", "0")
        for port in ("plc", "hmi", "span"):
            self.ip("link", "add", f"{port}0", "type", "veth", "peer", "name", f"{port}b")
            self.ip("link", "set", f"{port}b", "master", "br0")
        # What the kernel says of itself over IPv6 would be no word of the sensor's.
        for name in ("br0", *(p + e for p in ("plc", "hmi", "span") for e in "0b")):
            self.inside("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
            self.ip("link", "set", name, "up")
        wait_for(lambda: self.forwards("spanb") and self.forwards("plcb"), 10, "the bridge does not come up")
        return self

    def __exit__(self, mistake, *_):
        self.kill()
        if not self.port_of:
            subprocess.run(["ip", "netns", "del", self.name], check=False)
        fault = validate.first_fault_of_store(self.state / "askance.db")
        if os.environ.get("ASKANCE_KEEP"):
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if fault and not mistake:
            raise Failure(f"a document of the sensor is not as its schema says: {fault}")

    def run(self, *command):
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def ip(self, *command):
        return self.run("ip", "-n", self.name, *command)

    def inside(self, *command):
        return self.run("ip", "netns", "exec", self.name, *command)

    def forwards(self, port):
        return "state forwarding" in self.inside("bridge", "link", "show", "dev", port)

    def sent_by(self, interface):
        """Frames that left the machine's end of a port, by the kernel's count."""
        link = json.loads(self.ip("-s", "-j", "link", "show", interface))[0]
        return link["stats64"]["tx"]["packets"]

    def socket(self, interface):
        """A raw socket in the plant, of this process, which itself stays outside."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{self.name}", "rb") as there:
            require(libc.setns(there.fileno(), CLONE_NEWNET) == 0, "setns")
            try:
                s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                s.bind((interface, 0))
            finally:
                require(libc.setns(home.fileno(), CLONE_NEWNET) == 0, "setns back")
        return s

    # -- the sensor

    def replace(self, process, program):
        """Runs a copy of the build in which that process is another program, of a test's own."""
        copy = self.folder / "build"
        shutil.copytree(self.build / "libexec", copy / "libexec")
        shutil.copy(self.build / "askance", copy / "askance")
        shutil.copy(program, copy / f"libexec/askance/askance-{process}")
        self.build = copy

    def start(self, ready=True):
        heard = self.said("askance: listening on span0")
        self.supervisor = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *self.before, self.build / "askance", "run", "--config", self.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "ab"))
        if ready:
            wait_for(lambda: self.said("askance: listening on span0") > heard or self.ended(), 30, "the sensor does not say that it listens")
            require(not self.ended(), f"the sensor ended at its start: {self.words()}")
            wait_for(lambda: len(self.processes()) == len(PROCESSES), 10, "not all processes run")

    def ended(self):
        return self.supervisor.poll() is not None

    def words(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def said(self, sentence):
        return self.words().count(sentence)

    def processes(self):
        """Name -> pid of all that live."""
        found = {}
        if not self.supervisor or self.ended():
            return found
        found["supervisor"] = self.supervisor.pid
        for pid in children_of(self.supervisor.pid):
            name = name_of(pid)
            if name:
                found[name] = pid
        return found

    def stop(self, seconds=60):
        """Ends the sensor as systemd would. Its exit code."""
        self.supervisor.send_signal(signal.SIGTERM)
        try:
            return self.supervisor.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"the sensor does not end: {self.words()[-2000:]}") from None

    def kill(self):
        """Nothing may stay: each by its pid, the supervisor first so that it starts none again."""
        left = self.processes()
        for name in ("supervisor", *(n for n in left if n != "supervisor")):
            if name in left:
                try:
                    os.kill(left[name], signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if self.supervisor:
            self.supervisor.wait(20)
        gone = lambda: not any(alive(pid) for pid in left.values())
        wait_for(gone, 20, "a process outlives the supervisor")

    def redis(self, timeout=5):
        return redis.Redis(unix_socket_path=str(self.state / "redis.sock"), socket_timeout=timeout)

    def events(self):
        """All of the stream, oldest first: (number in the stream's ID, document)."""
        entries, at, r = [], "-", self.redis(30)
        while True:
            some = r.xrange(KEY + "ev", min=at, count=5000)
            if not some:
                return entries
            entries += [(int(i.split(b"-")[1]), json.loads(f[b"body"])) for i, f in some]
            at = "(" + some[-1][0].decode()


def children_of(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    name = name.removeprefix("askance-")
    return name if name in PROCESSES else None


def alive(pid):
    """Lives, and is no zombie whose parent has not looked yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def observed(document):
    """The MACs of an asset-observed event, else nothing."""
    if document["event"]["action"] != "asset-observed":
        return []
    return document["host"]["mac"]


class Announcer(threading.Thread):
    """Devices that never stop to announce themselves; there are more of them as time goes on. With new_every=1 each speaks once."""

    def __init__(self, plant, per_second=200, new_every=5, first=0):
        super().__init__(daemon=True)
        self.wire = plant.socket("plc0")
        self.gap = 1 / per_second
        self.new_every = new_every
        self.first = first
        self.devices = 0
        self.over = threading.Event()

    def run(self):
        sent, at = 0, 0
        while not self.over.wait(self.gap):
            if sent % self.new_every == 0 and self.devices < 60000:
                self.devices += 1
                self.wire.send(arp(self.first + self.devices - 1))
            else:
                self.wire.send(arp(self.first + at % self.devices))
                at += 1
            sent += 1

    def stop(self):
        self.over.set()
        self.join(10)

    def numbers(self):
        return range(self.first, self.first + self.devices)

    def call_all(self):
        """A last word from everybody, slowly enough for the slowest machine."""
        for number in self.numbers():
            self.wire.send(arp(number))
            if number % 10 == 0:
                time.sleep(0.005)
