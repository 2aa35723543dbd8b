"""What rendered messages of plant protocols must look like: to tshark, and byte for byte as other clients send them.

SLMP, MELSOFT, tank gauges and the discovery of ADS are not dissected by tshark, BSAP only on the port's guess: for them the
forms below are the whole check. Checksums and lengths of BER are computed here anew.
"""
import re

ZERO_HPAI = "000000000000"
RPC = "04002000" "10000000"
PNIO = "0100a0de976cd111827100a02442df7d"
EPM = "0883afe11f5dc91191a408002b14a0fa"
READ_IMPLICIT = (RPC + "0000a0de976cd11182710001" "........" + PNIO + "." * 32 + "00000000" "01000000" "00000000" "0500" "ffffffff"
                 "5400" "00000000" "40800000" "40000000" "40800000" "00000000" "40000000" "0009003c0100" "0000" + "00" * 16
                 + "00000000" "...." "...." "0000" "(aff0|f840)" "00008000" + "00" * 24)
INITIATE = ("030000bf02f0800db60506130100160102140200023302000134020001c1a031819da003800101a28195810400000001820400000001"
            "a423300f0201010604520100013004060251013010020103060528ca22020130040602510161623060020101a05b6059a107060528ca220203"
            "a20706052901876701a30302010ca606060429018767a70302010cbe33283106025101020103a028a826800300ff0081010a82010a830105a4"
            "16800101810305f100820c03ee1c000004000000010118")
ACCEPT = ("0300008f02f0800e8605061301001601021402000234020001c1743172a003800101a26b830400000001a5123007800100810251013007800100"
          "81025101614f304d020101a0486146a107060528ca220203a203020100a305a103020100be2f282d020103a028a926800300fde8810105820105"
          "830105a416800101810305f100820c03ee1c000000000000000118")

