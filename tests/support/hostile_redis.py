"""What stands where Redis should be and sends what no Redis sends, for who must not hold what is only announced or never ends."""
import os
import socket
import threading

PARTS = b"*100\r\n" + b"$100\r\n" + b"x" * 100 + b"\r\n" + b"$1\r\nx\r\n" * 99
ATTACKS = {  # what is answered to a question: a beginning, and what follows it without end
    "an array of a billion": (b"*1000000000\r\n", b""),
    "arrays of a million within each other": (b"*1000000\r\n" * 7, b""),
    "a text of 4 GB": (b"$4000000000\r\n", b"x" * 65536),
    "a line without end": (b"+", b"x" * 65536),
    "an array of small parts without end": (b"*1000000000\r\n", PARTS * 16),
    "many small arrays without end": (b"*800000\r\n", PARTS * 16),
    "noise": (b"\xff" + os.urandom(65535), b""),  # no reply begins so; chance alone makes one in a hundred runs
}
MOST_SENT = 1 << 30


class HostileRedis(threading.Thread):
    """Each connection gets the next attack, behind honest answers to its first questions, until the other side has enough."""

    def __init__(self, path, honest=(), attacks=tuple(ATTACKS)):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.honest, self.attacks = honest, attacks
        self.sent = {}

    def run(self):
        for name in self.attacks:
            connection = self.listener.accept()[0]
            self.sent[name] = self.attack(connection, *ATTACKS[name])
            connection.close()
        self.listener.close()

    def attack(self, connection, begin, more):
        """How many bytes of it were taken."""
        sent = 0
        try:
            for answer in self.honest:
                connection.recv(4096)
                connection.sendall(answer)
            connection.recv(4096)
            sent = connection.send(begin)
            while more and sent < MOST_SENT:
                sent += connection.send(more)
            while connection.recv(4096):
                pass
        except OSError:
            pass
        return sent
