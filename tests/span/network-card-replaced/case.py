"""A controller's network card is replaced overnight: the same address, another MAC, nine hours later. The wrong answer would be a conflict
of addresses, or both MACs silently one interface."""
from wire import CONTROLLER, Host, OPERATOR, modbus_conversation

NEW = Host(0x11, CONTROLLER.ip)
NIGHT_US = 9 * 3600 * 1000000


def frames():
    found = [OPERATOR.announce(), CONTROLLER.announce()] + modbus_conversation(OPERATOR, CONTROLLER)
    return found + [(NIGHT_US, OPERATOR.announce()), NEW.announce()] + modbus_conversation(OPERATOR, NEW, source_port=49160)
