#!/usr/bin/env python3
"""seeds.py OUT CAPTURE...: cuts captures into seeds for the fuzzers.

OUT/guard gets the messages of the guard's tests. OUT/frames gets the first frames of each capture in fuzz_frames' form, OUT/capture_file the head of the
file itself, OUT/classifiers a message of each replayed transcript (tests/protocols/*/*.txt).
"""
import glob
import os
import re
import struct
import sys


def transcript_messages(path):
    for line in open(path, encoding='utf-8'):
        if line[:1] not in '<>':
            continue
        data = b''
        for token in re.findall(r'"(?:[^"\\]|\\.)*"|[0-9a-fA-F]{2}(?=[0-9a-fA-F\s]|$)', line[1:].split('#')[0]):
            if token.startswith('"'):
                data += token[1:-1].encode('latin1', 'replace').decode('unicode_escape').encode('latin1', 'replace')
            else:
                data += bytes.fromhex(token)
        yield line[0] == '<', data


def classifier_seeds(root, out):
    names = sorted(os.path.basename(f)[:-2] for family in ('ics', 'it', 'link')
                   for f in glob.glob('%s/classifiers/%s/*.c' % (root, family)))
    for case in glob.glob(root + '/tests/protocols/*/*.txt'):
        protocol = case.split('/')[-2]
        body = b''.join(struct.pack('>BH', 8 | back, len(m)) + m for back, m in transcript_messages(case))
        # Which number a classifier has is the build's affair: one seed for each is cheap.
        for number in range(len(names)):
            if len(body) < 4096:
                name = '%s/classifiers/%s-%s-%d' % (out, protocol, os.path.basename(case), number)
                open(name, 'wb').write(bytes([number]) + body)


def guard_seeds(root, out):
    """The messages that tests/unit/test_guard*.c state as hex, under the number of their protocol."""
    names = sorted(os.path.basename(f)[6:-2] for f in glob.glob(root + '/active/guard/allow_*.c'))
    transports = {'ETH': 1, 'UDP': 3, 'TCP': 4} # enum transport
    for path in sorted(glob.glob(root + '/tests/unit/test_guard*.c')):
        text = open(path, encoding='utf-8').read()
        for count, (protocol, transport, body) in enumerate(re.findall(r'\{ "(\w+)", (ETH|TCP|UDP), "([0-9a-f ]+)"', text)):
            if protocol in names:
                name = '%s/guard/%s-%s-%d' % (out, protocol, os.path.basename(path), count)
                open(name, 'wb').write(bytes([names.index(protocol), transports[transport]]) + bytes.fromhex(body))


def frame_seeds(path, out):
    raw = open(path, 'rb').read(65536)
    name = path.replace('/', '_')[-80:]
    open('%s/capture_file/%s' % (out, name), 'wb').write(raw[:4096])
    if raw[:4] not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1'):
        return
    kind = {1: 0, 101: 2, 113: 3, 276: 4, 0: 5, 9: 6}.get(struct.unpack_from('<I', raw, 20)[0] & 0xffff, 7)
    at, frames = 24, b''
    while at + 16 <= len(raw) and len(frames) < 4000:
        captured = struct.unpack_from('<I', raw, at + 8)[0]
        if captured > 2000:
            break
        frames += struct.pack('>BH', kind, captured) + raw[at + 16:at + 16 + captured]
        at += 16 + captured
    if frames:
        open('%s/frames/%s' % (out, name), 'wb').write(frames)


def service_probe_seeds(out):
    """A small file of each format, with an answer or a packet that fits one of its lines."""
    syn = bytes.fromhex('4500003c00014000400600000a0000010a000002c35000500000000100000000a002faf000000000'
                        '020405b40402080a112233440000000001030307')
    files = (
        (0, b'Exclude T:1-2\nProbe TCP NULL q||\ntotalwaitms 6000\nmatch ssh m|^SSH-([\\d.]+)-(.*)\\r\\n|i '
            b'p/x/ v/$SUBST(1,".","_")/ i/$P(2)/ cpe:/a:b:c:$1/a\nProbe TCP Get q|GET / HTTP/1.0\\r\\n|\nports 80,1-3\n'
            b'fallback NULL\nmatch http m=^HTTP/1\\.[01] (...)=s v/$I(1,">")/\n', b'SSH-2.0-x\r\n'),
        (0, b'Probe UDP K q|\\x06\\0|\nrarity 2\nfallback K\nsoftmatch a m|^(.)\\1|\n', b'aa'),
        (1, b'[tcp:request]\nlabel = s:unix:Linux:5.x\nsig = *:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0\n', syn),
        (1, b'Fingerprint A\nClass M | Alpha | 1.X | x\nOPS(O1=M5B4ST11NW7|M5B4)\nWIN(W1=7120|FE80-FFFF)\n'
            b'T1(R=Y%DF=Y%TG=40%Q=)\n', syn.replace(b'\xa0\x02', b'\xa0\x12')),
    )
    for number, (kind, text, rest) in enumerate(files):
        open('%s/service_probes/%d' % (out, number), 'wb').write(bytes([kind]) + struct.pack('>H', len(text)) + text + rest)


def main():
    out = sys.argv[1]
    for target in ('frames', 'capture_file', 'classifiers', 'guard', 'service_probes'):
        os.makedirs('%s/%s' % (out, target), exist_ok=True)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    classifier_seeds(root, out)
    guard_seeds(root, out)
    service_probe_seeds(out)
    for path in sys.argv[2:]:
        frame_seeds(path, out)


main()
