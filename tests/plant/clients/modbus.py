#!/usr/bin/python3
"""Polls Modbus servers as an HMI does: registers all the time, identity once. Ends with a FIN.

usage: modbus.py SECONDS IP:UNIT[,UNIT...]...
"""
import sys
import threading
import time

from pymodbus.client import ModbusTcpClient
from pymodbus.mei_message import ReadDeviceInformationRequest
from pymodbus.other_message import ReportSlaveIdRequest


def ask_identity(client, unit):
    more, at = True, 0
    while more:
        answer = client.execute(ReadDeviceInformationRequest(3, at, unit=unit))
        if answer.isError():
            return
        more, at = answer.more_follows != 0, answer.next_object_id
    client.execute(ReportSlaveIdRequest(unit=unit))


def poll(ip, units, until):
    client = ModbusTcpClient(ip, timeout=2)
    client.connect()
    count = 0
    while time.monotonic() < until:
        for unit in units:
            client.read_holding_registers(count % 50, 10, slave=unit)
            client.read_input_registers(0, 4, slave=unit)
            client.read_coils(0, 16, slave=unit)
            if count % 20 == 5:
                client.write_register(3, count, slave=unit)
            if count == 8:
                ask_identity(client, unit)
        count += 1
        time.sleep(0.2)
    client.close()


end = time.monotonic() + float(sys.argv[1])
threads = []
for target in sys.argv[2:]:
    address, numbers = target.split(":")
    threads.append(threading.Thread(target=poll, args=(address, [int(n) for n in numbers.split(",")], end)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
