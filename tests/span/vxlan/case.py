"""A cloud or a hypervisor mirrors through VXLAN. The wrong answer would be tunnel ends as devices that speak what stands inside."""
from wire import vxlan, plant


def frames():
    return [vxlan(frame) for n, frame in enumerate(plant())]
