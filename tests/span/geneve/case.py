"""An overlay carries the plant in GENEVE, with an option in the header. The wrong answer would be tunnel ends as devices, or nothing
read because of the option."""
from wire import geneve, plant


def frames():
    return [geneve(frame, b"\x01\x02\x80\x01abcd") for n, frame in enumerate(plant())]
