"""A switch mirrors through GRE without a header of its own (ERSPAN type I). The wrong answer would be two tunnel ends that talk
GRE, or that own what stands inside."""
from wire import erspan_1, plant


def frames():
    return [erspan_1(frame) for n, frame in enumerate(plant())]
