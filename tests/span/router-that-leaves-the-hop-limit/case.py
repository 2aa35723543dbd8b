"""The same behind a router (or a transparent firewall) that does not count hops, so that its frames look direct. The wrong
answer would be one device with three addresses."""
from wire import Host, OPERATOR, modbus_conversation

FAR = [Host(0x99, "10.7.0.%d" % n) for n in (11, 12, 13)]


def frames():
    found = [OPERATOR.announce()]
    for n, far in enumerate(FAR):
        found += modbus_conversation(OPERATOR, far, product=b"NF-%d" % n, source_port=49152 + n)
    return found
