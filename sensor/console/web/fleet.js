// Several sensors as one picture. Asked again and again while somebody looks at it, and told whole only when it changed.
import { signal } from '@preact/signals';
import { ask } from './api.js';

export const fleet = signal({
	revision: 0,
	loading: true,
	trouble: '',
	sensors: [],
	devices: [],
	doubts: [],
	decisions: [],
	numbers: null,
});

export async function refreshFleet() {
	const { revision } = fleet.value;
	fleet.value = { ...fleet.value, ...(await ask('fleet', revision ? { since: revision } : {})) };
}

export const deviceName = (device) => device.name[0] || device.ip[0] || device.mac[0] || device.id;

// Each sensor once, though it may have found the device twice.
export const sensorsOf = (device) => [...new Set(device.witnesses.map((witness) => witness.sensor))];

export function matches(device, text) {
	const { id, mac, ip, name, serial, vendor, product, order_code, firmware } = device;
	const all = [id, device.class, vendor, product, order_code, firmware, ...mac, ...ip, ...name, ...serial, ...sensorsOf(device)]
		.join('\n')
		.toLowerCase();
	return text.split(/\s+/).every((word) => all.includes(word));
}

const NAME = /^[A-Za-z0-9_.-]{1,63}\/a-[0-9a-f]{16}$/;

// What to type to decide of a pair; '' when a name is not of its form, for whoever copies it gives it to a shell.
export function command(action, a, b) {
	return NAME.test(a) && NAME.test(b) ? `askance fleet ${action} ${a} ${b} --why "…"` : '';
}
