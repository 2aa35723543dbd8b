// The decision on one proposal: approve for a time, deny, or take an approval back. Signed in this browser.
import { useState } from 'preact/hooks';
import { sensor } from './api.js';
import { approve, decide } from './command.js';
import { Outcome, useOutcome } from './part_outcome.jsx';
import { Chip } from './part_words.jsx';
import { approvalText } from './sign_text.js';
import { kept } from './signer.jsx';
import { about } from './store.js';
import { plural, visible } from './text.js';
import { milliseconds } from './time.js';

const SKEW_S = 60; // the sensor's clock may be a little behind ours
const HOURS = [
	[1, '1 hour'],
	[8, '8 hours'],
	[24, '1 day'],
	[168, '7 days'],
	[720, '30 days'],
];

// The first signature sets the times; a second analyst signs the same text.
function signedTimes(text) {
	return text.uses ? { not_before: text.not_before, not_after: text.not_after, uses: text.uses } : null;
}

function chosenTimes(from, hours, uses) {
	const start = Math.floor(from / 1000) - SKEW_S;
	return { not_before: start, not_after: Math.min(start + SKEW_S + hours * 3600, start + 30 * 86400), uses };
}

function textOrTrouble(p, times) {
	try {
		return { text: approvalText(p.id, p.text, times), trouble: '' };
	} catch (error) {
		return { text: '', trouble: error.message };
	}
}

// Why this analyst can't approve now; '' when nothing stands in the way.
function hindrance(p, sound, trouble) {
	if (p.text.sensor !== sensor.value) return 'it is a proposal of another sensor';
	if (milliseconds(p.expires) < Date.now()) return 'it has expired';
	if (p.signed.some((one) => one.analyst === kept.value?.name))
		return 'you have signed it; it waits for another analyst';
	if (about.value && !about.value.writable) return 'this console may not hand commands to the sensor';
	return sound.why || trouble;
}

function Signatures({ proposal: p }) {
	if (p.automatic) return <p>The policy lets it go without a signature.</p>;
	return (
		<p>
			{plural(p.signatures, 'signature')} needed, {p.signed.length} given
			{p.signed.length > 0 && `: ${visible(p.signed.map((one) => one.analyst).join(', '))}`}. Used {p.used}
			{p.text.uses ? ` of ${p.text.uses}` : ''}.
		</p>
	);
}

function Times({ hours, uses, onHours, onUses }) {
	return (
		<div class="row">
			<label class="field">
				<span>May be asked until</span>
				<select value={hours} onChange={(event) => onHours(Number(event.currentTarget.value))}>
					{HOURS.map(([value, name]) => (
						<option key={value} value={value}>
							{name} from now
						</option>
					))}
				</select>
			</label>
			<label class="field">
				<span>Times</span>
				<input
					type="number"
					min="1"
					max="10"
					value={uses}
					onInput={(event) => onUses(Number(event.currentTarget.value))}
				/>
			</label>
		</div>
	);
}

function Open({ proposal: p, sound, busy, run }) {
	// The clock of the text stands still while it is read.
	const [from] = useState(Date.now);
	const [hours, setHours] = useState(24);
	const [uses, setUses] = useState(1);
	const [why, setWhy] = useState('');
	const fixed = signedTimes(p.text);
	const times = fixed ?? chosenTimes(from, hours, uses);
	const { text, trouble } = textOrTrouble(p, times);
	const hindered = hindrance(p, sound, trouble);
	return (
		<>
			{fixed ? (
				<p class="hint">Times and uses are those of the first signature.</p>
			) : (
				<Times hours={hours} uses={uses} onHours={setHours} onUses={setUses} />
			)}
			<details>
				<summary>The text that you sign</summary>
				<pre class="sign-text" data-test="sign-text" tabIndex={0}>
					{text || trouble}
				</pre>
			</details>
			<label class="field">
				<span>Reason, for the record of a denial</span>
				<input type="text" maxLength={190} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
			</label>
			<div class="row">
				<button
					type="button"
					class="first"
					data-test="approve"
					disabled={busy || !kept.value || hindered !== ''}
					onClick={() => run(() => approve(p.id, p.text, times))}
				>
					Sign and approve
				</button>
				<button
					type="button"
					data-test="deny"
					disabled={busy || !kept.value}
					onClick={() => run(() => decide('deny', p.id, why))}
				>
					Deny
				</button>
			</div>
			{hindered && (
				<p class="wrong" data-test="hindrance">
					Can't be approved here: {hindered}.
				</p>
			)}
		</>
	);
}

function Approved({ proposal: p, busy, run }) {
	return (
		<div class="row">
			<button
				type="button"
				class="stop"
				data-test="revoke"
				disabled={busy || !kept.value}
				onClick={() => run(() => decide('revoke', p.id))}
			>
				Take the approval back
			</button>
			<span class="hint">A probe that runs ends politely at once.</span>
		</div>
	);
}

export function Decide({ document, sound }) {
	const p = document.ot.proposal;
	const [outcome, run] = useOutcome();
	const busy = outcome.state === 'waiting';
	const alive = p.status === 'approved' || p.status === 'running';
	return (
		<section class="card choices" aria-label="Decision">
			<h2>Decision</h2>
			<Signatures proposal={p} />
			{!kept.value && (
				<p>
					<Chip tone="warn" mark="!">
						no key in this browser
					</Chip>{' '}
					<a href="#/key">Make or bring one</a> to decide here.
				</p>
			)}
			{p.status === 'open' && <Open proposal={p} sound={sound} busy={busy} run={run} />}
			{alive && <Approved proposal={p} busy={busy} run={run} />}
			{!alive && p.status !== 'open' && <p class="hint">It is {visible(p.status)} and takes no signature.</p>}
			<Outcome outcome={outcome} />
		</section>
	);
}
