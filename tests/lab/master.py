#!/usr/bin/python3
"""A master that asks one device the same things over and over, as a controller's cycle does, and tells what failed.

usage: master.py ADDRESS JSON       JSON: {"transport", "port", "cycle": [HEX...], "period_s", "hello": [HEX...], "count": [OFFSET...]}

`hello` is said once on each connection and answered. Bytes at `count` are a number that goes up with each question.
Every cycle that was late, wrong or lost is one line on stdout.
"""
import json
import socket
import sys
import time

TIMEOUT_S = 2.0


def log(text):
    print(f"{time.time():.3f} {text}", flush=True)


class Link:
    def __init__(self, address, spec):
        self.peer, self.udp, self.number = (address, spec["port"]), spec["transport"] == "udp", 0
        self.count = spec.get("count", [])
        kind = socket.SOCK_DGRAM if self.udp else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.settimeout(TIMEOUT_S)
        if self.udp:
            self.socket.bind(("", spec.get("from_port", 0)))
        else:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.connect(self.peer)
        for text in spec.get("hello", []):
            self.ask(text)

    def ask(self, text):
        question = bytearray.fromhex(text)
        self.number = (self.number + 1) % 200
        for offset in self.count:
            question[offset] = self.number
        if self.udp:
            self.socket.sendto(question, self.peer)
            return self.socket.recvfrom(65536)[0]
        self.socket.sendall(question)
        answer = self.socket.recv(65536)
        if not answer:
            raise ConnectionError("closed by the device")
        return answer


def main():
    address, spec = sys.argv[1], json.loads(sys.argv[2])
    link, period = None, spec.get("period_s", 0.5)
    while True:
        start = time.monotonic()
        try:
            link = link or Link(address, spec)
            for text in spec["cycle"]:
                link.ask(text)
        except OSError as e:
            log(f"lost: {e}")
            if link:
                link.socket.close()
            link = None
        time.sleep(max(0.02, period - (time.monotonic() - start)))


main()
