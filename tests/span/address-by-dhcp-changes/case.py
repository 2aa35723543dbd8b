"""A device gets another address by DHCP, tells it by ARP and goes on. The wrong answer would be two devices, or its MAC taken for a
router's because two addresses came from it."""
import struct

from wire import Host, OPERATOR, ethernet, ip, ipv4, mac, modbus_conversation, udp

SERVER = Host(0x50, "10.0.0.1")


def lease(address):
    """RFC 2131: the server's acknowledgement."""
    body = struct.pack(">BBBBIHH4s4s4s4s16s192sI", 2, 1, 6, 0, 0x1234, 0, 0, ip("0.0.0.0"), ip(address), ip(SERVER.ip), ip("0.0.0.0"),
                       mac(0x10) + b"\0" * 10, b"", 0x63825363)
    body += b"\x35\x01\x05" + b"\x36\x04" + ip(SERVER.ip) + b"\x33\x04\0\0\x0e\x10" + b"\xff"
    return ethernet(SERVER.mac, 0x10, 0x0800, ipv4(SERVER.ip, address, 17, udp(67, 68, body)))


def frames():
    found = [OPERATOR.announce(), SERVER.announce()]
    for n, address in enumerate(("10.0.0.10", "10.0.0.77")):
        device = Host(0x10, address)
        found += [lease(address), device.announce()] + modbus_conversation(OPERATOR, device, source_port=49152 + n)
    return found
