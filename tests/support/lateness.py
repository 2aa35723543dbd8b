"""How late this machine itself is, for the few checks that are of times: what is late by no more than this is no fault of the sensor's."""
import os
import threading
import time

REST_S = 0.02
WAKES = 5  # capture, engine, hub, Redis and the reader are each woken once, and one of them writes


class Lateness(threading.Thread):
    """What a sleeping thread that notes something on the disk waits beyond its time, again and again until it is over."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.note = os.open(folder / "lateness.note", os.O_WRONLY | os.O_CREAT, 0o600)
        self.looks = []  # (time since 1970, seconds late)
        self.over = False

    def run(self):
        while not self.over:
            before = time.monotonic()
            time.sleep(REST_S)
            os.pwrite(self.note, b"x" * 4096, 0)
            os.fsync(self.note)
            self.looks.append((time.time(), time.monotonic() - before - REST_S))

    def quantile_s(self, q):
        late = sorted(s for _, s in self.looks)
        return late[min(len(late) - 1, int(len(late) * q))]

    def worst_s(self, begin, end):
        """Between two times since 1970."""
        return max((s for at, s in self.looks if begin <= at <= end + s), default=0)
