"""A switch mirrors by ERSPAN type III; every second frame has the platform's subheader. The wrong answer would be every second
frame unread, or tunnel ends as devices."""
from wire import erspan_3, plant


def frames():
    return [erspan_3(frame, n, n % 2 == 1) for n, frame in enumerate(plant())]
