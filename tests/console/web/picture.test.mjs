// The picture as the page draws it: completeness, disagreements, map, series; on the documents of the recorded plant.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page, root, run } from './support.mjs';

const { checklist } = await page('checklist.js');
const { disagreements } = await page('conflicts.js');
const { mapModel, groupKey } = await page('map_model.js');
const { plotData, PLOTS } = await page('health_series.js');
const { withGaps } = await page('gaps_in_time.js');
const { probingState, quarantined, runsOf } = await page('runs.js');
const { soundness } = await page('soundness.js');
const { planDigest } = await page('sign_text.js');
const { assetMatches } = await page('asset_words.js');

const read = run('askance', ['read', '--json', `${root}/tests/plant/plant.pcap.gz`]);
assert.equal(read.status, 0, read.stderr);
const documents = read.stdout
	.trimEnd()
	.split('\n')
	.map((line) => JSON.parse(line));

const summary = ({ ot: { asset, talks, gaps } }) => ({
	...asset,
	talks,
	gaps: gaps.length,
	conflicts: 0,
	services: [],
	speaks: [],
});

test('completeness: the list says the sensor’s own figure for each device', () => {
	assert.ok(documents.length > 10);
	for (const document of documents) {
		const list = checklist(document);
		const share = Math.floor((list.filter((one) => one.known).length * 100) / list.length) / 100;
		assert.equal(share, document.ot.asset.completeness, `${document.ot.asset.ip[0]}: ${JSON.stringify(list)}`);
	}
	console.log(`# assets: ${documents.length} devices of the recorded plant`);
});

test('disagreements: of single values, with every value', () => {
	const value = (name, text, more) => ({
		subject: '',
		name,
		value: text,
		source: 'passive',
		protocol: 'modbus',
		...more,
	});
	const of = (...attributes) => disagreements({ ot: { attributes, subassets: [] } });
	assert.deepEqual(of(value('serial', '1'), value('serial', '1', { protocol: 'snmp' })), []);
	assert.equal(of(value('serial', '1'), value('serial', '2'))[0].changed, false);
	assert.equal(of(value('firmware', '1'), value('firmware', '2'))[0].changed, true);
	assert.equal(of(value('firmware', '1'), value('firmware', '2', { protocol: 'snmp' }))[0].changed, false);
	assert.deepEqual(of(value('hostname', 'a'), value('hostname', 'b')), []);
	assert.deepEqual(of(value('serial', '1'), value('serial', '2', { subject: 'modbus/502/unit:1' })), []);
});

function plant(count) {
	const classes = ['plc', 'hmi', 'switch', undefined];
	return Array.from({ length: count }, (_, i) => ({
		id: `a-${i}`,
		zone: `hall-${i % 3}`,
		ip: [`10.${i % 3}.${i >> 8}.${i & 255}`],
		mac: [],
		hostname: [],
		class: classes[i % 4],
		purdue_level: ['1', '2', '2', undefined][i % 4],
		conflicts: 0,
		talks: [{ peer: `10.${i % 3}.${(i - 3) >> 8}.${(i - 3) & 255}`, protocol: 'modbus', transport: 'tcp' }],
	}));
}

test('map: every asset once, none upon another, its band’s level its own', () => {
	const list = documents.map(summary);
	const { nodes, bands } = mapModel(list);
	assert.deepEqual(new Set(nodes.map((node) => node.id)), new Set(list.map((asset) => asset.id)));
	const places = new Set(nodes.map(({ x, y }) => `${x} ${y}`));
	assert.equal(places.size, nodes.length);
	for (const node of nodes) {
		const inside = bands.filter(
			(b) => node.x > b.x && node.x < b.x + b.width && node.y > b.y && node.y < b.y + b.height,
		);
		assert.deepEqual(
			inside.map((band) => band.level),
			[node.level],
		);
	}
});

test('map: five thousand assets are grouped, and a group opens', () => {
	const list = plant(5000);
	const { nodes, edges, grouped } = mapModel(list);
	assert.ok(grouped && nodes.length <= 12 && edges.length > 0);
	assert.equal(
		nodes.reduce((sum, node) => sum + (node.count ?? 1), 0),
		5000,
	);
	const opened = mapModel(list, { expanded: new Set([groupKey(list[0])]) });
	assert.ok(opened.nodes.filter((node) => node.kind === 'asset').length > 400);
	for (const edge of opened.edges)
		for (const end of [edge.source, edge.target]) assert.ok(opened.nodes.some((node) => node.id === end));
});

test('map: equal addresses of two zones are two devices', () => {
	const at = (id, zone, peer) => ({
		id,
		zone,
		ip: ['10.0.0.5'],
		mac: [],
		hostname: [],
		class: 'plc',
		conflicts: 0,
		talks: peer ? [{ peer, protocol: 'modbus', transport: 'tcp' }] : [],
	});
	const client = { ...at('c', 'one', '10.0.0.5'), ip: ['10.0.0.9'] };
	const { edges } = mapModel([at('a', 'one'), at('b', 'two'), client]);
	assert.deepEqual(
		edges.map(({ source, target }) => [source, target]),
		[['c', 'a']],
	);
	const stranger = { ...client, id: 'd', zone: 'three' };
	assert.equal(mapModel([at('a', 'one'), at('b', 'two'), stranger]).outside, 1);
});

