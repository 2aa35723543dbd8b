// An OPC UA server (npm node-opcua-server) with the build information that plant.json gives to HOST.
// usage: node opcua.js PLANT.JSON HOST STATE-FOLDER
const path = require('path');
const { OPCUAServer } = require('node-opcua-server');
const { OPCUACertificateManager } = require('node-opcua-certificate-manager');
const host = require(process.argv[2]).hosts.find((h) => h.name === process.argv[3]);
const value = (name) => host.attributes.find((a) => a.name === name).value;

(async () => {
	const manager = new OPCUACertificateManager({ rootFolder: path.join(process.argv[4], 'pki'), automaticallyAcceptUnknownCertificate: true });
	const server = new OPCUAServer({
		hostname: host.ip,
		port: 4840,
		serverCertificateManager: manager,
		serverInfo: { applicationUri: value('uri'), productUri: 'urn:northfield:LineServer', applicationName: { text: value('product') } },
		buildInfo: { productName: value('product'), manufacturerName: value('vendor'), softwareVersion: value('firmware'), buildNumber: '77', productUri: 'urn:northfield:LineServer' },
	});

	await server.initialize();
	const space = server.engine.addressSpace.getOwnNamespace();
	const line = space.addObject({ organizedBy: server.engine.addressSpace.rootFolder.objects, browseName: 'Line' });
	const speed = space.addVariable({ componentOf: line, browseName: 'Speed', nodeId: 's=Speed', dataType: 'Double', minimumSamplingInterval: 250 });
	let count = 0;

	setInterval(() => speed.setValueFromSource({ dataType: 'Double', value: count++ }), 500);
	await server.start();
})();
