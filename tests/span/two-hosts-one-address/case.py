"""Two devices claim one address within a minute, in turns. The wrong answer would be one device with two MACs, or no word of it: the address
is contested."""
from wire import CONTROLLER, Host, OPERATOR, modbus_conversation

OTHER = Host(0x11, CONTROLLER.ip)


def frames():
    found = [OPERATOR.announce(), CONTROLLER.announce()] + modbus_conversation(OPERATOR, CONTROLLER)
    for _ in range(3):
        found += [(20000000, OTHER.announce()), (20000000, CONTROLLER.announce())]
    return found
