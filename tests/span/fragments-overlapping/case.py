"""A second fragment that overlaps the first with other bytes (RFC 5722): nobody knows which of them the receiver takes. The wrong answer would
be either of the two texts."""
from wire import GATEWAY, OPERATOR, fragments, snmp_conversation

TEXT = b"Northfield gateway, firmware 3.1, " + b"with a long description of all its parts, " * 40


def frames():
    question, answer = snmp_conversation(OPERATOR, GATEWAY, TEXT)
    parts = fragments(answer, 512)
    forged = parts[1][:20] + b"\x20\x20" + parts[1][22:42] + b"FORGED" + parts[1][48:]  # from byte 256 on
    return [OPERATOR.announce(), GATEWAY.announce(), question] + [parts[0], forged, *parts[1:]]
