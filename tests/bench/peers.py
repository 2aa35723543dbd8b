"""The programs that the bench compares: how each is run over a capture, and where it says how many packets it took."""
import os
import re
import shutil
import subprocess

MEMORY_BYTES = 12 << 30  # a program that wants more is ended: the machine is left to the others
PATTERNS = "/usr/share/nmap/nmap-service-probes"
LIMIT = rb"packets (\d+)"
# By name: the command before the capture's path, what it says of the packets it took, and the filter that it looks through.
# {scratch} is a folder for what it insists on writing. None is asked for more than reading needs: ndpiReader ends with its
# summary, Suricata runs in one thread without rules and without its log of events, tshark dissects only when something
# is to be counted.
INSTALLED = {
    "ndpiReader": (["-i"], rb"of (\d+) packets total", None),
    "suricata": (["--runmode", "single", "-S", "/dev/null", "-l", "{scratch}", "-k", "none", "--set", "outputs.1.eve-log.enabled=no",
                  "--set", "stats.enabled=no", "-r"], rb"read \d+ files?, (\d+) packets", None),
    "p0f": (["-o", "{scratch}/p0f.log", "-r"], rb"Processed (\d+) packets", "tcp or (vlan and tcp)"),
    "prads": (["-l", "{scratch}/prads.log", "-r"], rb"received from libpcap\s*:\s*(\d+)", None),
    "tshark": (["-n", "-q", "-z", "io,stat,0", "-r"], rb"<>[^|]*\|\s*(\d+) \|", None),
}

COLUMNS = ["L0", "L1", "L2", "L3", "askance, plain", *INSTALLED]


class Program:
    def __init__(self, command, said=None, filtered=None, path=None):
        self.command = command
        self.said = said          # None: that it ends well says that it read all
        self.filtered = filtered
        self.path = path          # of another capture than the others'

    def line(self):
        """The command before the capture's path."""
        return ["prlimit", "--as=%d" % MEMORY_BYTES, "--"] + self.command

    def took(self, usage):
        """Packets that this run says it took, None where it says nothing."""
        found = re.search(self.said, usage.output + usage.errors) if self.said else None
        return int(found.group(1)) if found else None


def compile_limit(cache, shared, name, libraries, *options):
    """A limit program, None when it can't be had."""
    program, source = os.path.join(cache, name), os.path.join(shared, "bench", "limits", name + ".c")
    command = ["cc", "-O3", "-march=native", "-w", "-o", program, source, *libraries]
    made = os.path.exists(source) and subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    return Program([program, *options], LIMIT) if made else None


def all_programs(top, build, cache, shared):
    """By name. What isn't installed is left out."""
    loop = os.path.join(cache, "pcap_loop")
    subprocess.run(["cc", "-O2", "-o", loop, os.path.join(top, "tests/bench/pcap_loop.c"), "-lpcap"], check=True)
    read = [os.path.join(build, "askance"), "read", "--rules", os.path.join(top, "rules"), "--json"]
    programs = {"askance": Program(read), "L0": Program([loop], rb"^(\d+) "), "L1": compile_limit(cache, shared, "l1", []),
                "L2": compile_limit(cache, shared, "l2", ["-lpthread"]),
                "L3": compile_limit(cache, shared, "l3", ["-lndpi", "-lpthread"], "-n", "16", "-e")}
    if os.path.exists(PATTERNS):
        programs["all patterns"] = Program(read + ["--service-probes", PATTERNS])
    for name, (options, said, filtered) in INSTALLED.items():
        if shutil.which(name):
            programs[name] = Program([name, *(o.format(scratch=cache) for o in options)], said, filtered)
    return {name: p for name, p in programs.items() if p}
