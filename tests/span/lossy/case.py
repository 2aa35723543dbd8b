"""An oversubscribed mirror loses one frame of five; the devices go on as if nothing were. The wrong answer would be a service of
the wrong side, bytes of two messages read as one, or no service at all after a hole."""
from wire import CONTROLLER, GATEWAY, OPERATOR, http_conversation, lose, modbus_conversation


def frames():
    whole = [OPERATOR.announce(), CONTROLLER.announce(), GATEWAY.announce()]
    cut = []
    for n in range(6):
        cut += modbus_conversation(OPERATOR, CONTROLLER, source_port=49152 + n, polls=12)
        cut += http_conversation(OPERATOR, GATEWAY, source_port=49300 + n, size=3000)
    return whole + lose(cut, 0.2, 5)
