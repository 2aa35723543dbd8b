// Searches KNXnet/IP gateways, asks one for its description and sends group telegrams through its tunnel.
// usage: node knx.js SECONDS IP
const { KNXClient, KNXClientEvents } = require('knxultimate');
const [seconds, ip] = [Number(process.argv[2]), process.argv[3]];

(async () => {
	await KNXClient.discover('eth0', 2000).catch(() => {});
	await KNXClient.getGatewayDescription(ip, '3671', 'eth0', 2000).catch(() => {});
	const client = new KNXClient({ ipAddr: ip, ipPort: '3671', hostProtocol: 'TunnelUDP', physAddr: '1.1.120', interface: 'eth0', loglevel: 'error' });
	let timer;

	client.on(KNXClientEvents.error, () => {});
	client.on(KNXClientEvents.connected, () => {
		let on = false;
		timer = setInterval(() => client.write('1/2/3', (on = !on), '1.001'), 2000);
	});
	client.Connect();
	setTimeout(async () => {
		clearInterval(timer);
		await client.Disconnect();
		process.exit(0);
	}, seconds * 1000);
})();
