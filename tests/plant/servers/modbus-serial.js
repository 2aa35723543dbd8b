// A Modbus server (npm modbus-serial) with the identity that plant.json gives to HOST and one private object.
// usage: node modbus-serial.js PLANT.JSON HOST
const Modbus = require('modbus-serial');
const host = require(process.argv[2]).hosts.find((h) => h.name === process.argv[3]);
const value = (name) => host.attributes.find((a) => a.name === name).value;

new Modbus.ServerTCP({
	getHoldingRegister: (address) => address + 8000,
	getInputRegister: (address) => address,
	getCoil: (address) => address % 2 === 0,
	readDeviceIdentification: () => ({ 0: value('vendor'), 1: value('order_code'), 2: value('firmware'), 0x80: 'bowl 40 l' }),
}, { host: host.ip, port: 502, unitID: 1 });
