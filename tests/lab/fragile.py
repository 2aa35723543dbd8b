#!/usr/bin/python3
"""A small Modbus/TCP device with one flaw, so that a fault in somebody's manners shows.

usage: fragile.py FLAW ADDRESS MASTER [IDENTITY-JSON]

It serves registers (3) and identity (43/14) to everybody; MASTER is the address of its own master. Flaws that good
manners don't touch: second, strict, needs-fin, leak, load. Peers that good manners must bear: one-master, refuses,
resets, half-close, tarpit, drip, endless, flood, garbage, banner. Devices that a mere question harms: dies, slows,
reboots. One whose cycle is no cycle: unsteady. One without a flaw: none. A line "harmed: WHY" on stdout says that the flaw was touched.
"""
import json
import os
import random
import socket
import struct
import sys
import threading
import time

PORT, SLOW_S, BOOT_S, LEAK_S, LOAD_WINDOW_S, LOAD_MOST, SLOT_S = 502, 0.5, 3, 8, 10, 12, 30
flaw, address, master = sys.argv[1], sys.argv[2], sys.argv[3]
identity = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {"0": "Fragile Works", "1": "FW-1", "2": "1.0"}
lock = threading.Lock()
state = {"hung": False, "slow_until": 0.0, "arrivals": [], "counter": 0, "open": [], "arrivals_of": {}}


def log(text):
    print(f"{time.time():.3f} {text}", flush=True)


def harm(why):
    log("harmed: " + why)


def hang(why):
    if not state["hung"]:
        harm(why)
    state["hung"] = True


def reboot(why):
    """All connections are cut, the port is shut, the counter restarts, and the network hears a new device."""
    harm(why)
    os.execv(sys.executable, [sys.executable, os.path.abspath(__file__), *sys.argv[1:4], json.dumps(identity), "booting"])


def announce():
    """A gratuitous ARP, as a device sends when it comes up."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    mac, ip = s.getsockname()[4], socket.inet_aton(address)
    s.send(b"\xff" * 6 + mac + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + ip + bytes(6) + ip + bytes(18))
    s.close()


def abort(connection):
    """Closes with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(request):
    """The reply to one whole ADU; None for what it does not know."""
    head, unit, function, body = request[:4], request[6:7], request[7], request[8:]
    if function == 3 and len(body) == 4:
        count = min(struct.unpack(">H", body[2:4])[0], 125)
        state["counter"] += 1
        pdu = bytes([3, count * 2]) + struct.pack(">H", state["counter"] & 0xFFFF) + bytes(max(0, count * 2 - 2))
    elif function == 0x2B and body[:1] == b"\x0e":
        objects = b"".join(bytes([int(k), len(v)]) + v.encode() for k, v in sorted(identity.items(), key=lambda kv: int(kv[0])))
        pdu = bytes([0x2B, 0x0E, body[1], 0x83, 0, 0, len(identity)]) + objects
    else:
        pdu = bytes([function | 0x80, 1])
    return head + struct.pack(">H", len(pdu) + 1) + unit + pdu


def touch(connection, data, foreign):
    """What the bytes of a peer do to the flaw. False when the connection is gone."""
    function = data[7] if len(data) > 7 else None
    if flaw == "strict":
        whole = len(data) >= 8 and struct.unpack(">H", data[4:6])[0] + 6 == len(data) and data[2:4] == b"\0\0"
        if not whole or function not in (3, 0x2B) or (function == 0x2B and data[8:9] != b"\x0e"):
            abort(connection)
            reboot(f"an unexpected byte: {data.hex()}")
    if flaw == "load" and foreign:
        now = time.monotonic()
        state["arrivals"] = [t for t in state["arrivals"] if t > now - LOAD_WINDOW_S] + [now]
    if not foreign or function != 0x2B:
        return True
    if flaw == "dies":
        hang("it was asked who it is")
    elif flaw == "slows":
        harm("it was asked who it is")
        state["slow_until"] = time.monotonic() + 30
    elif flaw == "reboots":
        reboot("it was asked who it is")
    return True


def reply(connection, data, foreign):
    """The answer, in the flaw's own way. False when the connection is over."""
    out = answer(data)
    if not foreign:
        connection.sendall(out)
    elif flaw == "resets":
        abort(connection)
        return False
    elif flaw == "drip":
        for byte in out:
            connection.sendall(bytes([byte]))
            time.sleep(0.2)
    elif flaw == "endless":
        connection.sendall(out[:4] + b"\x03\xe8" + out[6:])
        while True:
            time.sleep(0.2)
            connection.sendall(b".")
    elif flaw == "flood":
        connection.sendall(out + b"\xff" * 200000)
    elif flaw == "garbage":
        connection.sendall(bytes([out[0] ^ 0x55, out[1] ^ 0x55]) + b"\xff\xff\x00\x01" + out[6:])
    elif flaw != "tarpit":
        connection.sendall(out)
    return True


def serve(connection, peer):
    foreign, start, asked = peer != master, time.monotonic(), 0
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if flaw in ("half-close", "banner") and foreign:
        if flaw == "half-close":
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.sendall(b"Welcome to the Fragile Works\r\n")
    if flaw == "leak" and foreign:
        connection.settimeout(LEAK_S)
    try:
        while True:
            data = connection.recv(4096)
            if not data:
                break
            asked += 1
            if not touch(connection, data, foreign):
                return
            while state["hung"]:
                time.sleep(1)
            if time.monotonic() < state["slow_until"] or len(state["arrivals"]) > LOAD_MOST:
                if len(state["arrivals"]) > LOAD_MOST:
                    harm("more than it can bear")
                    state["arrivals"] = []
                    state["slow_until"] = time.monotonic() + 30
                time.sleep(SLOW_S)
            if flaw == "unsteady" and not foreign:
                time.sleep(random.choice((0, 0, 0.1, 0.4, 0.8)))
            if flaw == "half-close" and foreign:
                continue
            if not reply(connection, data, foreign):
                return
    except socket.timeout:
        hang(f"a connection was left open for {LEAK_S} s")
    except ConnectionResetError:
        if flaw == "needs-fin" and foreign:
            hang("a connection ended with RST")
    except OSError:
        pass
    if flaw == "needs-fin" and foreign and not asked and time.monotonic() - start < 0.01:
        log("a peer connected and said nothing")
    connection.close()


def accept(listener):
    connection, (peer, _) = listener.accept()
    foreign = peer != master
    with lock:
        # The slot of a connection stays taken for a while after it ended.
        state["arrivals_of"][peer] = [t for t in state["arrivals_of"].get(peer, []) if t > time.monotonic() - SLOT_S] + [time.monotonic()]
        many = len(state["arrivals_of"][peer]) > 1
    if flaw == "second" and many and foreign:
        hang("a second connection of one peer")
    if flaw == "refuses" and foreign:
        abort(connection)
        return
    if flaw == "one-master":
        # Whoever else connects waits in the queue until the master is gone.
        if foreign:
            state["open"].append(connection)
            return
    threading.Thread(target=serve, args=(connection, peer), daemon=True).start()


def main():
    if len(sys.argv) > 5:
        time.sleep(BOOT_S)
    announce()
    listener = socket.create_server((address, PORT), backlog=8)
    while True:
        accept(listener)


main()
