"""Two network namespaces and the wire between them: a prober on one end, a device on the other, and a
capture at the device's end that alone is believed. The hub is played by play_hub."""
import ctypes
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from plant import CLONE_NEWNET, ROOT, Failure, require, wait_for

OUR_IP, ITS_IP, BLACK_IP, GONE_IP, SWAP_IP, NOBODY_IP = "10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.77"
OUR_MAC, ITS_MAC, OTHER_MAC = "02:aa:00:00:00:01", "02:aa:00:00:00:02", "02:aa:00:00:00:09"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PORTS = range(31700, 31732)
SOL_TIMESTAMPNS = 35
LIBC = ctypes.CDLL(None, use_errno=True)

POLICY = {
    "whitelist": 'allow:\n  - rules: ["*"]\n    may: propose\n    why: test\n',
    "exclusions": "never:\n  - classes: [safety]\n    why: never\n",
    "windows": "windows:\n  - {name: always, timezone: UTC, days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: \"24:00\"}\n",
    "budgets": "".join(f"{who}: {{packets_a_minute: 900000, bytes_a_minute: 90000000, connections_a_minute: 90000, "
                       "packets_a_day: 9000000, bytes_a_day: 900000000, connections_a_day: 900000}\n"
                       for who in ("target", "zone", "sensor")) +
               "cool_down_s: 0\nrepeat_days: 0\ntargets_at_once: 1\nfailures_to_stop: 100000\n",
}


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class Frame:
    """One captured frame, as far as these tests look into it."""

    def __init__(self, data, at):
        self.data, self.at = data, at
        self.destination, self.source, self.ethertype = data[:6], data[6:12], struct.unpack(">H", data[12:14])[0]
        self.ip = self.protocol = self.flags = None
        self.payload = b""
        if self.ethertype == 0x0800:
            self.read_ip(data[14:])

    def read_ip(self, ip):
        header, total = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0]
        self.protocol, body = ip[9], ip[header:total]
        self.ip = (socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20]))
        if self.protocol in (6, 17):
            self.ports = struct.unpack(">HH", body[:4])
        if self.protocol == 6:
            self.flags = body[13] & 0x3F
            self.sequence = struct.unpack(">I", body[4:8])[0]
            self.payload = body[(body[12] >> 4) * 4:]
        elif self.protocol == 17:
            self.payload = body[8:]
        else:
            self.payload = body

    def ours(self):
        return self.source == mac_bytes(OUR_MAC)

    def __repr__(self):
        return f"{'>' if self.ours() else '<'} {self.protocol or hex(self.ethertype)} {self.flags} {self.payload.hex()}"


class Wire:
    def __init__(self):
        self.near, self.far = f"probe-{os.getpid()}a", f"probe-{os.getpid()}b"
        self.frames, self.over = [], threading.Event()
        self.threads = []

    def __enter__(self):
        run = lambda *c: subprocess.run(c, check=True, capture_output=True)
        for name in (self.near, self.far):
            run("ip", "netns", "add", name)
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", self.near, "link", "add", "p0", "address", OUR_MAC, "type", "veth", "peer", "name", "d0", "address", ITS_MAC, "netns", self.far)
        for ns, dev, ip in ((self.near, "p0", OUR_IP), (self.far, "d0", ITS_IP)):
            run("ip", "-n", ns, "addr", "add", ip + "/24", "dev", dev)
            run("ip", "-n", ns, "link", "set", dev, "up")
            run("ip", "-n", ns, "link", "set", "lo", "up")
        # Packets for BLACK_IP come to a machine that is not meant and drops them; for GONE_IP it says so.
        for ip in (BLACK_IP, GONE_IP):
            run("ip", "-n", self.near, "neigh", "add", ip, "lladdr", ITS_MAC, "dev", "p0")
        run("ip", "-n", self.far, "addr", "add", SWAP_IP + "/24", "dev", "d0")
        run("ip", "netns", "exec", self.far, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=1")
        run("ip", "-n", self.far, "route", "add", "blackhole", BLACK_IP + "/32")
        run("ip", "-n", self.far, "route", "add", "unreachable", GONE_IP + "/32")
        self.thread(self.capture)
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join(3)
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "del", name], check=False)

    def enter(self):
        """This thread, and sockets that it makes, are at the device's end."""
        with open(f"/run/netns/{self.far}", "rb") as there:
            require(LIBC.setns(there.fileno(), CLONE_NEWNET) == 0, "setns")

    def thread(self, body, *args):
        def inside():
            self.enter()
            body(*args)
        t = threading.Thread(target=inside, daemon=True)
        t.start()
        self.threads.append(t)
        return t

    def capture(self):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind(("d0", 3))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        s.setsockopt(socket.SOL_SOCKET, SOL_TIMESTAMPNS, 1)
        s.settimeout(0.1)
        while not self.over.is_set():
            try:
                data, ancillary, _, _ = s.recvmsg(65536, 256)
            except TimeoutError:
                continue
            at = time.time()
            for level, kind, value in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, SOL_TIMESTAMPNS):
                    at = struct.unpack("qq", value)[0] + struct.unpack("qq", value)[1] / 1e9
            self.frames.append(Frame(data, at))

    def forget(self, ip):
        """The prober's kernel has never heard of that neighbour."""
        subprocess.run(["ip", "-n", self.near, "neigh", "del", ip, "dev", "p0"], check=False, capture_output=True)

    def mark(self):
        time.sleep(0.05)
        return len(self.frames)

    def since(self, mark, settle=0.15):
        """Frames from there on, but for ARP."""
        time.sleep(settle)
        return [f for f in self.frames[mark:] if f.ethertype != 0x0806]

    def serve(self, port, behave, udp=False):
        """A device's service: behave(connection, device) for each connection, in a thread of the far end."""
        device = Device(self, port, behave, udp)
        wait_for(lambda: device.ready, 5, "the device does not listen")
        return device


