// Events as they happen. Read with fetch and not with EventSource, which hides the server's signs of life:
// a connection that is dead without having been closed must be seen as lost, too.
import { signal } from '@preact/signals';
import { createParser } from 'eventsource-parser';
import { address } from './api.js';

const SILENCE_MS = 40000; // the server says something every 15 s
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;

// {state: 'connecting' | 'live' | 'lost', since: ms}; lost since the server was last heard
export const connection = signal({ state: 'connecting', since: Date.now() });

const listeners = new Set();

// `listener(dataset, document)`; beside the sensor's datasets the server's own words: connection, changed, reset. The result
// ends it.
export function onEvent(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function become(state, since = Date.now()) {
	if (connection.value.state !== state) connection.value = { state, since };
}

function take(message) {
	let document;
	try {
		document = JSON.parse(message.data);
	} catch {
		return; // half a document is none; the state behind it is asked for again anyway
	}
	for (const listener of listeners) listener(message.event ?? '', document);
}

// One connection until it ends. Returns only by throwing.
async function listen(stop, place, onLive) {
	const quiet = new AbortController();
	let timer = setTimeout(() => quiet.abort(), SILENCE_MS);
	const end = () => quiet.abort();
	stop.addEventListener('abort', end);
	try {
		const headers = { Accept: 'text/event-stream', ...(place.id && { 'Last-Event-ID': place.id }) };
		const response = await fetch(address('events'), { headers, signal: quiet.signal });
		if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
		const parser = createParser({
			onEvent: (message) => {
				if (message.id) place.id = message.id;
				take(message);
			},
		});
		const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
		onLive();
		for (;;) {
			const { value, done } = await reader.read();
			if (done) throw new Error('the server ended the connection');
			place.heard = Date.now();
			clearTimeout(timer);
			timer = setTimeout(() => quiet.abort(), SILENCE_MS);
			parser.feed(value);
		}
	} finally {
		clearTimeout(timer);
		stop.removeEventListener('abort', end);
	}
}

// Listens until the result is called. `onLive` is called at each new connection, to fetch what may have been missed.
export function startLive(onLive) {
	const stop = new AbortController();
	const place = { id: '', heard: Date.now() };
	let pause = FIRST_PAUSE_MS;

	const run = async () => {
		while (!stop.signal.aborted) {
			await listen(stop.signal, place, () => {
				pause = FIRST_PAUSE_MS;
				become('live');
				onLive();
			}).catch(() => {});
			if (stop.signal.aborted) return;
			become('lost', place.heard);
			await new Promise((wake) => setTimeout(wake, pause));
			pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
		}
	};
	become('connecting');
	run();
	return () => stop.abort();
}
