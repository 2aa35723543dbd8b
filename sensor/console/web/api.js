// What the console's server is asked; see server.h for its side.
import { signal } from '@preact/signals';

const PATIENCE_MS = 20000;

// The sensor that is looked at; empty until the server has named one.
export const sensor = signal('');

export function address(path, words = {}) {
	const query = new URLSearchParams({ ...(sensor.value && { sensor: sensor.value }), ...words });
	const text = query.toString();
	return `/api/${path}${text ? `?${text}` : ''}`;
}

async function readAnswer(response) {
	const body = await response.json().catch(() => null);
	if (response.ok && body) return body;
	throw new Error(typeof body?.error === 'string' ? body.error : `the console answered with status ${response.status}`);
}

export async function ask(path, words) {
	const response = await fetch(address(path, words), { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => {
		throw new Error('the console does not answer');
	});
	return readAnswer(response);
}

// Hands a command to the sensor. It is already signed where it needs a signature: the server adds nothing.
export async function send(command) {
	const response = await fetch(address('command'), {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify(command),
		signal: AbortSignal.timeout(PATIENCE_MS),
	}).catch(() => {
		throw new Error('the console does not answer; it is not known whether the command went through');
	});
	return readAnswer(response);
}
