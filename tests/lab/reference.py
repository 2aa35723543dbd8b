"""What another reader says of the same device: nmap's script, live, on the lab's scanner; or its recorded output."""
import re

from scene import RECORDINGS
from wire import Sent

SCANNER, SCANNER_MAC = "10.20.30.7", "02:20:30:00:00:07"
ALL_VALUES = "Device identification" # a line that holds all the values, one after the other
SCRIPT_LIMIT = "20s" # some of them wait for ever for a device that does not know their question


class Reference:
    """nmap's scripts from a machine of their own, each run counted on the wire."""

    def __init__(self, scene, wire):
        self.scene, self.wire = scene, wire
        self.machine = scene.machine("scanner", SCANNER, SCANNER_MAC)
        self.scripts = self.machine.run("ls", "/usr/share/nmap/scripts", check=False).stdout.split()

    def nmap(self, machine, *options, timeout=300):
        """One run against one machine: its output, and what it sent."""
        start = self.wire.update() and self.wire.packets[-1].time
        # What was sent until the limit counts; a run that is ended there would have sent more.
        done = self.machine.run("timeout", timeout, "nmap", "-Pn", "-n", "--script-timeout", SCRIPT_LIMIT, *options, machine["ip"], check=False,
                                timeout=timeout + 20)
        sent = Sent([p for p in self.wire.since(start)], SCANNER_MAC, machine["mac"])
        return done.stdout, sent

    def has(self, machine):
        return "nse" in machine and machine["nse"]["script"] + ".nse" in self.scripts

    def script(self, machine):
        """The script of the machine's protocol: output and what was sent, or (None, None) when it isn't installed."""
        if not self.has(machine):
            return None, None
        nse = machine["nse"]
        more = ["--script-args", nse["args"]] if "args" in nse else []
        udp = ["-sU"] if machine["transport"] == "udp" else []
        return self.nmap(machine, *udp, "-p", str(machine["port"]), "--script", "+" + nse["script"], *more)

    def recorded(self, machine):
        """The outputs that lie with a recording, or "" ."""
        folder = RECORDINGS / machine.get("recording", "-")
        return "\n".join(p.read_text(errors="replace") for p in sorted(folder.glob("*output.txt"))) if folder.is_dir() else ""


def values_of(output, key):
    """All values that stand under `key` in a script's output."""
    found = []
    for line in output.splitlines():
        match = re.match(r"^[|_\s]*" + re.escape(key) + r"\s*:\s*(.+)$", line)
        if match:
            found.append(match.group(1).strip())
    return found


def plain(text):
    return re.sub(r"[^a-z0-9.]+", " ", str(text).casefold()).strip()


def number_of(text):
    match = re.search(r"0x([0-9a-fA-F]+)", str(text))
    return int(match.group(1), 16) if match else None


def same(theirs, ours):
    """Equal, or one says what the other says and more ("Vendor (1)", "CJ2M-CPU33   02.00")."""
    a, b = plain(theirs), plain(ours)
    if not a or not b:
        return False
    if a == b or b in a or a in b:
        return True
    if number_of(theirs) is not None and number_of(theirs) == number_of(ours):
        return True
    # 2.3 and 2.03 are one version: the parts are numbers.
    parts = [[int(n) for n in text.split(".")] if re.fullmatch(r"\d+(\.\d+)+", text) else None for text in (a, b)]
    return parts[0] is not None and parts[0] == parts[1]


def compare(machine, output, attributes):
    """For each value that the reference read: (key, theirs, ours or None). `attributes`: [(name, value)]."""
    result = []
    for key, names in machine.get("reads", []):
        for theirs in values_of(output, key):
            ours = [v for n, v in attributes if n in names]
            together = " ".join(v for name in names for n, v in attributes if n == name)
            hits = [v for v in ours if same(theirs, v)] if len(names) == 1 or key != ALL_VALUES else [together] * (plain(together) == plain(theirs))
            result.append((key, theirs, hits[0] if hits else None))
    return result
