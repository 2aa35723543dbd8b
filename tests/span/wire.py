"""Frames built by hand, and what mirrors and carriers wrap them in: all of it from the specifications, with the
standard library alone."""
import random
import struct

START = 1_700_000_000_000_000  # microseconds since 1970 of a case's first frame
STEP = 10_000


def mac(number):
    """A station's address: 02:00:00:00:00:NN, or the bytes of a text with colons."""
    if isinstance(number, str):
        return bytes.fromhex(number.replace(":", ""))
    return b"\x02\x00\x00\x00" + struct.pack(">H", number)


def ip(text):
    return bytes(int(part) for part in text.split("."))


def checksum(data):
    total = sum(struct.unpack(">%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(source, target, ethertype, payload, tags=()):
    head = mac(target) + mac(source)
    for tag in tags:
        kind, vid = tag if isinstance(tag, tuple) else (0x8100, tag)
        head += struct.pack(">HH", kind, vid)
    return head + struct.pack(">H", ethertype) + payload


def ipv4(source, target, protocol, payload, ttl=64, ident=0, fragment=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, fragment, ttl, protocol, 0, ip(source), ip(target))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(source, target, payload):
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload


def arp(operation, source_mac, source_ip, target_mac, target_ip):
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + mac(source_mac) + ip(source_ip) + mac(target_mac) + ip(target_ip)


class Host:
    """One interface: a MAC and an address, and the MAC that its frames leave to."""

    def __init__(self, number, address, tags=(), ttl=64):
        self.mac, self.ip, self.tags, self.ttl = number, address, tags, ttl

    def frame(self, other, protocol, payload, ident=0):
        return ethernet(self.mac, other.mac, 0x0800, ipv4(self.ip, other.ip, protocol, payload, self.ttl, ident), self.tags)

    def datagram(self, other, source_port, target_port, payload):
        return self.frame(other, 17, udp(source_port, target_port, payload))

    def announce(self, operation=1):
        """Says by ARP where it is."""
        return ethernet(self.mac, "ff:ff:ff:ff:ff:ff", 0x0806, arp(operation, self.mac, self.ip, "00:00:00:00:00:00", self.ip), self.tags)


class Connection:
    """A TCP connection; its methods give the frames that it puts on the wire."""

    def __init__(self, client, server, port, source_port=49152, segment=1460):
        self.ends, self.ports, self.sequence, self.segment = (client, server), (source_port, port), [1000, 500000], segment

    def put(self, side, flags, payload=b""):
        here, there = self.ends[side], self.ends[1 - side]
        head = struct.pack(">HHIIBBHHH", self.ports[side], self.ports[1 - side], self.sequence[side] & 0xffffffff,
                           self.sequence[1 - side] & 0xffffffff if flags & 16 else 0, 0x50, flags, 8192, 0, 0)
        self.sequence[side] += len(payload) + bool(flags & 3)
        return here.frame(there, 6, head + payload)

    def open(self):
        return [self.put(0, 2), self.put(1, 18), self.put(0, 16)]

    def send(self, side, payload):
        return [self.put(side, 24, payload[at:at + self.segment]) for at in range(0, len(payload), self.segment)]

    def ask(self, question, answer):
        return self.send(0, question) + self.send(1, answer)

    def close(self):
        return [self.put(0, 17), self.put(1, 17), self.put(0, 16)]


# What the devices of the cases say

def modbus(transaction, unit, body):
    return struct.pack(">HHHB", transaction, 0, 1 + len(body), unit) + body


def modbus_identity(vendor, product, revision, serial=b""):
    """The answer of function 43/14: MODBUS Application Protocol 1.1b3, 6.21."""
    objects = [(0, vendor), (1, product), (2, revision)]
    return bytes((43, 14, 1, 1, 0, 0, len(objects))) + b"".join(bytes((number, len(text))) + text for number, text in objects)


def modbus_conversation(client, server, vendor=b"Northfield", product=b"NF-100", revision=b"1.2", port=502, source_port=49152, polls=4):
    c = Connection(client, server, port, source_port)
    frames = c.open() + c.ask(modbus(1, 1, b"\x2b\x0e\x01\x00"), modbus(1, 1, modbus_identity(vendor, product, revision)))
    for n in range(polls):
        frames += c.ask(modbus(2 + n, 1, b"\x03\x00\x00\x00\x02"), modbus(2 + n, 1, b"\x03\x04\x00\x01\x00\x02"))
    return frames + c.close()


def oid(*numbers):
    return bytes((6, len(numbers) - 1, numbers[0] * 40 + numbers[1])) + bytes(numbers[2:])


def tlv(tag, payload):
    size = len(payload)
    return bytes((tag,)) + (bytes((size,)) if size < 128 else b"\x82" + struct.pack(">H", size)) + payload


def snmp(pdu, number, pairs):
    """RFC 3416: version 2c, community "public"."""
    rows = b"".join(tlv(0x30, oid(1, 3, 6, 1, 2, 1, 1, column, 0) + value) for column, value in pairs)
    body = tlv(2, struct.pack(">H", number)) + b"\x02\x01\x00\x02\x01\x00" + tlv(0x30, rows)
    return tlv(0x30, b"\x02\x01\x01" + tlv(4, b"public") + tlv(pdu, body))


def snmp_conversation(client, server, description=b"Northfield gateway, firmware 3.1", name=b"gate-1", source_port=40000):
    question = snmp(0xa0, 4711, [(1, b"\x05\x00"), (5, b"\x05\x00")])
    answer = snmp(0xa2, 4711, [(1, tlv(4, description)), (5, tlv(4, name))])
    return [client.datagram(server, source_port, 161, question), server.datagram(client, 161, source_port, answer)]


def http_conversation(client, server, size=6000, source_port=49200, segment=1460, path=b"/"):
    page = b"<html><head><title>Works gateway</title></head><body>" + b"x" * size + b"</body></html>"
    c = Connection(client, server, 80, source_port, segment)
    question = b"GET " + path + b" HTTP/1.1\r\nHost: gate\r\nUser-Agent: Browser/9\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nServer: GateServer/2.0\r\nContent-Length: %d\r\nContent-Type: text/html\r\n\r\n" % len(page) + page
    return c.open() + c.ask(question, answer) + c.close()


def lldp(source, name, description):
    """IEEE 802.1AB, clause 8: chassis id and port id by MAC, time to live, name, description."""
    def part(kind, value):
        return struct.pack(">H", kind << 9 | len(value)) + value
    body = part(1, b"\x04" + mac(source)) + part(2, b"\x03" + mac(source)) + part(3, b"\x00\x78") + part(5, name) + part(6, description) + part(0, b"")
    return ethernet(source, "01:80:c2:00:00:0e", 0x88cc, body)


# The small plant that most cases carry: an operator's station, a controller, a gateway and a switch
OPERATOR, CONTROLLER, GATEWAY = Host(0x20, "10.0.0.20"), Host(0x10, "10.0.0.10"), Host(0x30, "10.0.0.30")
SWITCH = 0x40


def conversations():
    return modbus_conversation(OPERATOR, CONTROLLER) + snmp_conversation(OPERATOR, GATEWAY) + http_conversation(OPERATOR, GATEWAY)


def plant():
    return [OPERATOR.announce(), CONTROLLER.announce(), GATEWAY.announce(), lldp(SWITCH, b"switch-1", b"Northfield switch 8TX")] + conversations()


# Wrappings

MIRROR, COLLECTOR = Host(0xa1, "192.0.2.1"), Host(0xa2, "192.0.2.2")


def in_gre(protocol, inner, fields=b"", flags=0):
    return MIRROR.frame(COLLECTOR, 47, struct.pack(">HH", flags, protocol) + fields + inner)


def in_udp(port, header, inner):
    return MIRROR.datagram(COLLECTOR, 50000, port, header + inner)


def erspan_1(frame):
    return in_gre(0x88be, frame)


def erspan_2(frame, number=0, session=5, vlan=0):
    return in_gre(0x88be, struct.pack(">HHI", 1 << 12 | vlan, session, 0) + frame, struct.pack(">I", number), 0x1000)


def erspan_3(frame, number=0, platform=False):
    header = struct.pack(">HHIHH", 2 << 12, 5, 0, 0, 1 if platform else 0) + (b"\0" * 8 if platform else b"")
    return in_gre(0x22eb, header + frame, struct.pack(">I", number), 0x1000)


def vxlan(frame, network=100, port=4789):
    return in_udp(port, struct.pack(">II", 0x08000000, network << 8), frame)


def geneve(frame, options=b""):
    return in_udp(6081, struct.pack(">BBHI", len(options) // 4, 0, 0x6558, 100 << 8) + options, frame)


def gre_teb(frame, key=None):
    return in_gre(0x6558, frame, struct.pack(">I", key) if key else b"", 0x2000 if key else 0)


def tzsp(frame):
    return in_udp(37008, b"\x01\x00\x00\x01" + b"\x29\x02" + struct.pack(">H", len(frame)) + b"\x00\x01", frame)


def label(number, last):
    return struct.pack(">I", number << 12 | last << 8 | 64)


def mpls(frame):
    """The IP packet of the frame behind two labels, between two label-switching routers."""
    return ethernet(0xb1, 0xb2, 0x8847, label(100, 0) + label(200, 1) + frame[14:])


def mpls_wire(frame, control_word=True):
    """The whole frame as a pseudowire: RFC 4448."""
    return ethernet(0xb1, 0xb2, 0x8847, label(100, 1) + (b"\0\0\0\0" if control_word else b"") + frame)


def pppoe(frame):
    body = b"\x00\x21" + frame[14:]
    return ethernet(0xb1, 0xb2, 0x8864, struct.pack(">BBHH", 0x11, 0, 0x1234, len(body)) + body)


def prp(frame, sequence, lan):
    """IEC 62439-3, 4.2.7.3: the redundancy control trailer behind a frame padded to 60 bytes; its size counts what
    stands behind the ethertype, with the trailer and without a VLAN tag. lan: 0xa or 0xb."""
    frame += b"\0" * max(0, 54 - len(frame))
    size = len(frame) - 14 - (4 if frame[12:14] == b"\x81\x00" else 0) + 6
    return frame + struct.pack(">HHH", sequence, lan << 12 | size, 0x88fb)


def hsr(frame, sequence, path=0):
    """IEC 62439-3, 5.5: the tag in front of the ethertype; its size counts tag and payload."""
    return frame[:12] + struct.pack(">HHH", 0x892f, path << 12 | (len(frame) - 14 + 6), sequence) + frame[12:]


def fragments(frame, size, ident=77):
    """The IPv4 packet of an untagged frame in fragments of `size` bytes, as frames in order."""
    source, target, body = frame[26:30], frame[30:34], frame[34:]
    parts = []
    for at in range(0, len(body), size):
        more = 0x2000 if at + size < len(body) else 0
        text = [".".join(str(b) for b in a) for a in (source, target)]
        parts.append(frame[:14] + ipv4(text[0], text[1], frame[23], body[at:at + size], frame[22], ident, more | at // 8))
    return parts


def write(path, frames, snaplen=0):
    """frames: bytes, or (microseconds after the last one, bytes). nanosecond-free pcap, Ethernet."""
    now = START
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen or 262144, 1))
        for frame in frames:
            later, data = frame if isinstance(frame, tuple) else (STEP, frame)
            now += later
            kept = data[:snaplen] if snaplen else data
            f.write(struct.pack("<IIII", now // 1000000, now % 1000000, len(kept), len(data)) + kept)


def lose(frames, share, seed):
    """Without a share of the frames, the same ones each time."""
    chance = random.Random(seed)
    return [f for f in frames if chance.random() >= share]
