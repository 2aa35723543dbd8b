#!/usr/bin/env python3
"""seeds.py OUT CAPTURE...: cuts captures into seeds for the fuzzers.

OUT/guard gets the messages of the guard's tests, OUT/files the shipped rules and policy, OUT/words, OUT/rings and OUT/findings
some of what Redis and the sensor's own processes say, OUT/outcomes, OUT/crashes, OUT/relay and OUT/configs more of the latter. OUT/frames
gets the first frames of each capture in fuzz_frames' form, OUT/capture_file the head of the file itself, OUT/classifiers a message of each
replayed transcript (tests/protocols/*/*.txt), OUT/one the same in a folder for each.
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
        # For a program of this classifier alone: its own conversations; others come by mutation.
        os.makedirs('%s/one/%s' % (out, protocol), exist_ok=True)
        open('%s/one/%s/%s' % (out, protocol, os.path.basename(case)), 'wb').write(bytes([0]) + body[:4096])


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


def ndpi_seeds(path, out):
    """The IP packets of a capture on Ethernet, as one flow."""
    raw = open(path, 'rb').read(65536)
    if raw[:4] not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') or struct.unpack_from('<I', raw, 20)[0] & 0xffff != 1:
        return
    at, packets = 24, b''
    while at + 16 <= len(raw) and len(packets) < 4000:
        captured = struct.unpack_from('<I', raw, at + 8)[0]
        frame = raw[at + 16:at + 16 + captured]
        at += 16 + captured
        if frame[12:14] in (b'\x08\x00', b'\x86\xdd') and len(frame) < 2000:
            packets += struct.pack('>BH', 0, len(frame) - 14) + frame[14:]
    if packets:
        open('%s/ndpi/%s' % (out, path.replace('/', '_')[-80:]), 'wb').write(packets)


def finding_seeds(out):
    """One finding of each kind about devices that meet."""
    def finding(kind, who, value):
        body = struct.pack('>8BHBHIQ4B', kind, 1 + kind, 4, 3, 2, 0, 90, 1, 502, 0, 0, kind, 1700000000 * 10 ** 9, who, who, who + 1, who + 1)
        if kind != 7:
            body = body[:7] + body[8:]
        texts = b'\x06modbus\x11modbus/502/unit:3' + value
        return struct.pack('>BH', 0, len(body + texts)) + body + texts
    for kind in range(1, 8):
        open('%s/findings/kind-%d' % (out, kind), 'wb').write(finding(kind, 8, b'V1.2') + finding(kind, 17, '<b>\u00e9\u4e2d'.encode()))
    open('%s/findings/all' % out, 'wb').write(b''.join(finding(k, w, b'x' * k) for k in range(1, 8) for w in (1, 9, 18)))


def ring_seeds(out):
    acts = lambda *rows: b''.join(struct.pack('>BQ', act, word) for act, word in rows)
    for number, rows in enumerate((((6, 100), (4, 0)), ((7, 40), (6, 600), (5, 0), (5, 0)), ((0, 1 << 63), (4, 0)), ((1, 1 << 40), (6, 9), (7, 3)),
                                   ((2, 24), (0, 64 << 56), (4, 0)), tuple((6, 30000) for _ in range(5)) + ((4, 0), (6, 30000), (4, 0)))):
        open('%s/rings/%d' % (out, number), 'wb').write(acts(*rows))


def process_seeds(out):
    """What processes say to each other: outcomes of a run, notes and records of a dead engine, a Redis behind the relay, configurations."""
    message = lambda kind, body: struct.pack('>BH', kind, len(body)) + body
    def outcome(type, refusal=0, end=0, why=b''):
        return message(1, struct.pack('>5B4I2QI', 0, type, refusal, end, 0, 5, 60, 2, 40, 1700000000 * 10 ** 9, 1700000001 * 10 ** 9, 7) + why)
    for number, body in enumerate((outcome(2) + outcome(3), outcome(1, 21, why=b'busy'), outcome(2) + outcome(3, end=5, why=b'stopped'), outcome(4),
                                   outcome(2) + outcome(3) + outcome(3), outcome(2) + outcome(2), message(0, bytes(296)))):
        open('%s/outcomes/%d' % (out, number), 'wb').write(body)
    acts = lambda *rows: b''.join(struct.pack('<BQ', act, word) for act, word in rows)
    ring = ((2, 40 | 24 << 32), (10, 5), (18, 16 | 16 << 32), (26, 1), (0, 48), (12, 1))
    for number, rows in enumerate((ring + ((6, 0),), ring + ((6, 0x200), (6, 0x300)), ring + ((12, 65535), (6, 0x300)), ((20, 99), (6, 0), (5, 0)))):
        open('%s/crashes/%d' % (out, number), 'wb').write(acts(*rows))
    ping, pong = message(ord('g'), b''), message(0, b'+PONG\r\n')
    for number, body in enumerate((pong + message(1, b'*1\r\n$4\r\nINFO\r\n') + message(0, b'$3\r\nfoo\r\n'), ping + message(0, b'x' * 900),
                                   message(1, b'early') + message(0, b'-NOAUTH no\r\n'), message(0, b'HTTP/1.1 400\r\n'), message(3, b'x' * 3000))):
        open('%s/relay/%d' % (out, number), 'wb').write(body)
    for process in range(6):
        open('%s/configs/%d' % (out, process), 'wb').write(struct.pack('>BHI', process, 0, 1 << 24))


def text_seeds(root, out):
    kinds = ['packaging/askance.yaml', 'whitelist', 'exclusions', 'windows', 'budgets', 'analysts', None, 'custom']
    for kind, name in enumerate(kinds):
        paths = glob.glob(root + '/rules/probes/*.yaml') if name is None else [root + '/' + name] if kind == 0 else [root + '/rules/policy/%s.yaml' % name]
        for path in paths:
            # Without comments: what is looked at are keys and values.
            text = ''.join(l for l in open(path, encoding='utf-8') if not l.lstrip().startswith('#'))
            open('%s/files/%d-%s' % (out, kind, os.path.basename(path)), 'wb').write(bytes([kind]) + text.encode()[:8000])
    words = (
        (0, b'*2\r\n$3\r\nfoo\r\n:42\r\n'), (0, b'-READONLY You can not write\r\n'), (0, b'*-1\r\n$-1\r\n*0\r\n'), (0, b'+PONG\r\n-MOVED 1 a:2\r\n'),
        (0, b'*1\r\n*2\r\n$15\r\n1700000000000-12\r\n*2\r\n$4\r\nbody\r\n$2\r\n{}\r\n'),
        (0, b'*14\r\n$6\r\nlength\r\n:3\r\n$17\r\nlast-generated-id\r\n$3\r\n5-1\r\n'),
        (1, b'{"type":"approve","sensor":"plant-1","id":"236d23de236d23de236d23de236d23de","analyst":"a.lang","signature":"' + b'A' * 86 + b'==",'
            b'"not_before":1700000000,"not_after":1700003600,"uses":1}'),
        (1, b'{"type":"deny","sensor":"plant-1","id":"236d23de","why":"no","time_ms":1700000000000,"analyst":"a","signature":"AAAA"}'),
        (2, b'rediss://user:p%40ss@host:6380/0'), (2, b'sentinel://a,b:26379,[::1]:7/mymaster'), (2, b'unix:///run/redis.sock'),
        (3, b'*3\r\n$5\r\nRELAY\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n'),
    )
    for number, (kind, text) in enumerate(words):
        open('%s/words/%d' % (out, number), 'wb').write(bytes([kind]) + text)


def main():
    out = sys.argv[1]
    for target in ('frames', 'capture_file', 'classifiers', 'guard', 'service_probes', 'ndpi', 'findings', 'rings', 'files', 'words', 'outcomes', 'crashes', 'relay',
                   'configs'):
        os.makedirs('%s/%s' % (out, target), exist_ok=True)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    classifier_seeds(root, out)
    guard_seeds(root, out)
    service_probe_seeds(out)
    finding_seeds(out)
    ring_seeds(out)
    process_seeds(out)
    text_seeds(root, out)
    for path in sys.argv[2:]:
        frame_seeds(path, out)
        ndpi_seeds(path, out)


main()
