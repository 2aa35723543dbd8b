"""Two machines of one maker, delivered with the same addresses, behind the VLANs 10 and 20. The wrong answer would be one controller with
two MACs and values that disagree, or an address conflict."""
from wire import Host, modbus_conversation


def machine(vlan, product):
    operator, controller = Host(0x20 + vlan * 256, "192.168.0.1", (vlan,)), Host(0x10 + vlan * 256, "192.168.0.2", (vlan,))
    return [operator.announce(), controller.announce()] + modbus_conversation(operator, controller, product=product)


def frames():
    return [f for pair in zip(machine(10, b"NF-100"), machine(20, b"NF-200")) for f in pair]
