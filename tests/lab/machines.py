"""The machines of the lab, one entry each: what runs there, who polls it, what may be asked, and who else can say the truth.

kind      server: real software, configured from `attributes` (those `built_in` are the software's own words);
          player: recorded answers of a real implementation (`recording`), whose cyclic traffic (`pairs`) is ours;
          fragile: a Modbus device of our own with one flaw.
ask       rules, best first: the first that is proposed is approved.
nse       the script that nmap asks the same device with.
reads     [what the reference prints under that key, names of our attributes that must say the same].
short     part of the short form.
"""


def attribute(protocol, **values):
    return [{"protocol": protocol, "name": name, "value": value} for name, value in values.items()]


def modbus_reads(*names):
    return [["Device identification", list(names)]]


SERVERS = [
    {"name": "press-1", "runs": "pymodbus", "ip": 11, "protocol": "modbus", "transport": "tcp", "port": 502, "short": True,
     "ask": ["modbus"], "nse": {"script": "modbus-discover"},
     "attributes": attribute("modbus", vendor="Northfield Controls", order_code="NC-4420", firmware="V2.7.1"),
     "reads": modbus_reads("vendor", "order_code", "firmware")},
    {"name": "mixer-1", "runs": "modbus-serial", "ip": 13, "protocol": "modbus", "transport": "tcp", "port": 502, "short": True,
     "ask": ["modbus"], "nse": {"script": "modbus-discover"},
     "attributes": attribute("modbus", vendor="Mixing Machines", order_code="MM-200", firmware="4.0.9"),
     "reads": modbus_reads("vendor", "order_code", "firmware")},
    {"name": "valve-1", "runs": "jsmodbus", "ip": 26, "protocol": "modbus", "transport": "tcp", "port": 502,
     "ask": ["modbus"], "nse": {"script": "modbus-discover"}, "mute": True},
    {"name": "plc-s7", "runs": "node-snap7", "ip": 14, "protocol": "s7comm", "transport": "tcp", "port": 102, "short": True,
     "ask": ["s7comm"], "nse": {"script": "s7-info"},
     "attributes": attribute("s7comm", order_code="6ES7 315-2EH14-0AB0", name="SNAP7-SERVER"),
     "reads": [["Module", ["order_code"]], ["Basic Hardware", ["order_code"]], ["Version", ["firmware"]], ["System Name", ["name"]],
               ["Module Type", ["product", "description", "name"]], ["Serial Number", ["serial"]]]},
    {"name": "chiller-1", "runs": "node-bacnet", "ip": 15, "protocol": "bacnet", "transport": "udp", "port": 47808, "short": True,
     "ask": ["bacnet"], "nse": {"script": "bacnet-info"},
     "attributes": attribute("bacnet", network_address="260115", vendor_id="999", vendor="Coldwater Instruments", product="CW-90",
                             firmware="3.1.4", software="chiller 8", name="Chiller 1", location="Roof, west",
                             description="Process cooling", serial="CW90-000317"),
     "reads": [["Vendor Name", ["vendor"]], ["Object-identifier", ["network_address"]], ["Firmware", ["firmware"]],
               ["Application Software", ["software"]], ["Object Name", ["name"]], ["Model Name", ["product"]],
               ["Description", ["description"]], ["Location", ["location"]]]},
    {"name": "line-server", "runs": "node-opcua-server", "ip": 16, "protocol": "opcua", "transport": "tcp", "port": 4840,
     "ask": ["opcua"],
     "attributes": attribute("opcua", product="Line Server", uri="urn:line-server:northfield:LineServer", vendor="Northfield Controls",
                             firmware="5.2.0")},
    {"name": "knx-1", "runs": "knxd", "ip": 17, "protocol": "knxnet_ip", "transport": "udp", "port": 3671, "short": True,
     "ask": ["knxnet_ip"], "nse": {"script": "knx-gateway-info"},
     "attributes": attribute("knxnet_ip", name="hall-lights", network_address="1.1.1"),
     "reads": [["Device friendly name", ["name"]], ["KNX address", ["network_address"]], ["Device serial", ["serial"]]]},
    {"name": "broker-1", "runs": "mosquitto", "ip": 18, "protocol": "mqtt", "transport": "tcp", "port": 1883,
     "ask": ["mqtt"], "nse": {"script": "mqtt-subscribe", "args": "mqtt-subscribe.topic=$SYS/broker/version,mqtt-subscribe.listen-time=2s"},
     "reads": [["$SYS/broker/version", ["software", "firmware"]]]},
    {"name": "sensor-1", "runs": "libcoap", "ip": 19, "protocol": "coap", "transport": "udp", "port": 5683,
     "ask": ["coap"], "nse": {"script": "coap-resources"}},
    {"name": "xray-1", "runs": "storescp", "ip": 20, "protocol": "dicom", "transport": "tcp", "port": 104,
     "ask": ["dicom"], "nse": {"script": "dicom-ping"},
     "attributes": attribute("dicom", network_address="XRAY1")},
    {"name": "switch-1", "runs": "snmpd", "ip": 21, "protocol": "snmp", "transport": "udp", "port": 161, "short": True,
     "ask": ["snmp"], "nse": {"script": "snmp-sysdescr"},
     "attributes": attribute("snmp", description="Ring Switch RS-16, firmware 8.1.0", name="switch-1", location="Hall 3, cabinet 2",
                             contact="operations@plant.example"),
     "reads": [["snmp-sysdescr", ["description"]]]},
    {"name": "portal-1", "runs": "nginx", "ip": 22, "protocol": "tls", "transport": "tcp", "port": 443,
     "ask": ["tls"], "nse": {"script": "ssl-cert"},
     "attributes": attribute("tls", certificate="portal-1.plant.example"),
     "reads": [["ssl-cert", ["certificate", "name", "hostname"]]]},
    {"name": "logger-1", "runs": "dropbear", "ip": 23, "protocol": "ssh", "transport": "tcp", "port": 22,
     "ask": ["ssh"], "nse": {"script": "banner"},
     "attributes": attribute("ssh", software="dropbear_2022.83"),
     "reads": [["banner", ["software"]]]},
    {"name": "etcher-1", "runs": "secs4js", "ip": 25, "protocol": "hsms", "transport": "tcp", "port": 5000,
     "ask": ["hsms"],
     "attributes": attribute("hsms", product="Etcher 9", software="2.4.1")},
]

