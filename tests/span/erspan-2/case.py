"""A switch mirrors through GRE with sequence numbers (ERSPAN type II). The wrong answer would be two tunnel ends that talk GRE,
or that own what stands inside."""
from wire import erspan_2, plant


def frames():
    return [erspan_2(frame, n) for n, frame in enumerate(plant())]
