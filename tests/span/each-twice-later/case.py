"""Two mirror sessions end in one port, and one of them lags by a few milliseconds: the copies are mixed among the originals. The
wrong answer would be anything read twice, or a conversation torn."""
from wire import plant


def frames():
    original = [(10000 * n, frame) for n, frame in enumerate(plant())]
    both = sorted(original + [(at + 23000, frame) for at, frame in original], key=lambda pair: pair[0])
    times = [0] + [at for at, _ in both]
    return [(at - before, frame) for (at, frame), before in zip(both, times)]
