"""CPU seconds, time by the clock, peak memory and the end of the output of one run of a command with all its processes."""
import os
import re
import signal
import subprocess
import threading
import time

LOOK_S = 0.02
BLOCK_BYTES, TAIL_BYTES = 1 << 20, 1 << 16


def tail_of(file):
    """The last bytes of a file and how many lines it had: some programs write gigabytes."""
    tail, lines = b"", 0
    while block := file.read1(BLOCK_BYTES):
        tail, lines = (tail + block)[-TAIL_BYTES:], lines + block.count(b"\n")
    return tail, lines


class Usage:
    def __init__(self, command, limit_s):
        self.peaks = {}
        started_s = time.monotonic()
        process = subprocess.Popen(["timeout", "-s", "KILL", str(limit_s)] + command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        taken = {}
        readers = [threading.Thread(target=lambda f=f: taken.__setitem__(f, tail_of(f))) for f in (process.stdout, process.stderr)]
        watcher = threading.Thread(target=self.watch, args=(process.pid,))
        for thread in readers + [watcher]:
            thread.start()
        for thread in readers:
            thread.join()
        _, status, usage = os.wait4(process.pid, 0)
        self.wall_s = time.monotonic() - started_s
        watcher.join()
        self.good = os.waitstatus_to_exitcode(status) == 0
        self.killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL  # timeout ends as its command did
        (self.output, self.lines), (self.errors, _) = taken[process.stdout], taken[process.stderr]
        self.cpu_s = usage.ru_utime + usage.ru_stime
        # Not ru_maxrss: it knows the largest process alone, and counts what was there before exec.
        self.rss_mib = (sum(self.peaks.values()) - self.peaks.get(process.pid, 0)) / 1024

    def watch(self, pid):
        while self.look_at(pid):
            time.sleep(LOOK_S)

    def look_at(self, pid):
        """False when the process is gone or has nothing more to it."""
        try:
            with open("/proc/%d/status" % pid) as f:
                peak = re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M)
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                children = [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if peak is None:
            return False
        self.peaks[pid] = max(self.peaks.get(pid, 0), int(peak.group(1)))
        for child in children:
            self.look_at(child)
        return True
