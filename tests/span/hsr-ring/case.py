"""A ring of HSR nodes: each frame goes round both ways, with a tag before its ethertype. The wrong answer would be frames of an unknown
ethertype and no device in the ring."""
from wire import hsr, plant


def frames():
    return [copy for n, frame in enumerate(plant()) for copy in ((10000, hsr(frame, n, 0)), (40, hsr(frame, n, 1)))]
