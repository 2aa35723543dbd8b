// Small pieces of text that all views write the same way.
import { signal } from '@preact/signals';
import { cut, percent, visible } from './text.js';
import { moment, relative } from './time.js';

// A stranger's text: isolated in its direction, unseen characters written out, cut at `most` where room is short.
export function Wire({ value, most = 0 }) {
	const text = visible(value);
	return <bdi>{most ? cut(text, most) : text}</bdi>;
}

export function Chip({ tone, mark, children }) {
	return (
		<span class="chip" data-tone={tone} data-mark={mark}>
			{children}
		</span>
	);
}

const RISK_TONES = { low: 'good', medium: 'warn', high: 'bad', custom: 'bad' };

export function Risk({ risk }) {
	return risk ? <Chip tone={RISK_TONES[risk]}>{visible(risk)}</Chip> : null;
}

const VERDICTS = { proposed: ['accent', '?'], forbidden: ['bad', '×'], none: [undefined, '–'] };

export function Verdict({ verdict }) {
	const [tone, mark] = VERDICTS[verdict] ?? [];
	return (
		<Chip tone={tone} mark={mark}>
			{verdict === 'none' ? 'no rule' : visible(verdict)}
		</Chip>
	);
}

// How much of what an inventory should hold is known.
export function Known({ share }) {
	return (
		<span class="known">
			<span class="known-bar" aria-hidden="true">
				<i style={{ width: percent(share ?? 0).replace(' ', '') }} />
			</span>
			<b>{percent(share)}</b>
		</span>
	);
}

export function Time({ at, exact }) {
	if (!at) return '–';
	return (
		<time dateTime={at} title={`${moment(at, true)} UTC, ${relative(at)}`}>
			{moment(at, exact)}
		</time>
	);
}

// One sentence at a time for screen readers; what is seen says it, too.
const said = signal('');

export function announce(sentence) {
	// The same sentence twice is read twice only when it was another in between.
	said.value = said.value === sentence ? `${sentence}\u00a0` : sentence;
}

export function Announcer() {
	return (
		<div class="unseen" role="status" aria-live="polite" aria-atomic="true">
			{said.value}
		</div>
	);
}
