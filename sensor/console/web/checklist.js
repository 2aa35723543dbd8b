// CISA's inventory attributes that a network can tell, as sensor/hub/completeness.c counts them.

const NAMES = {
	communication_protocols: 'communication protocols',
	role: 'role or type',
	hostname: 'host name',
	ip_address: 'IP address',
	logging: 'logging',
	mac_address: 'MAC address',
	manufacturer: 'manufacturer',
	model: 'model',
	operating_system: 'operating system',
	location: 'location',
	ports_services: 'ports and services',
	firmware_version: 'firmware or software version',
	os_version: 'version of the system',
	vlan: 'network segment (VLAN)',
	serial_number: 'serial number',
	time_source: 'time source',
};

// [{name, known}], in the list's order; the sensor names those that are lacking.
export function checklist(document) {
	const lacks = new Set(document.ot?.asset?.lacks ?? []);
	return Object.entries(NAMES).map(([key, name]) => ({ name, known: !lacks.has(key) }));
}
