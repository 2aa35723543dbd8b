"""Only what the devices send is mirrored, nothing of the operator's. The wrong answer would be no service, because nobody was
heard to ask."""
from wire import mac, plant


def frames():
    return [frame for frame in plant() if frame[6:12] != mac(0x20)]
