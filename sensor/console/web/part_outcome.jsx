// What became of a command: a sentence that stays, and that is read out.
import { useState } from 'preact/hooks';
import { visible } from './text.js';

const TONES = { taken: 'good', refused: 'bad', failed: 'bad', unanswered: 'warn' };
const MARKS = { taken: '✓', refused: '×', failed: '×', unanswered: '!' };

// [outcome, run]: run(work) does the work once at a time and keeps what came of it.
export function useOutcome() {
	const [outcome, setOutcome] = useState({ state: 'idle', words: '' });
	const run = async (work) => {
		setOutcome({ state: 'waiting', words: 'Signing and sending…' });
		try {
			setOutcome(await work());
		} catch (error) {
			setOutcome({ state: 'failed', words: `Not done: ${error.message}` });
		}
	};
	return [outcome, run];
}

export function Outcome({ outcome }) {
	return (
		<p class="outcome" role="status" data-test="outcome" data-state={outcome.state}>
			{outcome.words && (
				<span class="chip" data-tone={TONES[outcome.state]} data-mark={MARKS[outcome.state]}>
					{visible(outcome.words)}
				</span>
			)}
		</p>
	);
}