# protocol -> [(pattern, whose message it is)]
FORMS = {
    "fins": [
        ("80000200..00006300" ".." "050100", "nmap omron-info over UDP, node left open"),
        ("800007....00006300" ".." "050100", "the same, to another network"),
        ("80000200..00006300" ".." "0502..19", "W342 5-3-20"),
        ("46494e53" "0000000c" "00000000" "00000000" "00000000", "nmap omron-info over TCP, 1"),
        ("46494e53" "00000015" "00000002" "00000000" "80000200..0000..00" ".." "050100", "nmap omron-info over TCP, 2"),
        ("46494e53" "00000016" "00000002" "00000000" "80000200..0000..00" ".." "0502..19", "the same with W342 5-3-20"),
    ],
    "melsec_slmp": [("5000" "...." "(ff03|e[0-3]03)" "00" "0600" "1000" "0101" "0000", "pymcprotocol, read_cputype in 3E")],
    "melsoft": [("5a0000ff", "GX Works"), ("57000000001111070000ffff030000fe03000014001c080a0800000000000000040101010000000001",
                                           "melsecq-discover")],
    "hart_ip": [
        ("01000000" "...." "000d" "01" "00004e20", "hartip-info, session"),
        ("01000300" "...." "000d" "02800000" "82", "hartip-info, command 0"),
        ("01000300" "...." "0011" "82.{10}(14|4a)00" "..", "hartip-info, command 20; icsnpp traces, command 74"),
        ("01000300" "...." "0013" "82.{10}5402" "...." "..", "hartip-info, command 84"),
        ("01000100" "...." "0008", "HCF_SPEC-085, session close"),
    ],
    "ads": [
        ("03661471" "........" "01000000" "000000000101" "0000" "00000000", "AdsLib's adstool netid"),
        ("0000" "20000000" ".{12}" "...." ".{12}" "0180" "0100" "0400" "00000000" "00000000" "........", "AdsLib, ReadDeviceInfo"),
    ],
    "c37_118": [("aa410012" "...." "........" "00000000" "000[35]" "....", "pypmu, header and configuration 2")],
    "atg": [("014939303230300d0a", "Veeder-Root's manual, I90200"), ("014932303130300d0a", "atg-info, I20100")],
    "knxnet_ip": [
        ("06100203000e" "0801" + ZERO_HPAI, "knxd's eibnetdescribe, endpoint of a NAT client"),
        ("06100203000e" "0802" + ZERO_HPAI, "xknx over TCP"),
        ("0610020b0016" "0801" + ZERO_HPAI + "0804010203040508", "xknx, extended search"),
        ("06100205001a" "0801" + ZERO_HPAI + "0801" + ZERO_HPAI + "04040200", "knxd's client, tunnel"),
        ("061004200015" "04....00" "1100b0600000" "....010300", "Calimero, device descriptor read"),
        ("061004200019" "04....00" "1100b0600000" "....0503d5000b1001", "Calimero, property read of PID 11"),
        ("06100421000a" "04....00", "KNX 03_08_04, 2.6"),
        ("061002090010" "..00" "0801" + ZERO_HPAI, "knxd's client, disconnect"),
    ],
    "ethercat": [
        ("0d10" "07.." "00000000" "01000000" "00" "0000" + "00" * 31, "KickCAT, BRD of the type"),
        ("0d10" "07.." "00000000" "01000000" "00" "0000", "the same in a datagram"),
        ("6011" + "".join(f"01{i:02x}{-i & 0xff:02x}{-i >> 8 & 0xff:02x}0000" + ("0a80" if i < 15 else "0a00") + "0000" + "00" * 12
                          for i in range(16)), "ESC information by position, as KickCAT reads one"),
        ("0e10" "04.." "....3001" "02000000" "0000" "0000" + "00" * 30, "SOEM, AL status by station"),
    ],
    "mms": [
        ("0300001611e00000" "...." "00c1020000c2020001c0010a", "iec61850-mms, connect"),
        (INITIATE, "a recorded IEC 61850 client's association"),
        ("0300001b02f08001000100610e300c020103a007a0050201" "[0-7]." "8200", "iec61850-mms, identify"),
        ("0300002402f0800100010061173015020103a010a00e0201" "[0-7]." "a109a003800109a1028000", "iec61850-mms, domains"),
        ("0300....02f080010001006182....3082....020103a082....a082....0201" "[0-7]." "a482....800100a182....a082....(30..a0..a1..1a"
         "(..)+?1a..(4c504844312444432450|4c4c4e302444432450|4c4c4e30244443244|4c4c4e302444432400|4c4c4e30244443244e)(..)+?){8}",
         "iec61850-mms, read of name plates"),
        ("0300001602f0800100010061093007020103a0028b00", "libiec61850, conclude"),
    ],
    "profinet_cm": [
        (RPC + "00" * 16 + EPM + "." * 32 + "00000000" "03000000" "00000000" "0200" "ffffffff" "4c00" "00000000" "00000000" "01000000"
         + "00" * 16 + "02000000" + PNIO + "01000000" "01000000" + "00" * 20 + "01000000", "profinet-cm-lookup"),
        (READ_IMPLICIT, "Profinet Explorer, as recorded for index F840"),
    ],
    "modbus": [("....00000005..2b0e0[12]..", "nmap modbus-discover"), ("....00000002..11", "nmap modbus-discover"),
               ("....00000004..5a0002", "modicon-info, UMAS read id"), ("....00000005..5a000606", "modicon-info, UMAS card")],
    "bsap": [("0e000100" "0600" "(........)" "00000000" "..000000" r"0c\1(?:)" "0000a000" "0403d0010f01" "([2-7].){1,64}00",
              "OpenBSI, read of signals by name")],
    "c12_22": [("60(..)a2(..)(06|80)(..)+?a6(..)(06|80)(..)+?a8060204(........)be07280581038001" "20", "icsnpp's client, identify")],
}


def xor_of_hart(data):
    if data[2] != 3:
        return ""
    check = 0
    for byte in data[8:-1]:
        check ^= byte
    return "" if check == data[-1] and int.from_bytes(data[6:8], "big") == len(data) else "check byte or length is wrong"


def crc_of_c37(data):
    crc = 0xFFFF
    for byte in data[:-2]:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return "" if crc == int.from_bytes(data[-2:], "big") else "the checksum is wrong"


def lengths_of_ber(data):
    """Every constructed element must be filled exactly by what is in it."""
    def walk(data):
        while data:
            tag, size, used = data[0], data[1], 2
            if size & 0x80:
                used += size & 0x7F
                size = int.from_bytes(data[2:used], "big")
            if size > len(data) - used:
                return False
            if tag & 0x20 and not walk(data[used:used + size]):
                return False
            data = data[used + size:]
        return True
    if data[:2] == b"\x03\x00":
        if int.from_bytes(data[2:4], "big") != len(data):
            return "the TPKT's length is wrong"
        if data[7:8] != b"\x01":
            return ""
        data = data[11:]
    return "" if walk(data) else "an element's length is wrong"


def length_of_bsap(data):
    return "" if 14 + int.from_bytes(data[14:18], "little") == len(data) else "the length is wrong"


COMPUTED = {"hart_ip": xor_of_hart, "c37_118": crc_of_c37, "mms": lengths_of_ber, "c12_22": lengths_of_ber, "bsap": length_of_bsap}

