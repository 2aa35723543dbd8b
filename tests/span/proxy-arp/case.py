"""A router answers ARP for six devices of another segment and passes their frames on. The wrong answer would be one device with six
addresses."""
from wire import OPERATOR, Host, arp, ethernet, modbus_conversation

FAR = [Host(0x99, "10.0.0.%d" % n, ttl=63) for n in range(101, 107)]


def frames():
    found = [OPERATOR.announce()]
    for n, far in enumerate(FAR):
        found.append(ethernet(0x99, 0x20, 0x0806, arp(2, 0x99, far.ip, 0x20, OPERATOR.ip)))
        found += modbus_conversation(OPERATOR, far, product=b"NF-%d" % n, source_port=49152 + n)
    return found