ENIP_CONTEXT, NULL4 = "0000000000000000", "00000000"
ENIP_DATA = NULL4 + "0000" + "0200" + NULL4 + "b2000800"
FINS_READ, FINS_VALUES = "800002000000006300000101820064000001", "c0000200630000000000010100001234"
MELSOFT_READ = "57000000001111070000ffff030000fe03000014001c080a080000000000000004" + "0401010000000001"
MELSOFT_VALUES = "d700000000111107000000e40300ffff0300001c00" + "9c000c0800000000100400000000" + "0401010000000001" + "00000000" + "0000"
FINS_FRAME = "46494e53%08x%08x00000000"

# `cycle` and `hello` are what the master says; `pairs` are answered by the player beside what was recorded.
PLAYERS = [
    {"name": "robot-1", "recording": "enip-opener", "files": ["exchange.pcap", "exchange-udp.pcap"], "ip": 60, "protocol": "enip",
     "transport": "tcp", "port": 44818, "also_udp": True, "short": True, "ask": ["enip-udp", "enip-list"], "nse": {"script": "enip-info"},
     "echo": [[12, 12, 8]],
     "hello": ["65000400" + NULL4 * 2 + ENIP_CONTEXT + NULL4 + "01000000"],
     "cycle": ["6f00180044332211" + NULL4 + ENIP_CONTEXT + NULL4 + ENIP_DATA + "0e03200424643003"],
     "pairs": [["65000400" + NULL4 * 2 + ENIP_CONTEXT + NULL4 + "01000000", "6500040044332211" + NULL4 + ENIP_CONTEXT + NULL4 + "01000000"],
               ["6f00180044332211" + NULL4 + ENIP_CONTEXT + NULL4 + ENIP_DATA + "0e03200424643003",
                "6f00180044332211" + NULL4 + ENIP_CONTEXT + NULL4 + ENIP_DATA + "8e00000012345678"]],
     "reads": [["vendor", ["vendor", "vendor_id"]], ["productName", ["product"]], ["serialNumber", ["serial"]], ["revision", ["firmware"]],
               ["Product Name", ["product"]], ["Serial Number", ["serial"]]]},
    {"name": "packer-1", "recording": "fins-udp-recorded", "files": ["exchange.pcap"], "ip": 61, "protocol": "fins", "transport": "udp",
     "port": 9600, "short": True, "ask": ["fins"], "nse": {"script": "omron-info"},
     "echo": [[3, 6, 3], [6, 3, 3], [9, 9, 1]], "count": [9], "cycle": [FINS_READ], "pairs": [[FINS_READ, FINS_VALUES]],
     "reads": [["Controller Model", ["product", "order_code"]], ["Controller Version", ["firmware"]]]},
    {"name": "palletizer-1", "recording": "fins-tcp-recorded", "files": ["exchange.pcap"], "ip": 62, "protocol": "fins", "transport": "tcp",
     "port": 9600, "ask": ["fins-tcp"], "nse": {"script": "omron-info"},
     "hello": [FINS_FRAME % (12, 0) + NULL4], "cycle": [FINS_FRAME % (26, 2) + FINS_READ],
     "pairs": [[FINS_FRAME % (26, 2) + FINS_READ, FINS_FRAME % (25, 2) + FINS_VALUES]],
     "reads": [["Controller Model", ["product", "order_code"]], ["Controller Version", ["firmware"]]]},
    {"name": "rtu-1", "recording": "iec104-debian-lib60870", "files": ["exchange.pcap"], "ip": 63, "protocol": "iec104", "transport": "tcp",
     "port": 2404, "short": True, "ask": ["iec104"], "nse": {"script": "iec-identify"},
     "hello": ["680407000000"], "cycle": ["680443000000"],
     "note": "the script prints the broadcast address that it asked itself"},
    {"name": "boiler-1", "recording": "pcworx-recorded", "files": ["exchange.pcap"], "ip": 64, "protocol": "pcworx", "transport": "tcp",
     "port": 1962, "ask": ["pcworx"], "nse": {"script": "pcworx-info"},
     "hello": ["0101001a0000000078800003000c494245544830314e305f4d00"], "cycle": ["01050016000100007880004c00000006000402950000"],
     "reads": [["PLC Type", ["product"]], ["Model Number", ["order_code"]], ["Firmware Version", ["firmware"]]]},
    {"name": "station-2", "recording": "fox-recorded", "files": ["exchange.pcap"], "ip": 65, "protocol": "fox", "transport": "tcp",
     "port": 1911, "ask": ["fox"], "nse": {"script": "fox-info"},
     "cycle": ["666f7820612031202d3120666f782068656c6c6f0a7b0a666f782e76657273696f6e3d733a312e300a69643d693a310a7d3b3b0a"],
     "reads": [["hostName", ["hostname", "name"]], ["app.version", ["firmware", "software"]], ["brandId", ["vendor", "product"]]]},
    {"name": "relay-1", "recording": "dnp3-opendnp3", "files": ["exchange-ownprobe.pcap"], "ip": 66, "protocol": "dnp3", "transport": "tcp",
     "port": 20000, "greets": True, "sum": "dnp3", "ask": ["dnp3", "dnp3-link"], "echo": [], "cycle": ["056405c90a000100feda"],
     "reads": [["Source Address", ["network_address"]]]},
    {"name": "tank-gauge", "recording": "hartip-udp-recorded", "files": ["exchange.pcap"], "ip": 67, "protocol": "hart_ip", "transport": "udp",
     "port": 5094, "ask": ["hart_ip"], "count": [5], "echo": [[4, 4, 2]], "match": [[2, "03", 1]],
     "cycle": ["0100020000000008"], "pairs": [["0100020000000008", "0101020000000008"]]},
    {"name": "pmu-1", "recording": "c37118-pypmu", "files": ["exchange.pcap"], "recorded_port": 1410, "ip": 68, "protocol": "c37_118",
     "transport": "tcp", "port": 4712, "ask": ["c37_118"], "echo": [], "match": [[14, "0003", 0], [14, "0005", 1]],
     "cycle": ["aa41001205826b02497d000b51b10003eb26"],
     "reads": []},
    {"name": "loader-1", "recording": "doip-libdoip", "files": ["exchange.pcap"], "ip": 69, "protocol": "doip", "transport": "udp",
     "port": 13400, "ask": ["doip"], "cycle": ["02fd400300000000"]},
    {"name": "water-meter", "recording": "mbus-pymbusslave", "files": ["exchange.pcap"], "recorded_port": 10002, "ip": 70, "protocol": "mbus_tcp",
     "transport": "tcp", "port": 10001, "ask": ["mbus_tcp"], "cycle": ["105b035e16"],
     "reads": [["<Id>", ["serial", "network_address", "device_id"]]]},
    {"name": "bay-1", "recording": "iec61850-libiec61850", "files": ["exchange-dina.pcap"], "recorded_port": 10102, "ip": 71, "protocol": "mms",
     "transport": "tcp", "port": 102, "ask": ["mms"], "match": [[7, "0d", 1]],
     "hello": ["0300001611e00000000100c1020000c2020001c0010a",
               "recorded:1"],
     "cycle": ["0300002402f0800100010061173015020103a010a00e020101a109a003800109a1028000"],
     "echo_of": {"22": [[8, 6, 2]]},
     "reads": [["vendorName_identify", ["vendor"]], ["modelName_identify", ["product"]], ["modelNumber_identify", ["firmware"]]]},
    {"name": "welder-1", "recording": "melsec-recorded", "files": ["exchange-melsecq-discover.pcap"], "ip": 73, "protocol": "melsoft",
     "transport": "tcp", "port": 5007, "ask": ["melsoft"], "cycle": [MELSOFT_READ], "pairs": [[MELSOFT_READ, MELSOFT_VALUES]],
     "reads": [["CPUINFO", ["product"]]]},
    {"name": "panel-1", "recording": "crimson-recorded", "files": ["exchange-cr3-fingerprint.pcap"], "ip": 74, "protocol": "crimson_v3",
     "transport": "tcp", "port": 789, "ask": ["crimson_v3"], "cycle": ["0004012b1b00"],
     "reads": [["Manufacturer", ["vendor"]], ["Model", ["product"]]]},
    {"name": "ipc-1", "recording": "ads-udp-recorded", "files": ["exchange.pcap"], "ip": 72, "protocol": "ads", "transport": "udp",
     "port": 48899, "ask": ["ads-udp", "ads"], "cycle": ["036614710000000001000000000000000101000000000000"]},
]

