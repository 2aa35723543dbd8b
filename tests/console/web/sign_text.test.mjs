// What analysts sign in the page is byte for byte what the sensor signs and verifies, and the page refuses what the
// sensor refuses. The sensor's side is its own code (oracle.c).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dice, oracle, oracleTexts, page, root } from './support.mjs';

const { approvalText, commandText, planDigest } = await page('sign_text.js');
const { keyOfSeed, sign } = await page('sign_key.js');
const { base64 } = await page('sign_bytes.js');

const CASES = 4000;
const hash = 'ab'.repeat(32);

function proposal() {
	return {
		id: '00112233445566778899aabbccddeeff',
		text: {
			sensor: 'plant-1',
			zone: 'hall-3/vlan:10',
			vlan: [10, 0],
			target_mac: '00:80:2f:01:02:03',
			target_ip: '10.0.0.5',
			transport: 'tcp',
			port: 502,
			path: 'modbus/502/unit:3',
			class: 'plc',
			maker: 'Müller & Co',
			rule: 'modbus-basic',
			rule_sha256: hash,
			parameters: 'transaction=1 unit=3',
			plan_sha256: hash,
		},
	};
}

const times = () => ({ not_before: 1795327200, not_after: 1795413600, uses: 1 });

// Values that are right, at an edge, or wrong.
const TEXTS = [
	'',
	'plc',
	'Müller & Co',
	'控制器',
	'🛠',
	'a\nb',
	'a\tb',
	'a\u007fb',
	'a\u0085b',
	'a\u202eb',
	'a\u2067b',
	'a\u200bb',
	'a\u200fb',
	'a\u061cb',
	'a\u2028b',
	'\ufeffa',
	'x'.repeat(31),
	'x'.repeat(32),
	'x'.repeat(63),
	'x'.repeat(64),
	'é'.repeat(31),
	'é'.repeat(32),
	'x'.repeat(95),
	'x'.repeat(96),
	'x'.repeat(767),
	'x'.repeat(768),
	'uses: 1',
	'a b',
];
const NUMBERS = [0, 1, 2, 9, 10, 11, 255, 256, 257, 502, 4095, 4096, 65535, 65536, 65537, -1];
const SECONDS = [
	0,
	1,
	1795327199,
	1795327200,
	1795327201,
	1795413600,
	1795327200 + 30 * 86400,
	1795327200 + 30 * 86400 + 1,
	4611686018,
	4611686019,
	-1,
];
const FIELDS = {
	sensor: [...TEXTS, 'plant_1.a-b', 'plant 1'],
	zone: TEXTS,
	class: TEXTS,
	maker: TEXTS,
	path: TEXTS,
	parameters: TEXTS,
	rule: [...TEXTS, 'Modbus', 'x'.repeat(47), 'x'.repeat(48), 'iec_104-x'],
	target_ip: ['', '10.0.0.5', '255.255.255.255', 'fe80::1', '::1', '2001:db8::ff00:42:8329', '::ffff:10.0.0.5'],
	target_mac: ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '02:80:2f:0a:0b:0c'],
	transport: ['tcp', 'udp', 'ethernet'],
	port: NUMBERS,
	vlan: [
		[0, 0],
		[4095, 4095],
		[1, 2],
		[4096, 0],
		[0, 4096],
	],
	rule_sha256: ['00'.repeat(32), 'ff'.repeat(32)],
};

function change(die, p, t) {
	const field = die.one([...Object.keys(FIELDS), 'times', 'ethernet']);
	if (field === 'times') t[die.one(['not_before', 'not_after'])] = die.one(SECONDS);
	else if (field === 'ethernet') Object.assign(p.text, { transport: 'ethernet', port: 0 });
	else p.text[field] = die.one(FIELDS[field]);
	if (die.next(8) === 0) t.uses = die.one(NUMBERS);
}

function ours(make) {
	try {
		return make();
	} catch (error) {
		if (error.constructor.name !== 'Unsound') throw error;
		return null;
	}
}

test('approvals: the same text as the sensor, and the same refusals', async () => {
	const die = dice(1);
	const questions = Array.from({ length: CASES }, () => {
		const p = proposal();
		const t = times();
		for (let i = die.next(4); i > 0; i--) change(die, p, t);
		return { proposal: p, times: t };
	});
	const answers = oracleTexts(structuredClone(questions));
	let refused = 0;
	questions.forEach(({ proposal: p, times: t }, i) => {
		assert.equal(
			ours(() => approvalText(p.id, p.text, t)),
			answers[i].text,
			JSON.stringify([p, t]),
		);
		refused += answers[i].text === null;
	});
	assert.ok(
		refused > CASES / 10 && refused < CASES * 0.9,
		`${refused} of ${CASES} refused: the cases are too easy or too hard`,
	);
	console.log(`# texts: ${CASES} approvals, ${refused} refused by both`);
});

