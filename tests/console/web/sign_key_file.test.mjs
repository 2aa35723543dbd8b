// Key files go both ways between the page and the command line.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { oracle, page, run } from './support.mjs';

const { openKeyFile, readKeyFile, writeKeyFile } = await page('sign_key_file.js');
const { keyOfSeed } = await page('sign_key.js');
const { base64 } = await page('sign_bytes.js');

const folder = mkdtempSync(join(tmpdir(), 'askance.'));
after(() => rmSync(folder, { recursive: true }));

function keygen(name, options, input) {
	const path = join(folder, name);
	const made = run('askance', ['keygen', '--json', '--name', name, '--out', path, ...options], input);
	assert.equal(made.status, 0, made.stderr);
	return { path, key: JSON.parse(made.stdout).key };
}

test('a key file without a passphrase is read', async () => {
	const { path, key } = keygen('bare', ['--no-passphrase']);
	const file = readKeyFile(readFileSync(path, 'utf8'));
	const { publicKey } = await keyOfSeed(await openKeyFile(file, ''));
	assert.equal(base64(file.publicKey), key);
	assert.equal(base64(publicKey), key);
});

test('a sealed key file is opened by its passphrase alone', async () => {
	const { path, key } = keygen('sealed', [], 'correct horse Müller\n');
	const file = readKeyFile(readFileSync(path, 'utf8'));
	const seed = await openKeyFile(file, 'correct horse Müller');
	assert.equal(base64((await keyOfSeed(seed)).publicKey), key);
	await assert.rejects(openKeyFile(file, 'correct horse Muller'), /passphrase is wrong/);
	console.log('# keys: a sealed file of askance keygen opened');
});

test('the command line opens what the page wrote', async () => {
	const seed = crypto.getRandomValues(new Uint8Array(32));
	const { publicKey } = await keyOfSeed(seed);
	const path = join(folder, 'written');
	writeFileSync(path, await writeKeyFile(seed, publicKey, 'a passphrase'), { mode: 0o600 });
	assert.deepEqual(oracle(['key', path], 'a passphrase\n'), [base64(publicKey)]);
});

test('what is no key file is refused', () => {
	const { path } = keygen('damaged', ['--no-passphrase']);
	const text = readFileSync(path, 'utf8');
	for (const bad of [
		'',
		'ssh-ed25519 AAAA',
		text.replace('key 1', 'key 2'),
		text.replace(/secret: .*/, 'secret: AAAA'),
		text.replace('none', 'argon2id 99 268435456 AAAAAAAAAAAAAAAAAAAAAA=='),
		`x${text}`,
	])
		assert.throws(() => readKeyFile(bad), /key file/, bad);
});