FIELDS = [
    "knxip.service", "cemi.mc", "cemi.ax", "omron.command", "omron.tcp.command", "hart_ip.message_type", "hart_ip.message_id",
    "hart_ip.pt.command", "ams.cmdid", "synphasor.command", "synphasor.checksum.status", "c1222.cmd", "ecat.cmd", "ecat.ado",
    "mms.confirmedServiceRequest", "mms.initiate_RequestPDU_element", "mms.conclude_RequestPDU_element", "dcerpc.opnum",
    "dcerpc.pkt_type", "pn_io.index",
]
# Wireshark's word in frame.protocols, and for each field the values that may occur.
ALLOWED = {
    "knxnet_ip": ("kip", {"knxip.service": {"0x0203", "0x0205", "0x0209", "0x020b", "0x0420", "0x0421"}, "cemi.mc": {"0x11"},
                          "cemi.ax": {"0x03d5"}}),
    "fins": ("omron", {"omron.command": {"0x0501", "0x0502"}, "omron.tcp.command": {"0x00000000", "0x00000002"}}),
    "hart_ip": ("hart_ip", {"hart_ip.message_type": {"0"}, "hart_ip.message_id": {"0", "1", "3"},
                            "hart_ip.pt.command": {"0", "20", "74", "84"}}),
    "c37_118": ("synphasor", {"synphasor.command": {"0x0003", "0x0005"}, "synphasor.checksum.status": {"1"}}),
    "c12_22": ("c1222", {"c1222.cmd": {"0x20"}}),
    "ethercat": ("ecat", {"ecat.cmd": {"0x01", "0x04", "0x07"}, "ecat.ado": {"0x0000", "0x0130"}}),
    "mms": ("cotp", {"mms.confirmedServiceRequest": {"1", "2", "4"}}),
    "profinet_cm": ("dcerpc", {"dcerpc.opnum": {"2", "5"}, "dcerpc.pkt_type": {"0"}, "pn_io.index": {"0xaff0", "0xf840"}}),
}
# A field of which one must be there: tshark came down to what the message does.
DEEP = {
    "knxnet_ip": ["knxip.service"], "fins": ["omron.command", "omron.tcp.command"], "hart_ip": ["hart_ip.message_id"],
    "c37_118": ["synphasor.command"], "c12_22": ["c1222.cmd"], "ethercat": ["ecat.cmd"],
    "mms": ["cotp.type"], "profinet_cm": ["dcerpc.opnum"],
}


def contexts(protocol, payload):
    """What went before in the stream: MMS names its context when the association begins, and only then."""
    if protocol == "mms" and payload[7:8] == b"\x01":
        return [(True, bytes.fromhex(INITIATE)), (False, bytes.fromhex(ACCEPT))]
    return []


def is_read_deeply(protocol, read):
    if protocol == "mms" and "0x0f" in read["cotp.type"]:
        return any(read[name] for name in ("mms.confirmedServiceRequest", "mms.initiate_RequestPDU_element",
                                           "mms.conclude_RequestPDU_element"))
    return any(read[name] for name in DEEP[protocol])


# Messages that must be noticed: (protocol, transport, port, hex).
BAD = [
    ("fins", "udp", 9600, "80000200000000630001" "0401ffff04"),
    ("fins", "tcp", 9600, "46494e530000001600000002000000008000020001000063000104020000"),
    ("melsec_slmp", "tcp", 5007, "500000ffff0300060010000210" "0000"),
    ("hart_ip", "udp", 5094, "010003000002000d0280" "2a00" "a8"),
    ("hart_ip", "udp", 5094, "010003000002000d028000" "0083"),
    ("ads", "udp", 48899, "03661471" "01000000" "06000000" "000000000101" "0000" "00000000"),
    ("c37_118", "tcp", 4712, "aa4100120007000000000000000000015498"),
    ("c37_118", "tcp", 4712, "aa410012000700000000000000000005141d"),
    ("atg", "tcp", 10001, "01533030313030" "0d0a"),
    ("knxnet_ip", "udp", 3671, "061003100011" "04000000" "f6000b01" "0b1001"),
    ("knxnet_ip", "udp", 3671, "061004200015" "04000000" "1100b060000011010100" "81"),
    ("ethercat", "ethernet", 0x88A4, "0e10" "0801" "00002001" "02000000" "0100" "0000" + "00" * 30),
    ("mms", "tcp", 102, "0300001b02f08001000100610e300c020103a007a0050201018500"),
    ("profinet_cm", "udp", 34964, RPC + "0000a0de976cd111827100010000000" "0" + PNIO + "00" * 16
     + "00000000" "01000000" "00000000" "0000" "ffffffff" "0000" "00000000"),
    ("bsap", "udp", 1234, "0e00010006000100000000000000" "12000000" "0c01000000" "0000" "a00084" "03d0010f" "00"),
    ("c12_22", "tcp", 1153, "601ea2058003017b01a6058003017b02a806020400000001be0728058103800121"),
]
