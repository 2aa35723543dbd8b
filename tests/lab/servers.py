"""Starts the machines' software: real servers, players, fragile devices, and the masters that poll them."""
import json
import os
import subprocess

from sensor import PROBE_IP
from scene import HERE, PYTHON, RECORDINGS, ROOT

PLANT = ROOT / "tests/plant"
HMI, HMI_MAC = "10.20.30.50", "02:20:30:00:00:50"


class Staff:
    """Knows how each kind of software is started."""

    def __init__(self, scene, machines, npm):
        self.scene, self.machines, self.work = scene, machines, scene.work
        self.node = {"NODE_PATH": str(npm / "node_modules")}
        self.conf = self.work / "plant.json"
        self.conf.write_text(json.dumps({"hosts": [{"attributes": [], **m} for m in machines]}))
        self.hmi = scene.machine("hmi-1", HMI, HMI_MAC)

    def environment(self):
        return {**os.environ, **self.node}

    def make(self, machine):
        host = self.scene.machine(machine["name"], machine["ip"], machine["mac"])
        if machine["kind"] == "player":
            self.start_player(host, machine)
        elif machine["kind"] == "fragile":
            self.start_fragile(host, machine)
        else:
            getattr(self, "start_" + machine["runs"].replace("-", "_"))(host, machine)

    def poll(self, machine):
        """The master's side, from the HMI."""
        if machine["kind"] == "player":
            return self.start_master(machine, machine)
        if machine["kind"] == "fragile":
            cycle = [f"000100000006{unit:02x}03000a0004" for unit in machine.get("units", [1])]
            return self.start_master(machine, {"transport": "tcp", "port": 502, "cycle": cycle, "period_s": machine.get("period_s", 0.3), "count": [1]})
        start = getattr(self, "poll_" + machine["runs"].replace("-", "_"), None)
        return start(machine) if start else None

    def shut_out(self, machines):
        """A black hole takes what we send and gives nothing back; its own master is served as ever."""
        for machine in machines:
            if machine.get("flaw") == "black-hole":
                self.scene.machines[machine["name"]].run("ip", "route", "add", "blackhole", PROBE_IP + "/32")

    @staticmethod
    def value(machine, name):
        return next(a["value"] for a in machine["attributes"] if a["name"] == name)

    # -- our own

    def recorded(self, machine):
        return [str(RECORDINGS / machine["recording"] / f) for f in machine["files"]]

    def start_player(self, host, machine):
        spec = {k: machine[k] for k in ("transport", "port", "recorded_port", "greets", "pairs", "echo", "echo_of", "sum", "match") if k in machine}
        spec["recordings"] = self.recorded(machine)
        host.start(PYTHON, HERE / "player.py", machine["ip"], json.dumps(spec))
        if machine.get("also_udp"):
            host.start(PYTHON, HERE / "player.py", machine["ip"], json.dumps({**spec, "transport": "udp"}))

    def start_fragile(self, host, machine):
        host.start(PYTHON, HERE / "fragile.py", machine["flaw"], machine["ip"], HMI, *([json.dumps(machine["identity"])] if "identity" in machine else []))

    def start_master(self, machine, spec):
        spec = {k: spec[k] for k in ("transport", "port", "cycle", "hello", "count", "period_s") if k in spec}
        if any(t.startswith("recorded:") for t in spec.get("hello", [])):
            spec["hello"] = [self.recorded_question(machine, t) for t in spec["hello"]]
        self.hmi.start(PYTHON, HERE / "master.py", machine["ip"], json.dumps(spec), label="-" + machine["name"])

    def recorded_question(self, machine, text):
        """`recorded:N`: the N-th question of the recording; long ones are not written down a second time."""
        import player
        if not text.startswith("recorded:"):
            return text
        spec = {"transport": machine["transport"], "port": machine.get("recorded_port", machine["port"]), "recordings": self.recorded(machine)}
        return player.Book({**spec, "recorded_port": spec["port"]}).pairs[int(text.split(":")[1])][0].hex()

    # -- servers

    def start_pymodbus(self, host, machine):
        host.start(PYTHON, PLANT / "servers/modbus.py", self.conf, host.name)

    def node_server(self, host, script, *args):
        host.start("node", script, *args, **self.node)

    def start_modbus_serial(self, host, machine):
        self.node_server(host, PLANT / "servers/modbus-serial.js", self.conf, host.name)

    def start_jsmodbus(self, host, machine):
        self.node_server(host, HERE / "clients/jsmodbus-server.js", machine["ip"])

    def start_node_snap7(self, host, machine):
        self.node_server(host, PLANT / "servers/s7.js", self.conf, host.name)

    def start_node_bacnet(self, host, machine):
        self.node_server(host, PLANT / "servers/bacnet.js", self.conf, host.name)

    def start_node_opcua_server(self, host, machine):
        self.node_server(host, PLANT / "servers/opcua.js", self.conf, host.name, self.work)

    def start_secs4js(self, host, machine):
        self.node_server(host, HERE / "clients/hsms.js", "equipment", machine["ip"], self.value(machine, "product"), self.value(machine, "software"))

    def start_knxd(self, host, machine):
        host.start("knxd", "-e", self.value(machine, "network_address"), "-E", "1.1.100:8", "-n", self.value(machine, "name"), "-D", "-T", "-R",
                   "-I", "eth0", "-S", "224.0.23.12:3671", "-b", "dummy:")

    def start_mosquitto(self, host, machine):
        (self.work / "mosquitto.conf").write_text("listener 1883\nallow_anonymous true\nuser root\n")
        host.start("mosquitto", "-c", self.work / "mosquitto.conf")

    def start_libcoap(self, host, machine):
        host.start("coap-server-notls", "-A", machine["ip"])

    def start_storescp(self, host, machine):
        host.start("storescp", "--aetitle", self.value(machine, "network_address"), "--output-directory", self.work, "104")

    def start_snmpd(self, host, machine):
        keys = (("sysDescr", "description"), ("sysName", "name"), ("sysLocation", "location"), ("sysContact", "contact"))
        (self.work / "snmpd.conf").write_text("".join(f"{k} {self.value(machine, v)}\n" for k, v in keys) + "rocommunity public\n")
        (self.work / "snmp").mkdir(exist_ok=True)
        host.start("snmpd", "-f", "-Lo", "-C", "-c", self.work / "snmpd.conf", "-p", "/run/snmpd.pid", "udp:161", SNMP_PERSISTENT_DIR=str(self.work / "snmp"))

    def start_nginx(self, host, machine):
        w = self.work
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
                        f"/O=Northfield Controls/CN={self.value(machine, 'certificate')}", "-keyout", w / "portal.key", "-out", w / "portal.crt"],
                       check=True, capture_output=True)
        (w / "www").mkdir(exist_ok=True)
        (w / "www/index.html").write_text("<html><head><title>Recipe portal</title></head><body>Recipes</body></html>\n")
        places = "".join(f"{name} /run/nginx-{name};" for name in
                         ("client_body_temp_path", "proxy_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path"))
        (w / "nginx.conf").write_text(
            f"daemon off; user root; pid /run/nginx.pid; error_log {w}/log/nginx; events {{}}\n"
            f"http {{ access_log off; root {w}/www; {places} server {{ listen 80; listen 443 ssl; ssl_protocols TLSv1.2 TLSv1.3;\n"
            f"ssl_certificate {w}/portal.crt; ssl_certificate_key {w}/portal.key; }} }}\n")
        host.start("nginx", "-c", w / "nginx.conf")

    def start_dropbear(self, host, machine):
        subprocess.run(["dropbearkey", "-t", "ed25519", "-f", self.work / "hostkey"], capture_output=True, check=True)
        host.start("dropbear", "-F", "-E", "-r", self.work / "hostkey", "-p", "22", "-P", "/run/dropbear.pid")

    # -- their masters: they poll what a plant polls, and don't ask who the device is

    def client(self, machine, *command, **environment):
        self.hmi.start(*command, label="-" + machine["name"], **environment)

    def repeat(self, machine, command, pause=1):
        self.client(machine, "sh", "-c", f"while :; do {command}; sleep {pause}; done")

    def poll_pymodbus(self, machine):
        self.client(machine, PYTHON, HERE / "clients/modbus.py", machine["ip"], 1)

    poll_modbus_serial = poll_jsmodbus = poll_pymodbus

    def poll_node_snap7(self, machine):
        self.client(machine, "node", HERE / "clients/s7.js", machine["ip"], **self.node)

    def poll_node_bacnet(self, machine):
        self.client(machine, "node", HERE / "clients/bacnet.js", machine["ip"], **self.node)

    def poll_node_opcua_server(self, machine):
        self.client(machine, "node", HERE / "clients/opcua.js", machine["ip"], self.work, **self.node)

    def poll_knxd(self, machine):
        self.client(machine, "node", HERE / "clients/knx.js", machine["ip"], **self.node)

    def poll_secs4js(self, machine):
        self.client(machine, "node", HERE / "clients/hsms.js", "host", machine["ip"], **self.node)

    def poll_mosquitto(self, machine):
        self.client(machine, "mosquitto_sub", "-h", machine["ip"], "-i", "hmi-1", "-t", "plant/#", "-k", 5)
        self.repeat(machine, f"mosquitto_pub -h {machine['ip']} -i station-1 -t plant/hall3/shift -m 1")

    def poll_libcoap(self, machine):
        self.repeat(machine, f"coap-client-notls -B 2 coap://{machine['ip']}/time")

    def poll_storescp(self, machine):
        self.repeat(machine, f"echoscu -aet STATION1 -aec {self.value(machine, 'network_address')} {machine['ip']} 104", 2)

    def poll_snmpd(self, machine):
        self.repeat(machine, f"snmpget -v2c -c public -t 2 {machine['ip']} 1.3.6.1.2.1.1.3.0")

    def poll_nginx(self, machine):
        self.repeat(machine, f"curl -s -m 3 -k --tlsv1.3 https://{machine['ip']}/ -o /dev/null")

    def poll_dropbear(self, machine):
        self.repeat(machine, f"ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null operator@{machine['ip']} true", 3)
