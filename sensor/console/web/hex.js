// A message's bytes as lines for people. A name in braces stands for bytes that a reply gives; how many those are nobody
// can know before, so places behind it are not numbered.

const ROW_BYTES = 16;
const NO_PLACE = '   +';

// "0002{object}05" is ['00', '02', '{object}', '05'].
export function tokens(hex) {
	return hex.match(/\{[^}]*\}|[0-9a-f]{2}/g) ?? [];
}

// [{place, tokens}], at most 16 tokens each.
export function hexLines(hex) {
	const all = tokens(hex);
	const lines = [];
	let open = false;
	for (let at = 0; at < all.length; at += ROW_BYTES) {
		const line = all.slice(at, at + ROW_BYTES);
		lines.push({ place: open ? NO_PLACE : at.toString(16).padStart(4, '0'), tokens: line });
		open ||= line.some((token) => token.length > 2);
	}
	return lines;
}

export function ascii(token) {
	if (token.length > 2) return '…';
	const code = parseInt(token, 16);
	return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '·';
}
