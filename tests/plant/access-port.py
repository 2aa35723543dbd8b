#!/usr/bin/python3
"""A switch's access port: tags what the machine sends, untags what it gets, as 802.1Q says.

usage: access-port.py MACHINE-SIDE TRUNK-SIDE VLAN

For kernels without VLAN devices. Both interfaces are ends of veth pairs in this namespace.
"""
import select
import socket
import struct
import sys

ETH_P_ALL = 3
machine_name, trunk_name, vlan = sys.argv[1], sys.argv[2], int(sys.argv[3])
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4


def open_interface(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((name, 0))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    return s


def receive(s):
    """The frame with its tag in place (the kernel takes it off), and its VLAN or None; nothing for our own frames."""
    data, extra, _, address = s.recvmsg(65535, 256)
    if address[2] == PACKET_OUTGOING:
        return None, None
    for level, kind, value in extra:
        status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
        if level == SOL_PACKET and kind == PACKET_AUXDATA and status & 0x10:
            return data, tci & 0xFFF
    if len(data) > 16 and data[12:14] == b"\x81\x00":
        return data[:12] + data[16:], struct.unpack("!H", data[14:16])[0] & 0xFFF
    return data, None


machine, trunk = open_interface(machine_name), open_interface(trunk_name)
while True:
    for ready in select.select([machine, trunk], [], [])[0]:
        frame, tag = receive(ready)
        if frame is None:
            continue
        if ready is machine and tag is None:
            trunk.send(frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:])
        elif ready is trunk and tag == vlan:
            machine.send(frame)
