// The analyst's key: made or brought here, kept in this browser's IndexedDB under a passphrase, used here alone.
//
// The passphrase becomes an AES key by PBKDF2, which wraps the private key; the wrapped bytes are what is kept.
// An opened key is a handle that signs and that no script can read.
import { base64, subtle, utf8 } from './sign_bytes.js';

const ITERATIONS = 800000; // PBKDF2-HMAC-SHA-256; OWASP asks for 600 000
const STORE = 'keys';
const ONLY = 'analyst';
const NAME = /^[A-Za-z0-9._-]{1,31}$/;
// RFC 8410: what stands before the seed of 32 bytes in a PKCS #8 key.
const PKCS8_HEAD = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

export function nameIsGood(name) {
	return NAME.test(name);
}

// Why no key can be kept or used in this browser; empty when it can.
export async function keyHindrance() {
	if (!globalThis.isSecureContext || !subtle)
		return 'This page did not come over TLS or from this machine itself, so the browser gives it no cryptography.';
	if (!globalThis.indexedDB) return 'This browser keeps nothing for this page.';
	const works = await subtle.generateKey('Ed25519', false, ['sign', 'verify']).catch(() => null);
	return works ? '' : 'This browser does not know Ed25519 signatures; any current Chromium, Firefox or Safari does.';
}

function request(work) {
	return new Promise((resolve, reject) => {
		work.onsuccess = () => resolve(work.result);
		work.onerror = () => reject(work.error);
	});
}

async function inStore(mode, use) {
	const opening = indexedDB.open('askance', 1);
	opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
	const database = await request(opening);
	try {
		return await request(use(database.transaction(STORE, mode).objectStore(STORE)));
	} finally {
		database.close();
	}
}

// {name, publicKey, salt, iterations, nonce, wrapped}, or undefined. Holds nothing secret in the clear.
export const keptKey = () => inStore('readonly', (store) => store.get(ONLY));
export const forgetKey = () => inStore('readwrite', (store) => store.delete(ONLY));

async function wrappingKey(passphrase, salt, iterations) {
	const raw = await subtle.importKey('raw', utf8(passphrase), 'PBKDF2', false, ['deriveKey']);
	const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
	return subtle.deriveKey(how, raw, { name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']);
}

// `privateKey` must be extractable: here is the one place where it leaves its handle, and at once encrypted.
async function keep(name, privateKey, publicKey, passphrase) {
	const salt = crypto.getRandomValues(new Uint8Array(16));
	const nonce = crypto.getRandomValues(new Uint8Array(12));
	const aes = await wrappingKey(passphrase, salt, ITERATIONS);
	const wrapped = new Uint8Array(await subtle.wrapKey('pkcs8', privateKey, aes, { name: 'AES-GCM', iv: nonce }));
	const kept = { name, publicKey: base64(publicKey), salt, iterations: ITERATIONS, nonce, wrapped };
	await inStore('readwrite', (store) => store.put(kept, ONLY));
	return kept;
}

export async function generateKey(name, passphrase) {
	const pair = await subtle.generateKey('Ed25519', true, ['sign', 'verify']);
	const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
	return keep(name, pair.privateKey, publicKey, passphrase);
}

// The private key of a seed, and the public key that belongs to it.
export async function keyOfSeed(seed) {
	const privateKey = await subtle.importKey('pkcs8', new Uint8Array([...PKCS8_HEAD, ...seed]), 'Ed25519', true, [
		'sign',
	]);
	const { x } = await subtle.exportKey('jwk', privateKey);
	const text = atob(x.replaceAll('-', '+').replaceAll('_', '/'));
	return { privateKey, publicKey: Uint8Array.from(text, (c) => c.charCodeAt(0)) };
}

export async function importSeed(name, seed, expected, passphrase) {
	const { privateKey, publicKey } = await keyOfSeed(seed);
	if (base64(publicKey) !== base64(expected))
		throw new Error('the public and the secret key of that file do not belong together');
	return keep(name, privateKey, publicKey, passphrase);
}

async function unwrap(kept, passphrase, extractable) {
	const aes = await wrappingKey(passphrase, kept.salt, kept.iterations);
	const how = { name: 'AES-GCM', iv: kept.nonce };
	return subtle.unwrapKey('pkcs8', kept.wrapped, aes, how, 'Ed25519', extractable, ['sign']).catch(() => {
		throw new Error('the passphrase is wrong');
	});
}

// A handle that signs.
export const openKey = (kept, passphrase) => unwrap(kept, passphrase, false);

// The seed, for a copy in a key file. Its owner should overwrite it when it is done with.
export async function seedOf(kept, passphrase) {
	const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', await unwrap(kept, passphrase, true)));
	const seed = pkcs8.slice(PKCS8_HEAD.length, PKCS8_HEAD.length + 32);
	pkcs8.fill(0);
	return seed;
}

export async function sign(privateKey, text) {
	return base64(new Uint8Array(await subtle.sign('Ed25519', privateKey, utf8(text))));
}

// As rules/policy/analysts.yaml wants it.
export function publicLine(kept) {
	return `  - {name: ${kept.name}, key: "${kept.publicKey}", may: [low, medium]}`;
}
