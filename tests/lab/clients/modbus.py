#!/usr/bin/python3
"""Polls a Modbus server as an HMI does, registers only: who it is stays unsaid. usage: modbus.py IP UNIT..."""
import sys
import time

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient(sys.argv[1], timeout=2)
while True:
    if not client.is_socket_open() and not client.connect():
        time.sleep(1)
        continue
    for unit in map(int, sys.argv[2:]):
        client.read_holding_registers(0, 10, slave=unit)
    time.sleep(0.5)
