"""A pseudowire without the control word, which the frame itself does not show: the first bytes are a MAC's. The wrong answer would
be four bytes of the MAC taken for a control word, and no device read."""
from wire import mpls_wire, plant


def frames():
    return [mpls_wire(frame, False) for n, frame in enumerate(plant())]
