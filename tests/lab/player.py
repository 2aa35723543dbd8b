#!/usr/bin/python3
"""Plays a recorded device: its answers are a real device's bytes, which question gets which answer is decided here.

usage: player.py ADDRESS JSON       JSON: {"recordings": [PCAP...], "transport", "port", "recorded_port", "greets", "pairs", "echo", "sum", "speed"}

A question gets the answer to that recorded one of the same length it equals most, if enough of it is equal. Where
it differs, and the recorded answer repeated the recorded question's bytes at the same place, the new bytes are
repeated: transaction numbers. `echo` names other places [in question, in answer, bytes], `echo_of` those of questions of one length; `sum` computes a
checksum anew. `pairs` [[question, answer]] in hex are ours, from the specification, for the cyclic traffic of a
master: the recordings hold only identity. `match` [[offset, hex, N]]: a question with these bytes there gets the answer
of the N-th recorded one, whatever its length. A question that fits nothing is met with silence, and logged.
"""
import json
import os
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wire import RST, SYN, TCP, UDP, PcapReader, parse_frame # noqa: E402

LIKENESS = 0.6 # of a question's bytes that must be equal


def messages(path, transport, port):
    """The recorded conversation: (from device?, bytes) in order, one list for each connection or socket pair."""
    talks = {}
    for record in PcapReader(path).more():
        p = parse_frame(*record)
        if p.protocol != (TCP if transport == "tcp" else UDP) or not p.payload or p.flags & (RST | SYN):
            continue
        # A device may answer from another port than it was asked at, and be asked there from then on.
        device = (p.ip_dst, p.dport) in talks or p.sport == port
        if not device and p.dport != port and (p.ip_src, p.sport) not in talks:
            continue
        key = (p.ip_dst, p.dport) if device else (p.ip_src, p.sport)
        talk = talks.setdefault(key, [])
        if transport == "tcp" and talk and talk[-1][0] == device and device:
            talk[-1] = (device, talk[-1][1] + [p.payload], p.sport)
        else:
            talk.append((device, [p.payload], p.sport))
    return list(talks.values())


def crc_dnp(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA6BC if crc & 1 else crc >> 1
    return struct.pack("<H", crc ^ 0xFFFF)


def sum_dnp3(frame):
    """Link header and each block of 16 bytes end in a CRC."""
    out, at = frame[:8] + crc_dnp(frame[:8]), 10
    while at < len(frame):
        block = frame[at:at + 18][:-2]
        out, at = out + block + crc_dnp(block), at + 18
    return out


def crc_ccitt(frame):
    crc = 0xFFFF
    for byte in frame[:-2]:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
    return frame[:-2] + struct.pack(">H", crc & 0xFFFF)


SUMS = {"dnp3": sum_dnp3, "c37": crc_ccitt, None: lambda frame: frame}


class Book:
    """Questions and their answers."""

    def __init__(self, spec):
        self.spec, self.pairs, self.greeting = spec, [], []
        for path in spec.get("recordings", []):
            for talk in messages(path, spec["transport"], spec.get("recorded_port", spec["port"])):
                self.add(talk)
        for question, answer in spec.get("pairs", []):
            self.pairs.append((bytes.fromhex(question), [bytes.fromhex(a) for a in ([answer] if isinstance(answer, str) else answer)], None))
        if not self.pairs:
            sys.exit("player: no question with an answer in " + str(spec.get("recordings")))

    def add(self, talk):
        question = None
        for device, parts, port in talk:
            if not device:
                question = parts[0]
            elif question is None:
                if self.spec.get("greets"):
                    self.greeting = parts
            else:
                self.pairs.append((question, parts, None if port == self.spec.get("recorded_port", self.spec["port"]) else port))
                question = None

    def answer(self, asked):
        """The answer's parts and the port it came from, or None."""
        best, score = None, LIKENESS
        for question, parts, port in self.pairs:
            if len(question) != len(asked):
                continue
            equal = sum(a == b for a, b in zip(question, asked)) / len(asked)
            if equal >= score and (best is None or equal > score):
                best, score = (question, parts, port), equal
        best = self.matched(asked) or best
        if best is None:
            return None
        question, parts, port = best
        return [self.adapt(question, asked, part) for part in parts], port

    def matched(self, asked):
        for offset, text, number in self.spec.get("match", []):
            if asked[offset:].startswith(bytes.fromhex(text)):
                return self.pairs[number]
        return None

    def adapt(self, question, asked, part):
        out = bytearray(part)
        places = self.spec.get("echo_of", {}).get(str(len(asked)), self.spec.get("echo"))
        if places is not None:
            for there, here, count in places:
                if len(out) >= here + count:
                    out[here:here + count] = asked[there:there + count]
        else:
            for i in range(min(len(asked), len(out), len(question))):
                if asked[i] != question[i] and out[i] == question[i]:
                    out[i] = asked[i]
        return SUMS[self.spec.get("sum")](bytes(out))

    def lengths(self):
        return sorted({len(q) for q, _, _ in self.pairs}, reverse=True)


def log(text):
    print(f"{time.time():.3f} {text}", flush=True)


def take_question(book, buffer):
    """Cuts one question off the stream: the longest known length whose bytes are answered."""
    if buffer and book.matched(buffer):
        return book.answer(buffer), b""
    for length in book.lengths():
        if len(buffer) >= length:
            found = book.answer(buffer[:length])
            if found:
                return found, buffer[length:]
    return None, buffer


def serve_connection(book, connection, peer):
    buffer = b""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        for part in book.greeting:
            connection.sendall(part)
        while True:
            data = connection.recv(65536)
            if not data:
                break
            buffer += data
            found, buffer = take_question(book, buffer)
            if not found and len(buffer) >= book.lengths()[-1]:
                log(f"unknown from {peer[0]}: {buffer.hex()}")
                buffer = b""
            while found:
                for part in found[0]:
                    connection.sendall(part)
                found, buffer = take_question(book, buffer)
    except OSError as e:
        log(f"{peer[0]}: {e}")
    connection.close()


def serve_tcp(book, address):
    listener = socket.create_server((address, book.spec["port"]), backlog=16)
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=serve_connection, args=(book, connection, peer), daemon=True).start()


def serve_udp(book, address):
    sockets = {}
    for port in {book.spec["port"], *(p for _, _, p in book.pairs if p)}:
        sockets[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets[port].bind((address, port))
    while True:
        for s in select.select(list(sockets.values()), [], [])[0]:
            data, peer = s.recvfrom(65536)
            found = book.answer(data)
            if not found:
                log(f"unknown from {peer[0]}: {data.hex()}")
                continue
            for part in found[0]:
                sockets.get(found[1], s).sendto(part, peer)


if __name__ == "__main__":
    spec = json.loads(sys.argv[2])
    (serve_tcp if spec["transport"] == "tcp" else serve_udp)(Book(spec), sys.argv[1])
