"""Two routers share the address 10.0.0.1 by VRRP; the first one falls silent and the second takes over, with the same virtual MAC. The
wrong answer would be one device out of two routers, or the shared address as the address of either."""
import struct

from wire import OPERATOR, Host, arp, ethernet, ip, ipv4, checksum, modbus_conversation

SHARED = "00:00:5e:00:01:07"
FIRST, SECOND = Host(0x91, "10.0.0.2"), Host(0x92, "10.0.0.3")
FAR = Host(SHARED, "10.7.0.11", ttl=63)


def advertise(router, priority):
    """RFC 9568, 5.1: version 2, one address, a second between advertisements."""
    body = struct.pack(">BBBBBBH4s8s", 0x21, 7, priority, 1, 0, 1, 0, ip("10.0.0.1"), b"\0" * 8)
    body = body[:6] + struct.pack(">H", checksum(body)) + body[8:]
    return ethernet(SHARED, "01:00:5e:00:00:12", 0x0800, ipv4(router.ip, "224.0.0.18", 112, body, 255))


def take_over():
    return ethernet(SHARED, "ff:ff:ff:ff:ff:ff", 0x0806, arp(1, SHARED, "10.0.0.1", "00:00:00:00:00:00", "10.0.0.1"))


def frames():
    found = [OPERATOR.announce(), FIRST.announce(), SECOND.announce(), take_over()]
    found += [advertise(FIRST, 200)] * 3 + modbus_conversation(OPERATOR, FAR)
    return found + [(4000000, take_over())] + [advertise(SECOND, 100)] * 3 + modbus_conversation(OPERATOR, FAR, source_port=49200)
