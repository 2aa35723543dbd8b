// What an asset is called, where it stands, and whether it fits a filter.

export const LEVELS = ['5', '4', '3.5', '3', '2', '1', '0', ''];

const LEVEL_NAMES = {
	5: 'Level 5: enterprise network',
	4: 'Level 4: site business',
	3.5: 'Level 3.5: DMZ',
	3: 'Level 3: site operations',
	2: 'Level 2: supervision',
	1: 'Level 1: control',
	0: 'Level 0: process',
	'': 'Level not known',
};

export function levelName(level) {
	return LEVEL_NAMES[level ?? ''] ?? LEVEL_NAMES[''];
}

// The name people know it by, else an address, else its id.
export function assetName(asset) {
	return asset.hostname?.[0] || asset.name || asset.ip?.[0] || asset.mac?.[0] || asset.id;
}

function haystack(asset) {
	const parts = [asset.id, asset.zone, asset.class, asset.vendor, asset.maker, asset.product, asset.firmware];
	return [...parts, ...asset.ip, ...asset.mac, ...asset.hostname, ...protocolsOf(asset)]
		.filter(Boolean)
		.join('\n')
		.toLowerCase();
}

function protocolsOf(asset) {
	const names = [...(asset.services ?? []), ...(asset.speaks ?? [])].map((one) =>
		typeof one === 'string' ? one : one.protocol,
	);
	return [...new Set(names)];
}

// Of an asset that is not told again the text stays the same: 5 000 of them are searched at each key.
const texts = new WeakMap();

export function assetMatches(asset, filter) {
	if (filter.class && (asset.class ?? 'unknown') !== filter.class) return false;
	if (filter.zone && asset.zone !== filter.zone) return false;
	if (filter.level !== '' && filter.level !== undefined && asset.purdue_level !== filter.level) return false;
	if (!filter.words) return true;
	if (!texts.has(asset)) texts.set(asset, haystack(asset));
	const text = texts.get(asset);
	return filter.words
		.toLowerCase()
		.split(/\s+/)
		.every((word) => text.includes(word));
}
