"""A plant of machines in network namespaces round a flooding bridge, and a judge who hears all of it.

Everything lives in mount, network and PID namespaces of its own (enter()): nothing here reaches another
network, and when the first process ends, however it ends, the kernel ends all others and takes all away.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from waiting import PATIENCE, Failure

HERE = ROOT / "tests/lab"
RECORDINGS = ROOT.parent / "shared/recordings"
INSIDE = "ASKANCE_LAB_INSIDE"
PYTHON = "/usr/bin/python3" # Debian's: the packages are there


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for(condition, seconds, step=0.1):
    """What the condition gave, or nothing after that time, and PATIENCE times that on a machine that is shared."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        found = condition()
        if found or time.monotonic() > end:
            return found
        time.sleep(step)


def inside():
    return bool(os.environ.get(INSIDE))


def enter(limit_s):
    """Runs this program again as the first process of new namespaces; returns only inside of them."""
    if inside():
        mount = lambda *args: subprocess.run(["mount", *args], check=True)
        mount("-t", "tmpfs", "tmpfs", "/run")
        os.makedirs("/run/netns")
        # Nobody here resolves names: whoever tries is told so at once.
        (pathlib.Path(os.environ[INSIDE]) / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        mount("--bind", os.environ[INSIDE] + "/resolv.conf", os.path.realpath("/etc/resolv.conf"))
        # The first process of a PID namespace hears only signals that it has a handler for.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(130))
        return
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "-E", sys.executable, *sys.argv])
    work = tempfile.mkdtemp(prefix="askance-lab.")
    os.chmod(work, 0o755)
    child = subprocess.Popen(["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, *sys.argv], env={**os.environ, INSIDE: work}, start_new_session=True)
    stop = lambda *_: end_politely(child.pid)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        status = child.wait(limit_s)
    except subprocess.TimeoutExpired:
        say(f"lab: not done after {limit_s} s, ended")
        print("0 passed, 1 failed, 0 skipped", flush=True)
        status = 124
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        if os.environ.get("ASKANCE_KEEP"):
            say(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    sys.exit(status)


def end_politely(unshare):
    """To the first process of the namespaces alone: when unshare itself goes, the kernel kills the rest."""
    try:
        inner = [int(p) for p in pathlib.Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()]
        for pid in inner or [unshare]:
            os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        pass


def ip(*command):
    subprocess.run(["ip", *command], check=True, stdout=subprocess.DEVNULL)


class Machine:
    """A namespace with one port on the bridge, and the programs that run there."""

    def __init__(self, scene, name, address=None, mac=None, interface="eth0"):
        self.scene, self.name, self.address, self.mac, self.interface = scene, name, address, mac, interface
        self.programs = []
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        self.port(interface, address, mac)

    def port(self, interface, address=None, mac=None):
        """A port on the bridge; one without an address says nothing of its own."""
        peer = self.scene.next_port()
        ip("link", "add", peer, "type", "veth", "peer", "name", interface, "netns", self.name)
        if mac:
            ip("-n", self.name, "link", "set", interface, "address", mac)
        self.run("sysctl", "-qw", f"net.ipv6.conf.{interface}.disable_ipv6=1")
        # A veth leaves checksums and segmentation to hardware that isn't there: frames would look like nobody's.
        for where in (["ethtool"], ["ip", "netns", "exec", self.name, "ethtool"]):
            subprocess.run([*where, "-K", peer if len(where) == 1 else interface, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ip("link", "set", peer, "master", "br0", "up")
        ip("-n", self.name, "link", "set", interface, "up")
        if address:
            ip("-n", self.name, "addr", "add", f"{address}/24", "brd", "+", "dev", interface)
            ip("-n", self.name, "route", "add", "default", "dev", interface)
        return peer

    def run(self, *command, check=True, timeout=120, **more):
        return subprocess.run(["ip", "netns", "exec", self.name, *map(str, command)], check=check, capture_output=True, text=True, timeout=timeout, **more)

    def start(self, *command, label="", keep=True, **environment):
        """A program in the background, under the machine's name; `keep` when its end is a fault of the lab."""
        log = open(self.scene.work / "log" / f"{self.name}{label}", "ab")
        program = subprocess.Popen(["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"',
                                    self.name, *map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, **environment})
        if keep:
            self.programs.append(program)
        return program

    def dead(self):
        return any(p.poll() is not None for p in self.programs)

    def log(self, label=""):
        path = self.scene.work / "log" / f"{self.name}{label}"
        return path.read_text(errors="replace") if path.exists() else ""


class Scene:
    def __init__(self):
        self.work = pathlib.Path(os.environ[INSIDE])
        (self.work / "log").mkdir(exist_ok=True)
        self.machines = {}
        self.ports = 0
        ip("link", "set", "lo", "up")
        ip("link", "add", "br0", "type", "bridge", "ageing_time", "0", "mcast_snooping", "0", "stp_state", "0")
        for name in ("all", "default"):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        # A bridge keeps link-local multicast to itself: bit 14 lets LLDP through, as a hub would.
        subprocess.run(["ip", "link", "set", "br0", "type", "bridge", "group_fwd_mask", "0x4000"], stderr=subprocess.DEVNULL)
        ip("link", "set", "br0", "up")
        ip("link", "add", "judge-br", "type", "veth", "peer", "name", "judge0")
        ip("link", "set", "judge-br", "master", "br0", "up")
        ip("link", "set", "judge0", "up")

    def next_port(self):
        self.ports += 1
        return f"port{self.ports}"

    def machine(self, name, *args, **kwargs):
        self.machines[name] = Machine(self, name, *args, **kwargs)
        return self.machines[name]

    def end(self):
        """Servers are asked to end; what doesn't listen ends with the namespaces."""
        programs = [p for m in self.machines.values() for p in m.programs if p.poll() is None]
        for program in programs:
            program.terminate()


def frames_sent_by(machine, interface):
    """Frames that left the machine's end of a port, by the kernel's count."""
    link = json.loads(machine.run("ip", "-s", "-j", "link", "show", interface).stdout)[0]
    return link["stats64"]["tx"]["packets"]
