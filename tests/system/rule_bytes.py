"""What rendered messages must look like for protocols that tshark doesn't dissect, or not to the depth that matters.

The patterns are hex with a dot for a digit that may vary; each is the message of another client (named), not taken from
the rules. Checksums are computed here anew.
"""
import re

import rule_plants

# protocol -> [(pattern, whose message it is)]
FORMS = {
    "cspv4": [
        ("01010000" "00000000" "00000000" "00040005" + "00" * 12, "plc4x ab-eth, connect"),
        ("01070009" "........" "00000000" + "00" * 16 + "00050000" "0600" "...." "03", "plc4x ab-eth header, 1770-6.5.16 status"),
    ],
    "focas": [
        ("a0a0a0a0" "0001" "0101" "0002" "0002", "pyfanuc, open"),
        ("a0a0a0a0" "0001" "2101" "001e" "0001" "001c" "0001" "0001" "0018" + "00" * 20, "pyfanuc, sysinfo"),
        ("a0a0a0a0" "0001" "0201" "0000", "pyfanuc, close"),
    ],
    "mbus_tcp": [("105b" "...." "16", "libmbus, REQ_UD2")],
    "fox": [("666f7820612031202d3120666f782068656c6c6f0a7b0a666f782e76657273696f6e3d733a312e300a69643d693a310a7d3b3b0a",
             "nmap fox-info")],
    "pcworx": [
        ("0101001a0000000078800003000c494245544830314e305f4d00", "nmap pcworx-info, 1"),
        ("01050016000100007880" "00.." "00000006000402950000", "nmap pcworx-info, 2"),
        ("0106000e00020000000000" ".." "0400", "nmap pcworx-info, 3"),
        ("0102000c" "...." "ffffff0f00" "..", "a public client's disconnect"),
    ],
    "proconos": [("cc01000b4002000047ee", "nmap-service-probes")],
    "codesys_v2": [("bbbb01000000" "0[12]", "nmap codesys-v2-discover, little-endian"),
                   ("bbbb00000001" "0[12]", "zgrab2 codesys2, big-endian")],
    "codesys_v3": [("000117e8" "24000000" "c56b40030033" "[0-9a-f]{24}" "0000" "02c2" "0004" "........", "ics-forensics-tools")],
    "crimson_v3": [("0004012b1b00", "cr3-fingerprint, maker"), ("0004012a1a00", "cr3-fingerprint, model")],
    "ge_srtp": [
        ("00" * 56, "gesrtp clients, connect"),
        ("0200" "(..)" "00" "0000" "000000" "01" + "00" * 7 + "01" + "00" * 8 + "000000" "00" r"\1" "c0" "00000000"
         "[123]00e0000" "0101" "43" + "00" * 13, "gesrtp clients' header, GFK-0529C service 43"),
    ],
    # Those that tshark dissects are held against other clients' bytes all the same.
    "doip": [("02fd00010000" "0000", "python-doipclient"), ("ff0000010000" "0000", "ISO 13400-2, any version"),
             ("02fd40010000" "0000", "python-doipclient")],
    "hsms": [("0000000a" "ffff" "0000" "00" "0[19]" "........", "secs4js, select and separate"),
             ("0000000a" "[0-7]..." "8101" "0000" "........", "secs4js, S1F1")],
    "coap": [("5401" "...." "........" "bb2e77656c6c2d6b6e6f776e" "04636f7265", "libcoap's coap-client -N"), ("6000" "....", "RFC 7252, 4.2")],
    "mqtt": [("1018" "00044d515454" "04" "02" "001e" "000c" "61736b616e63652d" "(6[1-9a-f]|7[0-9a]){4}", "mosquitto_sub -V 311"),
             ("8218" "0001" "0013" "245359532f62726f6b65722f76657273696f6e" "00", "mosquitto_sub"), ("e000", "mosquitto_sub")],
    "dicom": [
        ("0100000000d6" "00010000" "[0-9a-f]{32}" "41534b414e4345202020202020202020" + "00" * 32 + "10000015"
         "312e322e3834302e31303030382e332e312e312e31" "2000002e01000000" "30000011" "312e322e3834302e31303030382e312e31"
         "40000011" "312e322e3834302e31303030382e312e32" "50000043" "5100000400004000" "5200002c" "322e32352e[0-9a-f]{78}"
         "55000007" "41534b414e4345", "dcmtk's echoscu, with our names"),
        ("04000000004a" "000000460103" "000000000400000038000000" "0000020012000000" "312e322e3834302e31303030382e312e3100"
         "00000001020000003000" "00001001020000000100" "00000008020000000101", "dcmtk's echoscu"),
        ("05000000000400000000", "dcmtk's echoscu"),
    ],
}


def mbus_checksum(data):
    return "" if data[3] == (data[1] + data[2]) & 0xFF and 1 <= data[2] <= 250 else "the checksum or address is wrong"


def kermit(data):
    """CRC-16/KERMIT of ProConOS, low byte first."""
    crc = 0
    for byte in data[:-2]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return "" if data[-2:] == crc.to_bytes(2, "little") else "the checksum is wrong"


COMPUTED = {"mbus_tcp": mbus_checksum, "proconos": kermit}
FORMS.update(rule_plants.FORMS)
COMPUTED.update(rule_plants.COMPUTED)


def judge_bytes(protocol, payload):
    """What is wrong with one message; empty when nothing is, None when there is no pattern for the protocol."""
    if protocol not in FORMS:
        return None
    for pattern, _ in FORMS[protocol]:
        if re.fullmatch(pattern, payload.hex()):
            return COMPUTED[protocol](payload) if protocol in COMPUTED else ""
    return "no other client sends such bytes"
