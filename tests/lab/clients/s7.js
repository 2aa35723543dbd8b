// Reads data of a SIMATIC S7 over and over, never who it is. usage: node s7.js IP
const snap7 = require('node-snap7');
const client = new snap7.S7Client();

if (!client.ConnectTo(process.argv[2], 0, 2))
	throw new Error(client.ErrorText(client.LastError()));
setInterval(() => client.DBRead(1, 0, 16), 500);
