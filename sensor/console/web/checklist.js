// CISA's list for inventories (Foundations for OT Cybersecurity: Asset Inventory Guidance, 2025), as far as a sensor can
// fill it, held against one asset's document. The same questions as completeness() of sensor/hub/asset_document.c.

function known(ot) {
	const names = new Set();
	for (const one of ot.attributes ?? []) names.add(one.name);
	for (const sub of ot.subassets ?? []) for (const one of sub.attributes ?? []) names.add(one.name);
	return (...any) => any.some((name) => names.has(name));
}

// [{name, known}], in the list's order.
export function checklist(document) {
	const ot = document.ot ?? {};
	const asset = ot.asset ?? {};
	const has = known(ot);
	const services = (ot.services ?? []).length > 0;
	const speaks = (ot.speaks ?? []).map((one) => one.protocol);
	const clock = [...speaks, ...(ot.services ?? []).map((one) => one.protocol)].some((one) => one === 'ntp' || one === 'ptp');
	return [
		['protocols', services || speaks.length > 0],
		['ports and services', services],
		['role or type', Boolean(asset.class) || has('device_class', 'role')],
		['host name', has('hostname', 'name') || (asset.hostname ?? []).length > 0],
		['IP address', (asset.ip ?? []).length > 0],
		['MAC address', (asset.mac ?? []).length > 0],
		['manufacturer', Boolean(asset.maker || asset.vendor) || has('vendor')],
		['model', has('product', 'order_code')],
		['operating system', Boolean(asset.os)],
		['firmware or software version', has('firmware', 'software')],
		['serial number', has('serial')],
		['location', has('location')],
		['network segment (VLAN)', Boolean(document.vlan)],
		['time source', clock],
	].map(([name, is]) => ({ name, known: is }));
}
