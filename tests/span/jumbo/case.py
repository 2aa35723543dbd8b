"""A network of jumbo frames: segments of 8960 bytes, two of them in the wrong order. The wrong answer would be frames cut at 1518 bytes,
or a long segment that came early thrown away and with it the page behind it."""
from wire import GATEWAY, OPERATOR, http_conversation


def frames():
    whole = http_conversation(OPERATOR, GATEWAY, size=30000, segment=8960)
    whole[5], whole[6] = whole[6], whole[5]
    return [OPERATOR.announce(), GATEWAY.announce()] + whole
