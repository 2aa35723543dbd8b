"""The same with each fragment twice, as a mirror of two ports shows it. The wrong answer would be to take the copies for overlapping
fragments and drop the datagram."""
from wire import GATEWAY, OPERATOR, fragments, snmp_conversation

TEXT = b"Northfield gateway, firmware 3.1, " + b"with a long description of all its parts, " * 40


def frames():
    question, answer = snmp_conversation(OPERATOR, GATEWAY, TEXT)
    parts = fragments(answer, 512)
    return [OPERATOR.announce(), GATEWAY.announce(), question] + [part for part in parts for _ in (1, 2)]
