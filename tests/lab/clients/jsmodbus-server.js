// A Modbus server (npm jsmodbus) without identity; a RST from a client ends it. usage: node jsmodbus-server.js IP
const modbus = require('jsmodbus');
const net = require('net');
const server = new net.Server();

new modbus.server.TCP(server, { holding: Buffer.alloc(1000) });
server.listen(502, process.argv[2]);
