// Times for people. All are UTC, as in the documents and the audit: a plant, its sensor and its analyst are in three zones.

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

// "2026-11-22 04:43:38", with the documents' microseconds on request.
export function moment(text, exact = false) {
	if (!ISO.test(text ?? '')) return '–';
	return exact ? text.replace('T', ' ').replace('Z', '') : text.slice(0, 19).replace('T', ' ');
}

export function milliseconds(text) {
	return ISO.test(text ?? '') ? Date.parse(text) : NaN;
}

const STEPS = [
	[86400, 'd'],
	[3600, 'h'],
	[60, 'min'],
	[1, 's'],
];

// "3 h": the largest unit alone.
export function span(seconds) {
	const s = Math.abs(seconds);
	if (!Number.isFinite(s)) return '–';
	const [size, unit] = STEPS.find(([step]) => s >= step) ?? STEPS.at(-1);
	return `${Math.floor(s / size)} ${unit}`;
}

// "3 h ago", "in 20 min".
export function relative(text, now = Date.now()) {
	const seconds = (milliseconds(text) - now) / 1000;
	if (!Number.isFinite(seconds)) return '–';
	if (Math.abs(seconds) < 2) return 'now';
	return seconds < 0 ? `${span(seconds)} ago` : `in ${span(seconds)}`;
}
