// Subscribes to a value of an OPC UA server. usage: node opcua.js IP STATE-FOLDER
const path = require('path');
const { OPCUAClient, AttributeIds, TimestampsToReturn } = require('node-opcua-client');
const { OPCUACertificateManager } = require('node-opcua-certificate-manager');

(async () => {
	const client = OPCUAClient.create({
		applicationName: 'Line HMI', endpointMustExist: false,
		clientCertificateManager: new OPCUACertificateManager({ rootFolder: path.join(process.argv[3], 'pki-client'), automaticallyAcceptUnknownCertificate: true }),
	});

	await client.connect(`opc.tcp://${process.argv[2]}:4840`);
	const session = await client.createSession();
	const subscription = await session.createSubscription2({ requestedPublishingInterval: 500, requestedMaxKeepAliveCount: 2, publishingEnabled: true });
	await subscription.monitor({ nodeId: 'ns=1;s=Speed', attributeId: AttributeIds.Value }, { samplingInterval: 500, queueSize: 2 }, TimestampsToReturn.Both);
})();
