"""The plant's Ethernet as a pseudowire with a control word. The wrong answer would be the routers' MACs as the devices'."""
from wire import mpls_wire, plant


def frames():
    return [mpls_wire(frame) for n, frame in enumerate(plant())]
