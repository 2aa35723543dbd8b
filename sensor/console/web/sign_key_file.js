// Key files of `askance keygen`, read and written as sensor/ctl/key_file.c does:
//
//   askance secret key 1
//   public: BASE64
//   protection: none | argon2id OPERATIONS MEMORY SALT-BASE64
//   secret: BASE64      the seed of 32 bytes, or a nonce of 24 and the sealed seed
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { argon2idAsync } from '@noble/hashes/argon2.js';
import { base64, fromBase64, utf8 } from './sign_bytes.js';

const SEED_BYTES = 32;
const NONCE_BYTES = 24;
const SEALED_BYTES = NONCE_BYTES + 16 + SEED_BYTES;
const SALT_BYTES = 16;
// What a copy costs to open: RFC 9106's second recommendation. keygen takes four times the memory, and browsers are slow.
const OPERATIONS = 3;
const MEMORY_BYTES = 64 << 20;
// The most that key files of keygen may cost.
const OPERATIONS_MOST = 4;
const MEMORY_BYTES_MOST = 1 << 30;

const FORM =
	/^askance secret key 1\npublic: (\S+)\nprotection: (?:none|argon2id (\d{1,20}) (\d{1,20}) (\S+))\nsecret: (\S+)\s*$/;

// {publicKey, salt, operations, memoryBytes, secret}, bytes all; `salt` is null in a file without a passphrase.
export function readKeyFile(text) {
	const found = FORM.exec(text.replaceAll('\r\n', '\n'));
	const publicKey = found && fromBase64(found[1]);
	const secret = found && fromBase64(found[5]);
	const sealed = found?.[4] !== undefined;
	const salt = sealed ? fromBase64(found[4]) : null;
	if (publicKey?.length !== 32 || secret?.length !== (sealed ? SEALED_BYTES : SEED_BYTES))
		throw new Error('this is no key file of askance keygen');
	const file = { publicKey, secret, salt, operations: Number(found[2] ?? 0), memoryBytes: Number(found[3] ?? 0) };
	if (
		sealed &&
		(salt?.length !== SALT_BYTES || file.operations > OPERATIONS_MOST || file.memoryBytes > MEMORY_BYTES_MOST)
	)
		throw new Error("the key file's protection can't be read");
	return file;
}

// What the passphrase becomes. Takes seconds and a quarter of a gigabyte, as it is meant to; `progress` hears 0 to 1.
function stretch(passphrase, file, progress) {
	const cost = { t: file.operations, m: file.memoryBytes / 1024, p: 1, dkLen: 32, onProgress: progress };
	return argon2idAsync(utf8(passphrase), file.salt, cost);
}

// The seed of 32 bytes. Its owner should overwrite it when it is done with.
export async function openKeyFile(file, passphrase, progress = () => {}) {
	if (!file.salt) return file.secret.slice();
	const key = await stretch(passphrase, file, progress);
	try {
		return xsalsa20poly1305(key, file.secret.subarray(0, NONCE_BYTES)).decrypt(file.secret.subarray(NONCE_BYTES));
	} catch {
		throw new Error('the passphrase is wrong');
	} finally {
		key.fill(0);
	}
}

// A copy that `askance approve --key` takes, sealed with the passphrase.
export async function writeKeyFile(seed, publicKey, passphrase, progress = () => {}) {
	const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
	const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
	const key = await stretch(passphrase, { operations: OPERATIONS, memoryBytes: MEMORY_BYTES, salt }, progress);
	const sealed = xsalsa20poly1305(key, nonce).encrypt(seed);
	key.fill(0);
	const protection = `argon2id ${OPERATIONS} ${MEMORY_BYTES} ${base64(salt)}`;
	const secret = base64(new Uint8Array([...nonce, ...sealed]));
	return `askance secret key 1\npublic: ${base64(publicKey)}\nprotection: ${protection}\nsecret: ${secret}\n`;
}
