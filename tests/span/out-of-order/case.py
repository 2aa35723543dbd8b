"""Frames of two mirrored ports overtake each other on their way: of each pair of data frames the second comes first. The wrong answer
would be a page or an identity torn, or server and client exchanged."""
from wire import conversations, plant


def frames():
    whole = plant()
    head, rest = whole[:-len(conversations())], conversations()
    for n in range(1, len(rest) - 1, 2):
        if len(rest[n]) > 54 and len(rest[n + 1]) > 54:
            rest[n], rest[n + 1] = rest[n + 1], rest[n]
    return head + rest
