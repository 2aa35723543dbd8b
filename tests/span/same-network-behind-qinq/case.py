"""The same behind a carrier's outer tag: both machines use VLAN 5, under the outer tags 100 and 200. The wrong answer would be one machine."""
from wire import Host, modbus_conversation


def machine(outer, product):
    tags = ((0x88a8, outer), 5)
    operator, controller = Host(0x20 + outer * 256, "192.168.0.1", tags), Host(0x10 + outer * 256, "192.168.0.2", tags)
    return [operator.announce(), controller.announce()] + modbus_conversation(operator, controller, product=product)


def frames():
    return [f for pair in zip(machine(100, b"NF-100"), machine(200, b"NF-200")) for f in pair]