test('approvals: a signature made here is one that the sensor verifies, over this text alone', async () => {
	const { privateKey, publicKey } = await keyOfSeed(new Uint8Array(32).fill(7));
	const p = proposal();
	const signature = await sign(privateKey, approvalText(p.id, p.text, times()));
	const other = proposal();
	other.text.port = 503;
	const key = base64(publicKey);
	const [same, changed] = oracleTexts([
		{ proposal: p, times: times(), signature, key },
		{ proposal: other, times: times(), signature, key },
	]);
	assert.equal(same.verified, true);
	assert.equal(changed.verified, false);
});

test('commands: the same text as the sensor, its signature verified', async () => {
	const die = dice(2);
	const { privateKey, publicKey } = await keyOfSeed(new Uint8Array(32).fill(9));
	const names = [
		'deny',
		'revoke',
		'stop',
		'resume',
		'release',
		'set',
		'merge',
		'split',
		'accept',
		'ignore',
		'undo',
		'approve',
		'nonsense',
	];
	const why = ['', 'not at night', 'Müller', 'a\nb', 'a\u202eb', 'x'.repeat(199), 'x'.repeat(200)];
	const time_ms = [0, 1, 999, 1795327200000, 1795327200007, 4611686018427, 4611686018428, -1];
	const details = {
		attribute: ['serial', '', 'x'.repeat(23), 'x'.repeat(24)],
		path: ['', 'modbus/502/unit:3', 'x'.repeat(95), 'x'.repeat(96)],
		value: ['S C-1', '', 'é'.repeat(191), 'é'.repeat(192), 'a\nb'],
	};
	const questions = [];
	const texts = [];
	for (let i = 0; i < 2000; i++) {
		const command = {
			command: die.one(names),
			subject: die.one(['', '17', proposal().id, 'a-0011223344556677', 'x'.repeat(64)]),
			why: die.one(why),
			sensor: 'plant-1',
			time_ms: die.one(time_ms),
		};
		const fact = ['set', 'merge', 'split', 'accept', 'ignore', 'undo'].includes(command.command);
		if (fact) for (const [key, values] of Object.entries(details)) if (die.next(2)) command[key] = die.one(values);
		const text = ours(() => commandText(command));
		const body = {
			command: command.command,
			analyst: 'a.lang',
			time_ms: command.time_ms,
			signature: await sign(privateKey, text ?? ''),
		};
		if (command.why) body.why = command.why;
		const key = { release: 'asset', undo: 'fact' }[command.command] ?? (fact ? 'asset' : 'id');
		if (command.subject) body[key] = command.subject;
		if (command.attribute) body.attribute = command.attribute;
		if (command.path) body.of = command.path;
		if (command.value) body.value = command.value;
		questions.push({ command: body, sensor: 'plant-1', key: base64(publicKey) });
		texts.push(text);
	}
	const answers = oracleTexts(questions);
	answers.forEach((answer, i) => {
		assert.equal(texts[i], answer.text, JSON.stringify(questions[i]));
		assert.equal(answer.verified, answer.text !== null);
	});
	for (const name of names.slice(0, 11))
		assert.ok(
			answers.some(({ text }) => text?.includes(`command: ${name}\n`)),
			`no ${name} was sound`,
		);
	console.log(`# texts: ${answers.length} commands, ${answers.filter(({ text }) => !text).length} refused by both`);
});

test('plans: the hash of every shipped rule, made anew from what proposals show', async () => {
	const plans = oracle(['plans', `${root}/rules`]).map((line) => JSON.parse(line));
	assert.ok(plans.length > 40, `${plans.length} rules`);
	for (const { rule, digest, messages } of plans) {
		assert.equal(await planDigest(rule, messages), digest, rule);
		// A rule that listens only sends nothing.
		if (!messages.length) continue;
		const changed = structuredClone(messages);
		changed.at(-1).hex += '00';
		assert.notEqual(await planDigest(rule, changed), digest, `${rule}: a byte more`);
		if (messages.length > 1)
			assert.notEqual(await planDigest(rule, [...messages].reverse()), digest, `${rule}: another order`);
	}
	console.log(`# plans: ${plans.length} rules, ${plans.reduce((sum, plan) => sum + plan.messages.length, 0)} messages`);
});
