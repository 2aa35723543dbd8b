// Who signs here: the kept key, opened with its passphrase for a while, and the question for that passphrase.
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { Dialog } from './part_dialog.jsx';
import { keptKey, openKey, sign } from './sign_key.js';

const OPEN_MS = 10 * 60 * 1000; // an opened key is shut again after so long

// {name, publicKey, ...} of the kept key; undefined when there is none.
export const kept = signal(undefined);
// True while the key is open.
export const isOpen = signal(false);

let handle = null;
let timer = 0;
const question = signal(null); // {resolve}, while the passphrase is asked for

export async function startKey() {
	kept.value = await keptKey().catch(() => undefined);
}

export function shutKey() {
	handle = null;
	clearTimeout(timer);
	isOpen.value = false;
}

function hold(privateKey) {
	handle = privateKey;
	clearTimeout(timer);
	timer = setTimeout(shutKey, OPEN_MS);
	isOpen.value = true;
}

// {analyst, signature} over the text, or null when the analyst would not give the passphrase.
export async function signText(text) {
	if (!kept.value) throw new Error('there is no key in this browser yet; make or bring one under “Your key”');
	if (!handle && !(await new Promise((resolve) => (question.value = { resolve })))) return null;
	return { analyst: kept.value.name, signature: await sign(handle, text) };
}

export function Unlock() {
	const [passphrase, setPassphrase] = useState('');
	const [wrong, setWrong] = useState('');
	const [busy, setBusy] = useState(false);
	if (!question.value) return null;

	const answer = (given) => {
		const { resolve } = question.value;
		question.value = null;
		setPassphrase('');
		setWrong('');
		resolve(given);
	};
	const open = async (event) => {
		event.preventDefault();
		setBusy(true);
		try {
			hold(await openKey(kept.value, passphrase));
			answer(true);
		} catch (error) {
			setWrong(error.message);
		} finally {
			setBusy(false);
		}
	};
	return (
		<Dialog title={`Open the key of ${kept.value.name}`} onClose={() => answer(false)}>
			<form class="form" onSubmit={open}>
				<label class="field">
					<span>Passphrase</span>
					<input
						type="password"
						autocomplete="current-password"
						autoFocus
						required
						value={passphrase}
						onInput={(event) => setPassphrase(event.currentTarget.value)}
						data-test="passphrase"
					/>
				</label>
				<p class="wrong" role="alert">
					{wrong}
				</p>
				<p class="hint">The key stays in this browser, and stays open for ten minutes at most.</p>
				<div class="row">
					<button type="button" onClick={() => answer(false)}>
						Cancel
					</button>
					<button type="submit" class="first" disabled={busy}>
						{busy ? 'Opening…' : 'Open and sign'}
					</button>
				</div>
			</form>
		</Dialog>
	);
}
