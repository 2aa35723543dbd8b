// Reads a SIMATIC S7 as an HMI does: data all the time, identity once. usage: node s7.js SECONDS IP
const snap7 = require('node-snap7');
const [seconds, ip] = [Number(process.argv[2]), process.argv[3]];
const client = new snap7.S7Client();
const end = Date.now() + seconds * 1000;

if (!client.ConnectTo(ip, 0, 2))
	throw new Error(client.ErrorText(client.LastError()));
client.GetOrderCode();
client.GetCpuInfo();
client.GetCpInfo();
client.PlcStatus();
client.ListBlocks();
client.ReadSZL(0x0011, 0x0000);
const timer = setInterval(() => {
	client.DBRead(1, 0, 64);
	client.MBRead(0, 16);
	if (Date.now() > end) {
		clearInterval(timer);
		client.Disconnect();
	}
}, 250);
