#!/usr/bin/python3
"""A Modbus server (pymodbus 3.0) with the identity and the units that plant.json gives to HOST.

usage: modbus.py PLANT.JSON HOST
"""
import json
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartTcpServer

FIELDS = {"vendor": "VendorName", "order_code": "ProductCode", "firmware": "MajorMinorRevision", "uri": "VendorUrl",
          "product": "ProductName", "model": "ModelName", "application": "UserApplicationName"}

host = next(h for h in json.load(open(sys.argv[1]))["hosts"] if h["name"] == sys.argv[2])
identity = ModbusDeviceIdentification()
for attribute in host["attributes"]:
    setattr(identity, FIELDS[attribute["name"]], attribute["value"])


def unit(number):
    def block(base):
        return ModbusSequentialDataBlock(0, [(base + number * 100 + i) & 0xFFFF for i in range(200)])
    return ModbusSlaveContext(di=block(0), co=block(1), hr=block(1000), ir=block(2000))


units = host.get("units")
context = ModbusServerContext(slaves={n: unit(n) for n in units} if units else unit(1), single=not units)
StartTcpServer(context=context, identity=identity, address=(host["ip"], 502))
