// A SIMATIC S7-300 as snap7's server plays it. usage: node s7.js PLANT.JSON HOST
const snap7 = require('node-snap7');
const host = require(process.argv[2]).hosts.find((h) => h.name === process.argv[3]);
const server = new snap7.S7Server();

server.RegisterArea(server.srvAreaDB, 1, Buffer.alloc(256, 0x11));
server.RegisterArea(server.srvAreaMK, Buffer.alloc(128));
if (!server.StartTo(host.ip))
	throw new Error(server.ErrorText(server.LastError()));
// Something must refer to the server, or it is collected as garbage and ends.
setInterval(() => server.ServerStatus(), 1000);
