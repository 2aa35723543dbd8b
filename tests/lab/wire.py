"""What was on the wire: the judge's capture of the bridge, read while it grows, and counts over it."""
import collections
import socket
import struct
import subprocess
import time

ETHER, IPV4, TCP, UDP, ICMP = 14, 0x0800, 6, 17, 1
FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16

Packet = collections.namedtuple("Packet", "time src dst type length protocol ip_src ip_dst sport dport flags seq ack payload ip_bytes")


def mac_text(raw):
    return ":".join(f"{b:02x}" for b in raw)


def parse_frame(when, frame, length):
    """One frame; fields that it hasn't are None or 0. VLAN tags are passed over."""
    dst, src, kind, at = mac_text(frame[0:6]), mac_text(frame[6:12]), struct.unpack(">H", frame[12:14])[0], ETHER
    while kind in (0x8100, 0x88A8) and len(frame) >= at + 4:
        kind, at = struct.unpack(">H", frame[at + 2:at + 4])[0], at + 4
    other = Packet(when, src, dst, kind, length, None, None, None, 0, 0, 0, 0, 0, frame[at:], length - at)
    if kind != IPV4 or len(frame) < at + 20:
        return other
    head, total, protocol = (frame[at] & 15) * 4, struct.unpack(">H", frame[at + 2:at + 4])[0], frame[at + 9]
    sides = [socket.inet_ntoa(frame[at + 12:at + 16]), socket.inet_ntoa(frame[at + 16:at + 20])]
    body = frame[at + head:at + total]
    sport = dport = flags = seq = ack = 0
    if protocol == TCP and len(body) >= 20:
        sport, dport, seq, ack, offset, flags = struct.unpack(">HHIIBB", body[:14])
        body = body[(offset >> 4) * 4:]
    elif protocol == UDP and len(body) >= 8:
        sport, dport = struct.unpack(">HH", body[:4])
        body = body[8:]
    return Packet(when, src, dst, kind, length, protocol, *sides, sport, dport, flags, seq, ack, body, total)


class PcapReader:
    """A pcap file that may still grow; each call of more() gives what is new."""

    def __init__(self, path):
        self.file, self.rest, self.order, self.nano = open(path, "rb"), b"", None, False

    def more(self):
        self.rest += self.file.read()
        if self.order is None:
            if len(self.rest) < 24:
                return
            self.order = "<" if self.rest[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
            self.nano = b"\x4d\x3c\xb2\xa1" in (self.rest[:4], self.rest[:4][::-1])
            self.rest = self.rest[24:]
        at, data = 0, self.rest
        while at + 16 <= len(data):
            seconds, part, have, length = struct.unpack(self.order + "IIII", data[at:at + 16])
            if at + 16 + have > len(data):
                break
            yield seconds + part / (1e9 if self.nano else 1e6), data[at + 16:at + 16 + have], length
            at += 16 + have
        self.rest = data[at:]


class Wire:
    """The capture of everything that the bridge floods."""

    def __init__(self, scene, interface="judge0"):
        self.path = scene.work / "wire.pcap"
        self.tool = subprocess.Popen(["tcpdump", "-i", interface, "--immediate-mode", "-U", "-n", "-Z", "root", "-B", "16384", "-s", "0", "-w", str(self.path)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(scene.work / "log" / "tcpdump", "wb"))
        end = time.monotonic() + 10
        while not (self.path.exists() and self.path.stat().st_size >= 24):
            if time.monotonic() > end or self.tool.poll() is not None:
                raise RuntimeError("tcpdump does not capture: " + (scene.work / "log" / "tcpdump").read_text())
            time.sleep(0.05)
        self.reader = PcapReader(self.path)
        self.packets = []

    def update(self):
        """All packets until now. What was sent a moment ago is on its way to the file: it is waited for."""
        time.sleep(0.3)
        self.packets += [parse_frame(*record) for record in self.reader.more() if len(record[1]) >= ETHER]
        return self.packets

    def since(self, start, end=None):
        return [p for p in self.update() if p.time >= start and (end is None or p.time < end)]


class Sent:
    """What one machine sent to another: IP packets (or frames of a layer-2 protocol), bytes of them, connections, faults."""

    def __init__(self, packets, source_mac, target_mac, arp=False):
        mine = [p for p in packets if p.src == source_mac and (p.dst == target_mac) and (arp or p.type != 0x0806)]
        self.list = mine
        self.packets = len(mine)
        self.bytes = sum(p.ip_bytes for p in mine)
        self.payload_bytes = sum(len(p.payload) for p in mine)
        self.payloads = [p.payload for p in mine if p.payload and p.protocol in (TCP, UDP)]
        self.connections = len({(p.sport, p.dport, p.seq) for p in mine if p.protocol == TCP and p.flags & (SYN | ACK) == SYN})
        self.resets = sum(1 for p in mine if p.protocol == TCP and p.flags & RST)
        self.syns = sum(1 for p in mine if p.protocol == TCP and p.flags & (SYN | ACK) == SYN)
        self.retries = self.count_repeats(mine)

    @staticmethod
    def count_repeats(packets):
        """Segments sent again, SYNs and payloads: what the network or our impatience repeated."""
        seen, again = set(), 0
        for p in packets:
            if p.protocol == TCP and (p.payload or p.flags & (SYN | FIN)):
                key = (p.sport, p.dport, p.seq, len(p.payload), p.flags & (SYN | FIN))
                again += key in seen
                seen.add(key)
        return again


def endings(packets, source_mac, target_mac):
    """For each connection we opened: whether we ended it with FIN, and whether either side sent RST."""
    found = {}
    for p in packets:
        if p.protocol != TCP or {p.src, p.dst} != {source_mac, target_mac}:
            continue
        ours = p.src == source_mac
        key = p.sport if ours else p.dport
        state = found.setdefault(key, {"syn": 0, "fin": 0, "rst": 0, "their_rst": 0, "their_fin": 0, "answered": 0})
        state["syn"] += ours and p.flags & (SYN | ACK) == SYN
        state["fin"] += bool(ours and p.flags & FIN)
        state["rst"] += bool(ours and p.flags & RST)
        state["their_rst"] += bool(not ours and p.flags & RST)
        state["their_fin"] += bool(not ours and p.flags & FIN)
        state["answered"] += bool(not ours and p.flags & SYN)
    return found
