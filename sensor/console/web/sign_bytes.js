// Bytes and the forms in which they are written; the browser's own hashes and signatures.

export const subtle = globalThis.crypto?.subtle;

export const utf8 = (text) => new TextEncoder().encode(text);

export function hex(bytes) {
	return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function base64(bytes) {
	return btoa(String.fromCharCode(...bytes));
}

// Null when the text is not base64 in its one form.
export function fromBase64(text) {
	if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

export async function sha256(bytes) {
	return new Uint8Array(await subtle.digest('SHA-256', bytes));
}
