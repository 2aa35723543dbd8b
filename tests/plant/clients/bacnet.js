// Discovers and reads a BACnet device as a building management station does. usage: node bacnet.js SECONDS IP INSTANCE
const Bacnet = require('node-bacnet');
const [seconds, ip, instance] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const client = new Bacnet({ port: 47808, broadcastAddress: '10.20.30.255', apduTimeout: 2000 });
const P = Bacnet.enum.PropertyIdentifier;
const device = { type: Bacnet.enum.ObjectType.DEVICE, instance };
const identity = [P.OBJECT_NAME, P.VENDOR_NAME, P.VENDOR_IDENTIFIER, P.MODEL_NAME, P.FIRMWARE_REVISION,
	P.APPLICATION_SOFTWARE_VERSION, P.LOCATION, P.DESCRIPTION];
const ask = (object, property) => new Promise((done) => client.readProperty({ address: ip }, object, property, {}, done));

client.on('error', () => {});
client.on('listening', async () => {
	const end = Date.now() + seconds * 1000;

	client.whoIs();
	await new Promise((done) => setTimeout(done, 1000));
	for (const property of identity)
		await ask(device, property);
	await new Promise((done) => client.readPropertyMultiple({ address: ip },
		[{ objectId: device, properties: [{ id: P.SERIAL_NUMBER }, { id: P.MODEL_NAME }] }], {}, done));
	while (Date.now() < end) {
		await ask({ type: Bacnet.enum.ObjectType.ANALOG_INPUT, instance: 1 }, P.PRESENT_VALUE);
		await new Promise((done) => setTimeout(done, 700));
	}
	client.close();
});
