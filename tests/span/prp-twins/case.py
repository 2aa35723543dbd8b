"""Both LANs of a PRP network are mirrored: each frame comes twice, with another trailer. Cyclic PROFINET ends with its status, and frames
of VLAN 3 count their size without the tag. The wrong answer would be two of anything, or a trailer read as payload: the cyclic
frames' status would be broken."""
import struct

from wire import ethernet, plant, prp

CYCLIC = ethernet(0x61, 0x62, 0x8892, struct.pack(">H", 0x8001) + b"\x11" * 40 + b"\x12\x34\x35\x00")
TAGGED = ethernet(0x63, 0x64, 0x8892, struct.pack(">H", 0x8001) + b"\x11" * 40 + b"\x12\x34\x35\x00", (3,))
NODE = ethernet(0x10, "01:15:4e:00:01:00", 0x88fb, bytes.fromhex("0001000714060200000000100000") + b"\0" * 32)


def frames():
    twins = []
    for n, frame in enumerate(plant() + [CYCLIC, TAGGED, NODE]):
        twins += [(10000, prp(frame, n, 0xa)), (40, prp(frame, n, 0xb))]
    return twins
