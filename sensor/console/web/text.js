// Strangers' text made fit to be seen: nothing in it may act, hide, or pass for something else.

// Control characters, bidirectional marks and overrides, zero-width and other unseen characters, tags, halves of surrogates.
const UNSEEN =
	/[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Cs}/gu;

// The same text with every unseen character written out, as in "plc‹U+202E›gpj".
export function visible(text) {
	return String(text ?? '').replace(
		UNSEEN,
		(c) => `‹U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}›`,
	);
}

// At most `most` characters, counted as people count them, with a sign that there was more.
export function cut(text, most) {
	if (text.length <= most) return text;
	const characters = Array.from(text);
	return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

export function plural(count, noun, many = `${noun}s`) {
	return `${number(count)} ${count === 1 ? noun : many}`;
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function number(value) {
	return Number.isFinite(value) ? grouped.format(value) : '–';
}

export function percent(share) {
	return Number.isFinite(share) ? `${Math.round(share * 100)} %` : '–';
}

export function bytes(count) {
	if (!Number.isFinite(count)) return '–';
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
	const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(count, 1)) / 10));
	return `${number(count / 1024 ** power)} ${units[power]}`;
}

// "reply_bytes" as people write it. Such names come over the wire, too.
export function words(name) {
	return visible(name).replaceAll('_', ' ');
}
