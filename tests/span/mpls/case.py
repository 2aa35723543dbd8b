"""IP behind two labels, between two label-switching routers. The wrong answer would be the routers' MACs as the MACs of the
devices whose packets they carry."""
from wire import mpls, conversations


def frames():
    return [mpls(frame) for n, frame in enumerate(conversations())]
