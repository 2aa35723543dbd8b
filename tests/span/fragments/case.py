"""A long answer in four fragments. The wrong answer would be none, or one read from the first fragment alone."""
from wire import GATEWAY, OPERATOR, fragments, snmp_conversation

TEXT = b"Northfield gateway, firmware 3.1, " + b"with a long description of all its parts, " * 40


def frames():
    question, answer = snmp_conversation(OPERATOR, GATEWAY, TEXT)
    parts = fragments(answer, 512)
    return [OPERATOR.announce(), GATEWAY.announce(), question] + parts
