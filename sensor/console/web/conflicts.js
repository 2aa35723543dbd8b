// Values of one attribute that disagree. The sensor keeps all of them; people must see that there is more than one.

// As sensor/hub/facts.c: of some attributes a device has several, and some change in a device's life.
const MULTIPLE = new Set(
	'ip mac network_address uri certificate issuer fingerprint software port_name hostname cpe gateway'.split(' '),
);
const CHANGES = new Set(
	'firmware os name location contact description role netmask state realm vendor_class'.split(' '),
);

function grouped(attributes) {
	const groups = new Map();
	for (const one of attributes) {
		if (MULTIPLE.has(one.name)) continue;
		const key = JSON.stringify([one.subject, one.name]);
		groups.set(key, [...(groups.get(key) ?? []), one]);
	}
	return [...groups.values()];
}

// [{subject, name, changed, values: [attribute]}] of everything that was told in more than one way; `changed` is true where
// one source alone told other values one after another, of an attribute that may change.
export function disagreements(document) {
	const ot = document.ot ?? {};
	const all = [...(ot.attributes ?? []), ...(ot.subassets ?? []).flatMap((sub) => sub.attributes ?? [])];
	return grouped(all)
		.filter((values) => new Set(values.map((one) => one.value)).size > 1)
		.map((values) => {
			const { subject, name } = values[0];
			const sources = new Set(values.map((one) => `${one.protocol} ${one.source}`));
			return { subject, name, changed: CHANGES.has(name) && sources.size === 1, values };
		});
}
