// What the page knows of the sensor: fetched once, then kept up with events.
import { batch, signal } from '@preact/signals';
import { ask, sensor } from './api.js';
import { connection, onEvent, startLive } from './live.js';

// Events come in bursts, and one question answers all of them; the larger the answer, the longer it may wait.
const SETTLE_MS = { assets: 1000, gaps: 5000, proposals: 700 };
const HEALTH_MINUTES = 60;
const HEALTH_MOST = 720;
const RUNS_MOST = 500;

export const about = signal(null); // {version, sensors, sensor, writable}
export const assets = signal({ byId: new Map(), cursor: 0, loaded: false });
export const gaps = signal({ list: [], loaded: false });
export const proposals = signal({ list: [], loaded: false });
export const probes = signal({ probes: [], watch: [], commands: [], loaded: false });
export const health = signal({ list: [], loaded: false });
export const redis = signal({ state: 'streaming', advice: '' }); // of the console's own connection to it
export const newest = signal(''); // time of the last event
export const trouble = signal(''); // why the last question got no answer

const fetchers = {
	async assets(whole) {
		const { byId, cursor } = assets.value;
		const answer = await ask('assets', whole || !cursor ? {} : { since: cursor });
		const next = new Map(whole || answer.all ? [] : byId);
		for (const one of answer.assets) next.set(one.id, one);
		for (const id of answer.gone ?? []) next.delete(id);
		assets.value = { byId: next, cursor: answer.cursor, loaded: true };
		if (whole) performance.measure('askance:first-data', { start: 0, end: performance.now() });
	},
	async gaps() {
		gaps.value = { list: (await ask('gaps')).gaps, loaded: true };
	},
	async proposals() {
		proposals.value = { list: (await ask('proposals')).proposals, loaded: true };
	},
	async probes() {
		const answer = await ask('probes');
		probes.value = { probes: answer.probes, watch: answer.watch, commands: answer.commands ?? [], loaded: true };
	},
	async health() {
		health.value = { list: (await ask('health', { minutes: HEALTH_MINUTES })).health, loaded: true };
	},
};

const waiting = new Map(); // what is going to be fetched, and whether all of it

async function fetchWaiting(name) {
	const { whole } = waiting.get(name);
	waiting.delete(name);
	const asked = sensor.value;
	try {
		await fetchers[name](whole);
		trouble.value = '';
	} catch (error) {
		if (asked === sensor.value) trouble.value = error.message;
	}
}

// Soon, and once for many calls.
export function refresh(name, whole = false) {
	const before = waiting.get(name);
	if (before) {
		before.whole ||= whole;
		return;
	}
	waiting.set(name, { whole });
	setTimeout(() => fetchWaiting(name), whole ? 0 : SETTLE_MS[name]);
}

// Everything again: at the start, and after a lost connection, behind which events may be missing.
function refreshAll() {
	for (const name of Object.keys(fetchers)) refresh(name, true);
}

function addRun(member, document) {
	const before = probes.value;
	const known = before[member].some((one) => one.event?.id === document.event?.id);
	if (!known) probes.value = { ...before, [member]: [document, ...before[member]].slice(0, RUNS_MOST) };
}

function takeEvent(dataset, document) {
	if (document['@timestamp']) newest.value = document['@timestamp'];
	if (dataset === 'connection') redis.value = { state: document.redis, advice: document.advice };
	if (dataset === 'reset') refreshAll();
	if (dataset === 'changed') {
		refresh('assets');
		refresh('gaps');
	}
	if (dataset === 'proposal' || dataset === 'approval' || dataset === 'probe' || dataset === 'watch')
		refresh('proposals');
	if (dataset === 'health') {
		const list = [...health.value.list, document].slice(-HEALTH_MOST);
		health.value = { ...health.value, list };
	}
	if (dataset === 'probe') addRun('probes', document);
	if (dataset === 'watch') addRun('watch', document);
	if (dataset === 'approval') addRun('commands', document);
}

let stopLive = null;

function forget() {
	batch(() => {
		assets.value = { byId: new Map(), cursor: 0, loaded: false };
		gaps.value = { list: [], loaded: false };
		proposals.value = { list: [], loaded: false };
		probes.value = { probes: [], watch: [], commands: [], loaded: false };
		health.value = { list: [], loaded: false };
	});
}

export function chooseSensor(name) {
	stopLive?.();
	sensor.value = name;
	forget();
	stopLive = startLive(refreshAll);
}

// Asks until the server says whom it serves; without that nothing else can be asked.
export async function startStore() {
	onEvent(takeEvent);
	for (;;) {
		try {
			about.value = await ask('about');
			trouble.value = '';
			break;
		} catch (error) {
			trouble.value = error.message;
			connection.value = { state: 'lost', since: connection.value.since };
			await new Promise((wake) => setTimeout(wake, 2000));
		}
	}
	chooseSensor(about.value.sensor);
}
