"""The captures of the bench: made once of what lies beside the checkout, and kept in the build folder."""
import hashlib
import os
import struct
import subprocess

MIX_SECONDS = 600


class Captures:
    def __init__(self, folder, shared):
        self.folder = folder
        self.corpus = os.path.join(shared, "corpus")
        self.makers = os.path.join(shared, "bench", "captures")

    def there(self):
        return os.path.exists(os.path.join(self.corpus, "make_bench_pcap.sh"))

    def made(self, name, source, make):
        """The file `name`, made by make(path) unless it is there already of the same source."""
        with open(source, "rb") as f:
            path = os.path.join(self.folder, "%s-%s.pcap" % (name, hashlib.sha256(f.read()).hexdigest()[:12]))
        if not os.path.exists(path):
            print("making %s" % os.path.basename(path), flush=True)
            make(path + ".part")
            os.rename(path + ".part", path)
        return path

    def plant_mix(self, megabytes):
        script = os.path.join(self.corpus, "make_bench_pcap.sh")
        return self.made("plant-mix-%d" % megabytes, script[:-3] + ".py",
                         lambda out: subprocess.run(["sh", script, out, str(megabytes), str(MIX_SECONDS)], check=True,
                                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def tool(self, name, libraries=()):
        source, program = os.path.join(self.makers, name + ".c"), os.path.join(self.folder, name)
        if not os.path.exists(program):
            subprocess.run(["cc", "-O2", "-w", "-o", program, source, *libraries], check=True)
        return program, source

    def synthetic(self, kind, count):
        program, source = self.tool("gen")
        return self.made("%s-%d" % (kind, count), source, lambda out: subprocess.run([program, kind, out, str(count)], check=True))

    def short_it_flows(self, repeats):
        program, source = self.tool("mix", ["-lpcap"])
        captures = os.path.join(self.corpus, "files", "ntop__nDPI")
        return self.made("it-%d" % repeats, source,
                         lambda out: subprocess.run([program, out, str(repeats), captures], check=True, stderr=subprocess.DEVNULL))

    def tunnelled(self, plain):
        program, source = self.tool("encap", ["-lpcap"])
        name = "tunnelled-" + os.path.basename(plain)[:-5]
        return self.made(name, source, lambda out: subprocess.run([program, plain, out], check=True))


def first_frames(path, folder, count):
    """The first frames of a classic capture of this machine's byte order."""
    short = os.path.join(folder, "first-%d.pcap" % count)
    with open(path, "rb") as f, open(short, "wb") as out:
        out.write(f.read(24))
        for _ in range(count):
            header = f.read(16)
            out.write(header + f.read(struct.unpack("<IIII", header)[2]))
    return short


def read_through(path):
    with open(path, "rb", buffering=0) as f:
        while f.read(1 << 20):
            pass


def write_longer(path, times):
    """The same traffic several times in a row, each after the one before in time."""
    longer = path.replace(".pcap", "-x%d.pcap" % times)
    with open(path, "rb") as f:
        data = f.read()
    with open(longer, "wb") as out:
        out.write(data)
        stamped = bytearray(data[24:])
        for _ in range(times - 1):
            at = 0
            while at < len(stamped):
                seconds, _, length = struct.unpack_from("<III", stamped, at)
                struct.pack_into("<I", stamped, at, seconds + MIX_SECONDS + 10)
                at += 16 + length
            out.write(stamped)
    return longer
