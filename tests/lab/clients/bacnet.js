// Reads the present value of a BACnet device over and over, never who it is. usage: node bacnet.js IP
const Bacnet = require('node-bacnet');
const client = new Bacnet({ port: 47808, apduTimeout: 2000 });
const object = { type: Bacnet.enum.ObjectType.ANALOG_INPUT, instance: 1 };

client.on('error', () => {});
setInterval(() => client.readProperty({ address: process.argv[2] }, object, Bacnet.enum.PropertyIdentifier.PRESENT_VALUE, {}, () => {}), 500);
