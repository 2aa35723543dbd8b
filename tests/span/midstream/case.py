"""The mirror is switched on while all connections stand: no handshake, and the first frame is the middle of a message's. The
wrong answer would be no service, or server and client exchanged."""
from wire import Connection, CONTROLLER, OPERATOR, modbus, modbus_identity


def frames():
    c = Connection(OPERATOR, CONTROLLER, 502)
    found = c.send(1, b"\x00\x10\x00\x20\x00\x30")  # the end of an answer
    for n in range(4):
        found += c.ask(modbus(900 + n, 1, b"\x03\x00\x00\x00\x02"), modbus(900 + n, 1, b"\x03\x04\x00\x01\x00\x02"))
    return found + c.ask(modbus(990, 1, b"\x2b\x0e\x01\x00"), modbus(990, 1, modbus_identity(b"Northfield", b"NF-100", b"1.2")))
