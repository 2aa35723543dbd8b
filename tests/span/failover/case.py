"""Two routers share 10.0.0.1 by HSRP; the active one resigns, and the shared MAC moves to the other with all that goes through it. The wrong
answer would be one device out of two routers, a conflict of addresses, or the far controller bound to a router."""
import struct

from wire import OPERATOR, Host, arp, ethernet, ip, ipv4, modbus_conversation, udp

SHARED = "00:00:0c:07:ac:01"
FIRST, SECOND = Host(0x91, "10.0.0.2"), Host(0x92, "10.0.0.3")
FAR = Host(SHARED, "10.7.0.11", ttl=63)
ACTIVE, STANDBY, HELLO, RESIGN = 16, 8, 0, 2


def say(router, opcode, state, priority):
    """RFC 2281, 5.1; the active router's hello leaves from the shared MAC."""
    body = struct.pack(">BBBBBBBB8s4s", 0, opcode, state, 3, 10, priority, 1, 0, b"cisco", ip("10.0.0.1"))
    source = SHARED if state == ACTIVE else router.mac
    return ethernet(source, "01:00:5e:00:00:02", 0x0800, ipv4(router.ip, "224.0.0.2", 17, udp(1985, 1985, body), 1))


def take_over():
    return ethernet(SHARED, "ff:ff:ff:ff:ff:ff", 0x0806, arp(2, SHARED, "10.0.0.1", "ff:ff:ff:ff:ff:ff", "10.0.0.1"))


def frames():
    found = [OPERATOR.announce(), FIRST.announce(), SECOND.announce(), take_over()]
    found += [say(FIRST, HELLO, ACTIVE, 110), say(SECOND, HELLO, STANDBY, 100)] + modbus_conversation(OPERATOR, FAR)
    found += [(3000000, say(FIRST, RESIGN, ACTIVE, 110)), say(SECOND, HELLO, ACTIVE, 100), take_over()]
    return found + modbus_conversation(OPERATOR, FAR, source_port=49200)