GOOD_FLAWS = ["second", "strict", "needs-fin", "leak", "load", "one-master", "refuses", "resets", "half-close", "tarpit", "drip", "endless",
              "flood", "garbage", "banner", "black-hole"]
SHORT_FLAWS = ["second", "strict", "needs-fin", "one-master", "half-close", "tarpit"]


def fragile(number, flaw, name=None, **more):
    return {"name": name or f"weak-{flaw}", "kind": "fragile", "flaw": flaw, "runs": "fragile.py " + flaw, "ip": 100 + number,
            "protocol": "modbus", "transport": "tcp", "port": 502, "ask": ["modbus"], "short": flaw in SHORT_FLAWS, **more}


# Makers' prefixes, so that the sensor knows who is of one kind before anybody was asked.
SCHNEIDER, WAGO, PHOENIX, BECKHOFF, MOXA = "00:80:f4", "00:30:de", "00:a0:45", "00:01:05", "00:90:e8"
CYCLE_S = 1.0


def harmed_machines():
    """Devices that a mere question harms, devices that it doesn't, one that is unsteady by itself, and a gateway."""
    found = [fragile(20 + n, "dies", f"doomed-{n + 1}", maker=SCHNEIDER) for n in range(3)]
    found += [fragile(30, "slows", "slow-1", maker=WAGO), fragile(31, "reboots", "reboot-1", maker=PHOENIX)]
    found += [fragile(40 + n, "none", f"quiet-{n + 1}", maker=BECKHOFF) for n in range(2)]
    found += [fragile(50, "unsteady", "unsteady-1"), fragile(51, "none", "gate-1", maker=MOXA, units=[3, 9], ask=["modbus-units"])]
    for machine in found:
        complete(machine)["period_s"] = CYCLE_S
    return found


def all_machines():
    found = [dict(m, kind="server") for m in SERVERS] + [dict(m, kind="player", runs=m["recording"]) for m in PLAYERS]
    found += [fragile(n, flaw) for n, flaw in enumerate(GOOD_FLAWS)]
    for machine in found:
        complete(machine)
    return found


def complete(machine):
    number = machine["ip"]
    machine["ip"], machine["mac"] = f"10.20.30.{number}", machine.get("maker", "02:20:30") + f":00:00:{number:02x}"
    return machine
