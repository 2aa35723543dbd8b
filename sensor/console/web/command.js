// An analyst's words to the sensor: signed here, sent, and followed until the sensor says what it made of them.
import { sensor, send } from './api.js';
import { onEvent } from './live.js';
import { approvalText, commandText } from './sign_text.js';
import { signText } from './signer.jsx';

const PATIENCE_MS = 10000;

// Resolves with the sensor's own word on a command of that name about that id; with null when it says nothing in time.
function answerTo(name, id) {
	return new Promise((resolve) => {
		const end = onEvent((dataset, { event, ot }) => {
			if (dataset !== 'approval' || ot.command?.name !== name) return;
			if (id && ot.proposal?.id !== id && ot.command.named !== id) return;
			finish({
				taken: event.action !== 'approval-refused',
				why: ot.command.reason ?? '',
				status: ot.proposal?.status ?? '',
			});
		});
		const timer = setTimeout(() => finish(null), PATIENCE_MS);
		function finish(answer) {
			end();
			clearTimeout(timer);
			resolve(answer);
		}
	});
}

// {state: 'taken' | 'refused' | 'unanswered' | 'cancelled', words}
async function deliver(command, name, id) {
	// Listened for before it is sent: the sensor is quicker than the answer to our request.
	const answer = answerTo(name, id);
	await send(command);
	const said = await answer;
	if (!said)
		return { state: 'unanswered', words: 'It was sent, and the sensor has not answered. Is its probing mode off?' };
	if (said.taken)
		return {
			state: 'taken',
			words: said.status ? `The sensor took it; the proposal is now ${said.status}.` : 'The sensor took it.',
		};
	return { state: 'refused', words: `The sensor refused it: ${said.why || 'without a reason'}` };
}

const CANCELLED = { state: 'cancelled', words: '' };

// `times` is {not_before, not_after, uses}. Throws Unsound when a field can't be signed.
export async function approve(id, text, times) {
	const signature = await signText(approvalText(id, text, times));
	if (!signature) return CANCELLED;
	return deliver(
		{ command: 'approve', id, analyst: signature.analyst, ...times, signature: signature.signature },
		'approve',
		id,
	);
}

const SUBJECT_KEYS = { deny: 'id', revoke: 'id', undo: 'fact', resume: '' };

// Every other signed command. subject is the id of a proposal or asset or the number of a fact, '' for resume; fact is
// {attribute, path, value}, those that there are.
export async function decide(command, subject, why = '', fact = {}) {
	const time_ms = Date.now();
	const signature = await signText(commandText({ command, sensor: sensor.value, subject, why, time_ms, ...fact }));
	if (!signature) return CANCELLED;
	const { path, ...members } = fact;
	const body = { command, analyst: signature.analyst, time_ms, signature: signature.signature, ...members };
	if (path) body.of = path;
	if (why) body.why = why;
	if (subject) body[SUBJECT_KEYS[command] ?? 'asset'] = subject;
	return deliver(body, command, subject);
}

// Needs no key: it harms nobody.
export const stop = () => deliver({ command: 'stop' }, 'stop', '');
