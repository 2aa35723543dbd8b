"""Both directions of a port are mirrored, so each frame comes twice. The wrong answer would be two clients, two services, values
heard of two devices, or a connection that seems to send everything again."""
from wire import plant


def frames():
    return [copy for frame in plant() for copy in ((10000, frame), (15, frame))]
