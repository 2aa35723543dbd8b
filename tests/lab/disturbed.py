"""Whether a machine was disturbed, by the wire, by its own word and by its master's."""
from wire import RST, TCP, UDP

ARP = 0x0806
SLACK_S = 1.5 # scheduling of this machine may hold any program up so long
HMI_MAC = "02:20:30:00:00:50"


def answers_to_master(packets, machine):
    return [p for p in packets if p.src == machine["mac"] and p.dst == HMI_MAC and p.payload and p.protocol in (TCP, UDP)]


def longest_pause(packets, start, end):
    times = [start] + [p.time for p in packets if start <= p.time <= end] + [end]
    return max(b - a for a, b in zip(times, times[1:]))


def why_disturbed(scene, machine, packets, baseline, since, until):
    """A list of what went wrong with it in that time; `baseline` (start, end) is when nobody asked."""
    host, found = scene.machines[machine["name"]], []
    if host.dead():
        found.append("its server ended")
    found += [line.split(" ", 1)[1] for line in host.log().splitlines() if "harmed:" in line]
    master = scene.machines["hmi-1"].log("-" + machine["name"])
    for line in master.splitlines():
        when, _, what = line.partition(" ")
        if what.startswith("lost:") and since <= float(when) <= until:
            found.append("its master " + what)
    answers = answers_to_master(packets, machine)
    before = longest_pause(answers, *baseline)
    after = longest_pause(answers, since, until)
    if answers and after > 2 * before + SLACK_S:
        found.append(f"its master waited {after:.1f} s (before {before:.1f} s)")
    resets = [p for p in packets if p.src == machine["mac"] and p.dst == HMI_MAC and p.protocol == TCP and p.flags & RST and since <= p.time <= until]
    usual = [p for p in packets if p.src == machine["mac"] and p.dst == HMI_MAC and p.protocol == TCP and p.flags & RST and baseline[0] <= p.time <= baseline[1]]
    if resets and not usual:
        found.append(f"{len(resets)} RST to its master")
    boots = [p for p in packets if p.src == machine["mac"] and p.type == ARP and p.dst == "ff:ff:ff:ff:ff:ff" and p.payload[14:18] == p.payload[24:28] and since <= p.time <= until]
    if boots:
        found.append("it started anew")
    return found
