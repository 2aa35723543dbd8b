// Looks for endpoints, opens a session, reads the build information and subscribes to a value.
// usage: node opcua.js SECONDS IP STATE-FOLDER
const path = require('path');
const { OPCUAClient, AttributeIds, TimestampsToReturn } = require('node-opcua-client');
const { OPCUACertificateManager } = require('node-opcua-certificate-manager');
const [seconds, ip, state] = [Number(process.argv[2]), process.argv[3], process.argv[4]];

(async () => {
	const client = OPCUAClient.create({
		applicationName: 'Line HMI', endpointMustExist: false, requestedSessionTimeout: 30000,
		clientCertificateManager: new OPCUACertificateManager({ rootFolder: path.join(state, 'pki-client'), automaticallyAcceptUnknownCertificate: true }),
	});

	await client.connect(`opc.tcp://${ip}:4840`);
	await client.findServers();
	await client.getEndpoints();
	const session = await client.createSession();
	for (const id of [2261, 2262, 2263, 2264, 2265, 2266, 2254, 2255])
		await session.read({ nodeId: `ns=0;i=${id}`, attributeId: AttributeIds.Value });
	await session.browse('RootFolder');
	const subscription = await session.createSubscription2({ requestedPublishingInterval: 500, requestedMaxKeepAliveCount: 10, publishingEnabled: true });
	await subscription.monitor({ nodeId: 'ns=1;s=Speed', attributeId: AttributeIds.Value }, { samplingInterval: 500, queueSize: 2 }, TimestampsToReturn.Both);
	await new Promise((done) => setTimeout(done, seconds * 1000));
	await subscription.terminate();
	await session.close();
	await client.disconnect();
})();
