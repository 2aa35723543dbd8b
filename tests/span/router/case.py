"""Three controllers behind a router are polled by a station on this side of it: their frames bear the router's MAC. The wrong answer would
be one device with three addresses, or the router's MAC as the MAC of any of them."""
from wire import Host, OPERATOR, modbus_conversation

ROUTER = Host(0x99, "10.0.0.1")
FAR = [Host(0x99, "10.7.0.%d" % n, ttl=63) for n in (11, 12, 13)]


def frames():
    found = [OPERATOR.announce(), ROUTER.announce()]
    for n, far in enumerate(FAR):
        found += modbus_conversation(OPERATOR, far, product=b"NF-%d" % n, source_port=49152 + n)
    return found
