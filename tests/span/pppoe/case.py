"""IP in PPPoE between a modem and its concentrator. The wrong answer would be their MACs as the MACs of the devices."""
from wire import pppoe, conversations


def frames():
    return [pppoe(frame) for n, frame in enumerate(conversations())]
