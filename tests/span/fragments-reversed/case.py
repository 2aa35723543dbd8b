"""The same with the last fragment first. The wrong answer would be none, or a datagram put together in the order of arrival."""
from wire import GATEWAY, OPERATOR, fragments, snmp_conversation

TEXT = b"Northfield gateway, firmware 3.1, " + b"with a long description of all its parts, " * 40


def frames():
    question, answer = snmp_conversation(OPERATOR, GATEWAY, TEXT)
    parts = fragments(answer, 512)
    return [OPERATOR.announce(), GATEWAY.announce(), question] + parts[::-1]
