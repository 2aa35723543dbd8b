// A BACnet/IP device (npm node-bacnet) whose device object says what plant.json gives to HOST.
// usage: node bacnet.js PLANT.JSON HOST
const Bacnet = require('node-bacnet');
const host = require(process.argv[2]).hosts.find((h) => h.name === process.argv[3]);
const value = (name) => host.attributes.find((a) => a.name === name).value;
const P = Bacnet.enum.PropertyIdentifier;
const T = Bacnet.enum.ApplicationTag;
const device = { type: Bacnet.enum.ObjectType.DEVICE, instance: Number(value('network_address')) };
const properties = {
	[P.OBJECT_IDENTIFIER]: { type: T.OBJECTIDENTIFIER, value: device },
	[P.OBJECT_NAME]: { type: T.CHARACTER_STRING, value: value('name') },
	[P.OBJECT_TYPE]: { type: T.ENUMERATED, value: device.type },
	[P.VENDOR_NAME]: { type: T.CHARACTER_STRING, value: value('vendor') },
	[P.VENDOR_IDENTIFIER]: { type: T.UNSIGNED_INTEGER, value: Number(value('vendor_id')) },
	[P.MODEL_NAME]: { type: T.CHARACTER_STRING, value: value('product') },
	[P.FIRMWARE_REVISION]: { type: T.CHARACTER_STRING, value: value('firmware') },
	[P.APPLICATION_SOFTWARE_VERSION]: { type: T.CHARACTER_STRING, value: value('software') },
	[P.LOCATION]: { type: T.CHARACTER_STRING, value: value('location') },
	[P.DESCRIPTION]: { type: T.CHARACTER_STRING, value: value('description') },
	[P.SERIAL_NUMBER]: { type: T.CHARACTER_STRING, value: value('serial') },
};
const client = new Bacnet({ port: 47808, broadcastAddress: '10.20.30.255', apduTimeout: 3000 });

client.on('error', (error) => console.error(error.message));
client.on('whoIs', ({ header, payload }) => {
	if (payload.lowLimit !== undefined && (device.instance < payload.lowLimit || device.instance > payload.highLimit))
		return;
	client.iAmResponse(null, device.instance, Bacnet.enum.Segmentation.NO_SEGMENTATION, Number(value('vendor_id')));
});
client.on('readProperty', ({ header, invokeId, payload }) => {
	const object = payload.objectId;
	const answer = object.type === device.type ? properties[payload.property.id] :
		payload.property.id === P.PRESENT_VALUE ? { type: T.REAL, value: 6.5 + object.instance } : undefined;

	if (answer !== undefined)
		client.readPropertyResponse(header.sender, invokeId, object.type === device.type ? device : object, payload.property, [answer]);
	else
		client.errorResponse(header.sender, Bacnet.enum.ConfirmedServiceChoice.READ_PROPERTY, invokeId,
			Bacnet.enum.ErrorClass.PROPERTY, Bacnet.enum.ErrorCode.UNKNOWN_PROPERTY);
});
client.on('readPropertyMultiple', ({ header, invokeId, payload }) => {
	const values = payload.properties.map((asked) => ({
		objectId: device,
		values: asked.properties.filter((p) => properties[p.id] !== undefined)
			.map((p) => ({ property: p, value: [properties[p.id]] })),
	}));

	client.readPropertyMultipleResponse(header.sender, invokeId, values);
});
client.on('unhandledEvent', () => {});