class Device:
    def __init__(self, wire, port, behave, udp):
        self.wire, self.port, self.behave, self.udp = wire, port, behave, udp
        self.ready, self.connections, self.over = False, 0, threading.Event()
        self.errors = []
        wire.thread(self.run)

    def run(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if self.udp else socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("0.0.0.0", self.port))
        self.socket.settimeout(0.1)
        if not self.udp:
            self.socket.listen(16)
        self.ready = True
        while not self.over.is_set() and not self.wire.over.is_set():
            try:
                if self.udp:
                    self.behave(self.socket, *self.socket.recvfrom(65536))
                    continue
                connection, _ = self.socket.accept()
            except (TimeoutError, ConnectionError):
                continue
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(5)
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()
        self.socket.close()

    def one(self, connection):
        try:
            self.behave(connection)
        except (OSError, TimeoutError) as e:
            self.errors.append(repr(e))
        finally:
            connection.close()

    def stop(self):
        self.over.set()
        time.sleep(0.15)


class Hub:
    """play_hub with a prober, at the near end."""

    def __init__(self, wire, build, state, rules, **settings):
        self.wire, self.build, self.state, self.rules = wire, build, state, rules
        words = {"prober": build / "libexec/askance/askance-prober", "rules": rules, "state": state, "interface": "p0", "source": OUR_IP, **settings}
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", wire.near, build / "tests/system/play_hub", *(f"{k}={v}" for k, v in words.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(state / "prober.log", "ab"), text=True, bufsize=1)
        self.lines, self.said = queue.Queue(), []
        self.heard, self.plan = [], []
        threading.Thread(target=self.listen, daemon=True).start()
        self.wait(lambda l: l.startswith("outcome 0 state") and "stopped=0" in l, 20)

    def listen(self):
        for line in self.process.stdout:
            self.said.append((time.time(), line.rstrip("\n")))
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def tell(self, words):
        self.process.stdin.write(words + "\n")

    def wait(self, wanted, seconds=15):
        """The first line from now on that is wanted."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise Failure(f"play_hub does not say it within {seconds} s; last: {self.said[-5:]}; {self.log()[-600:]}") from None
            require(line is not None, f"play_hub ended: {self.log()[-600:]}")
            if wanted(line):
                return line

    def log(self):
        return (self.state / "prober.log").read_text(errors="replace")

    def make(self, rule, ip=ITS_IP, port=0, mac=ITS_MAC, **more):
        """Makes and signs an approval. The messages of its plan, as text."""
        before = len(self.said)
        self.tell(" ".join([f"make {rule} ip={ip} port={port} mac={mac}", *(f"{k}={v}" for k, v in more.items())]))
        self.wait(lambda l: l == "done make")
        words = [l for _, l in self.said[before:]]
        require(any(l.startswith("made") and "valid=1" in l for l in words), f"no approval was made: {words}")
        self.plan = [l.split(" ", 2)[2] for l in words if l.startswith("plan ")]
        return self.plan

    def send(self):
        self.tell("send")

    def end(self, seconds=30):
        """How the run ended, or why it was refused: a dictionary."""
        return fields(self.wait(lambda l: l.startswith("outcome ") and l.split()[2] in ("ended", "refused"), seconds))

    def run(self, rule, **more):
        self.make(rule, **more)
        self.send()
        return self.end()

    def answered(self):
        return [bytes.fromhex(l.split()[1]) for _, l in self.said if l.startswith("frame ")]

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()


def fields(line):
    words = line.split(" why=")
    out = dict(w.split("=") for w in words[0].split()[3:])
    out = {k: int(v) for k, v in out.items()}
    out["type"], out["why"] = line.split()[2], words[1] if len(words) > 1 else ""
    return out


def make_rules(build, folder, analysts=("ada", "bob"), **policy):
    """A folder of rules with the shipped probes, and a policy that is wide but for what is given."""
    shutil.copytree(ROOT / "rules", folder)
    keys = ""
    for name in analysts:
        key = subprocess.run([build / "tests/system/play_hub", "--key", name], check=True, capture_output=True, text=True).stdout.strip()
        keys += f"  - {{name: {name}, key: \"{key}\", may: [low, medium, high, custom]}}\n"
    for name, text in {**POLICY, **policy}.items():
        (folder / "policy" / f"{name}.yaml").write_text(text)
    (folder / "policy" / "analysts.yaml").write_text("analysts:\n" + keys if keys else "analysts: []\n")
    return folder


def scratch():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="manners."))
    (folder / "state").mkdir()
    return folder


def tcp(frames):
    return [f for f in frames if f.protocol == 6]


def fits_plan(text, sent):
    """True when the bytes are those of the plan's text, with anything where it has a name in braces."""
    pattern = "".join(p if not p.startswith("{") else "(?:[0-9a-f]{2}){1,8}" for p in re.split(r"(\{[^}]*\})", text))
    return re.fullmatch(pattern, sent.hex()) is not None
