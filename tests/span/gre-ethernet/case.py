"""Frames in GRE as transparent Ethernet bridging, with a key. The wrong answer would be tunnel ends as devices."""
from wire import gre_teb, plant


def frames():
    return [gre_teb(frame, 7) for n, frame in enumerate(plant())]
