"""Devices that answer a Modbus identification, each in its own way: behave(connection) for one connection."""
import os
import socket
import struct
import time


def identity(query, more=b"\0"):
    body = bytes([0x2B, 0x0E, 2, 0x82]) + (b"\xff\x02" if more == b"\xff" else b"\0\0") + b"\x01\0\4ACME"
    return query[:2] + b"\0\0" + struct.pack(">H", len(body) + 1) + query[6:7] + body


def answers(c):
    while query := c.recv(300):
        c.send(identity(query))


def answers_in_parts(c):
    for more in (b"\xff", b"\xff", b"\0"):
        c.send(identity(c.recv(300), more))
    c.recv(300)


def says_nothing(c):
    while c.recv(300):
        pass


def drips(c):
    for byte in identity(c.recv(300)):
        c.send(bytes([byte]))
        time.sleep(0.3)


def answers_nonsense(c):
    c.recv(300)
    c.send(os.urandom(200))
    says_nothing(c)


def floods(c):
    c.recv(300)
    for _ in range(100):
        c.send(b"\xee" * 1400)
    says_nothing(c)


def talks_first(c):
    c.send(b"welcome to my machine\r\n" * 40)
    answers(c)


def hangs_up_first(c):
    c.shutdown(socket.SHUT_WR)
    says_nothing(c)


def hangs_up_then_waits(c):
    c.recv(300)
    c.shutdown(socket.SHUT_WR)
    time.sleep(3)


def resets(c):
    c.recv(300)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_hangs_up(c):
    answers(c)
    time.sleep(4)


def answers_after_our_end(c):
    query = c.recv(300)
    while c.recv(300):
        pass
    time.sleep(0.5)
    c.send(identity(query))
    time.sleep(0.5)
    c.send(identity(query))


def answers_late(seconds):
    def behave(c):
        query = c.recv(300)
        time.sleep(seconds)
        c.send(identity(query))
        says_nothing(c)
    return behave


def half_an_answer(c):
    c.send(identity(c.recv(300))[:9])
    says_nothing(c)


def huge_length(c):
    query = c.recv(300)
    c.send(query[:4] + b"\xff\xff" + query[6:7] + bytes([0x2B, 0x0E]) + b"x" * 3000)
    says_nothing(c)