test('filter: any word, and what is chosen beside it', () => {
	const [asset] = documents.map(summary).filter((one) => one.vendor || one.firmware);
	assert.ok(assetMatches(asset, { words: asset.ip[0], class: '', zone: '', level: '' }));
	assert.ok(!assetMatches(asset, { words: 'nothing-of-the-kind', class: '', zone: '', level: '' }));
	assert.ok(!assetMatches(asset, { words: '', class: 'no-class', zone: '', level: '' }));
});

const beat = (second, uptime, frames) => ({
	'@timestamp': new Date(1795327200000 + second * 1000).toISOString(),
	ot: {
		health: {
			uptime_s: uptime,
			traffic: { frames, bytes: 0, kernel_drops: 0, interface_drops: 0, ring_drops: 0 },
			redis: { lag_ms: 3 },
			outbox: { entries: 0 },
			jsonl: { lag_entries: 0 },
		},
	},
});

test('plots: counters become rates; a restart and missing documents leave gaps', () => {
	const [times, heard] = plotData(PLOTS[0], [
		beat(0, 100, 1000),
		beat(10, 110, 1500),
		beat(20, 5, 20),
		beat(30, 15, 120),
		beat(300, 285, 1000),
		beat(310, 295, 1010),
	]);
	assert.deepEqual(heard, [null, 50, null, 10, null, 880 / 270, 1]);
	assert.equal(times.length, 7);
	assert.deepEqual(withGaps([0, 10, 20], [[1, 2, 3]], 35), [
		[0, 10, 20],
		[1, 2, 3],
	]);
	assert.deepEqual(withGaps([], [[]], 35), [[], []]);
});

const told = (action, more) => ({ event: { action }, ot: { command: {}, ...more } });

test('probing is stopped until somebody lets it go on', () => {
	const stop = told('probing-stopped');
	assert.equal(probingState([]), null);
	assert.equal(probingState([told('approval-refused'), stop]), stop);
	assert.equal(probingState([told('probing-resumed'), stop]), null);
});

test('runs and quarantines out of their events', () => {
	const probe = (action, run) => ({ event: { action }, ot: { probe: { run } } });
	const alarm = (action, id, order) => ({ event: { action }, ot: { asset: { id }, watch: { order } } });
	const watch = [
		alarm('quarantine-released', 'a', 0),
		alarm('target-degraded', 'b', 2),
		alarm('target-degraded', 'a', 1),
	];
	const runs = runsOf(
		[probe('probe-planned', 3), probe('probe-ended', 2), probe('probe-planned', 2), probe('probe-refused', 1)],
		watch,
	);
	assert.deepEqual(
		runs.map(({ run, stage, alarms }) => [run, stage, alarms.length]),
		[
			[3, 'running', 0],
			[2, 'ended', 1],
			[1, 'refused', 1],
		],
	);
	assert.deepEqual(
		quarantined(watch).map((document) => document.ot.asset.id),
		['b'],
	);
});

test('a proposal is sound only with the bytes that are signed, all of them', async () => {
	const messages = [{ step: 'ask', step_number: 1, round: 1, hex: '0102', reading: '', perhaps: false }];
	const text = { rule: 'modbus', plan_sha256: await planDigest('modbus', messages) };
	const of = (more) => soundness({ ot: { proposal: { rule: 'modbus', text, messages, ...more } } });
	assert.equal((await of({})).why, '');
	assert.notEqual((await of({ messages: [{ ...messages[0], hex: '0103' }] })).why, '');
	assert.notEqual((await of({ messages: [] })).why, '');
	assert.notEqual((await of({ messages_not_listed: 1 })).why, '');
	assert.notEqual((await of({ rule: 'modbus-units' })).why, '');
	assert.notEqual((await of({ messages: [{ ...messages[0], step_number: undefined }] })).why, '');
	assert.notEqual((await of({ messages: [{ ...messages[0], hex: '0102\n1.2 0304' }] })).why, '');
});

test('history: each event a sentence, also of kinds that are not known', async () => {
	const { history } = await page('history.js');
	const of = (action, ot) => history({ event: { action, dataset: 'askance.x' }, ot });
	assert.equal(
		of('attribute-learned', {
			attr: { subject: 'modbus/502/unit:1', name: 'order_code', value: 'NC-1', protocol: 'modbus', source: 'passive' },
		}),
		'order code of modbus/502/unit:1 “NC-1” by modbus (passive)',
	);
	assert.equal(
		of('service-observed', { service: { protocol: 's7comm', transport: 'tcp', port: 102 } }),
		'service observed: s7comm tcp/102',
	);
	assert.equal(
		of('device-quiet', { change: { protocol: 'modbus', silent_ms: 1400, frames: [] } }),
		'device quiet: protocol modbus, silent ms 1400',
	);
	assert.equal(
		of('asset-conflict', { change: { ip: '10.0.0.5', claimed_by: '02:00:00:00:00:01' } }),
		'conflict: 10.0.0.5 is also claimed by 02:00:00:00:00:01',
	);
	assert.equal(of('approval-signed', {}), 'approval signed');
	assert.equal(of('of-a-later-version', {}), 'of a later version');
});
