"""Both LANs of a PRP network are mirrored: each frame comes twice, with another trailer. The wrong answer would be two of anything, a
trailer read as payload, or a protocol on Ethernet read twice because its trailers differ."""
from wire import plant, prp


def frames():
    twins = []
    for n, frame in enumerate(plant()):
        twins += [(10000, prp(frame, n, 0xa)), (40, prp(frame, n, 0xb))]
    return twins
