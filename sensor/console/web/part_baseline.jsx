// What is usual for a target's cyclic traffic, drawn to scale: mean, jitter around it, and the longest that was seen;
// with what was seen since a probe under it, where that is known.
import { Chip, Wire } from './part_words.jsx';
import { number } from './text.js';
import { span } from './time.js';

const ms = (value) => (Number.isFinite(value) ? `${number(value)} ms` : '–');

// Shares of the line's width, and never past its end.
function place(value, most) {
	return `${Math.min(100, (100 * Math.max(0, value)) / most)}%`;
}

// One figure on a scale of its own, from nought to the most that was seen of it before or since.
function Range({ name, mean, spread, longest, most, late }) {
	if (!Number.isFinite(mean)) return null;
	const tone = late ? 'var(--bad)' : 'var(--accent)';
	const words = [
		ms(mean),
		spread > 0 && `± ${number(spread)}`,
		Number.isFinite(longest) && `longest ${ms(longest)}`,
	].filter(Boolean);
	return (
		<>
			<dt>{name}</dt>
			<dd>
				<svg height="20">
					<line x1="0" x2="100%" y1="10" y2="10" stroke="var(--line)" />
					<line x1="0" x2="0" y1="7" y2="13" stroke="var(--line-strong)" />
					{Number.isFinite(longest) && (
						<line
							x1={place(mean, most)}
							x2={place(longest, most)}
							y1="10"
							y2="10"
							stroke={tone}
							stroke-dasharray="2 3"
						/>
					)}
					{Number.isFinite(longest) && (
						<line x1={place(longest, most)} x2={place(longest, most)} y1="5" y2="15" stroke={tone} />
					)}
					{spread > 0 && (
						<line
							x1={place(mean - spread, most)}
							x2={place(mean + spread, most)}
							y1="10"
							y2="10"
							stroke={tone}
							stroke-width="7"
							stroke-opacity="0.35"
						/>
					)}
					<circle cx={place(mean, most)} cy="10" r="4" fill={tone} />
				</svg>
			</dd>
			<dd>{words.join(', ')}</dd>
		</>
	);
}

function most(sets, ...names) {
	const all = sets.filter(Boolean).flatMap((figures) => names.map((name) => figures[name]));
	return Math.max(0.001, ...all.filter(Number.isFinite)) * 1.03;
}

function Ranges({ figures, all, late, prefix }) {
	const {
		period_ms: period,
		jitter_ms: jitter,
		longest_gap_ms: gap,
		round_trip_ms: trip,
		longest_round_trip_ms: longest,
	} = figures;
	return (
		<>
			<Range
				name={`${prefix}asked every`}
				mean={period}
				spread={jitter}
				longest={gap}
				most={most(all, 'period_ms', 'longest_gap_ms')}
				late={late}
			/>
			<Range
				name={`${prefix}answers after`}
				mean={trip}
				longest={longest}
				most={most(all, 'round_trip_ms', 'longest_round_trip_ms')}
				late={late}
			/>
		</>
	);
}

// A sentence for who can't see the drawing.
function told(figures) {
	const {
		period_ms: period,
		jitter_ms: jitter,
		longest_gap_ms: gap,
		round_trip_ms: trip,
		longest_round_trip_ms: longest,
	} = figures;
	return `every ${ms(period)}, jitter ${ms(jitter)}, longest pause ${ms(gap)}; answered in ${ms(trip)}, at the longest ${ms(longest)}`;
}

export function Baseline({ before, after }) {
	return (
		<>
			<p class="unseen">
				Usual: {told(before)}.{after && ` Since the probe: ${told(after)}.`}
			</p>
			<dl class="range" aria-hidden="true">
				<Ranges figures={before} all={[before, after]} prefix={after ? 'before: ' : ''} />
				{after && <Ranges figures={after} all={[before, after]} prefix="since: " late />}
			</dl>
		</>
	);
}

// The last reports, one after the other, over the band of what is usual. Those that heard nothing leave a hole.
function Recent({ name, values, mean, spread = 0 }) {
	const heard = values.map((value, i) => [i, value]).filter(([, value]) => value > 0);
	if (heard.length < 2) return null;
	const top = 1.15 * Math.max(mean + spread, ...heard.map(([, value]) => value));
	const y = (value) => 30 - (30 * Math.max(0, value)) / top;
	const points = heard.map(([i, value]) => `${(100 * i) / (values.length - 1)},${y(value)}`).join(' ');
	return (
		<>
			<dt>{name} now</dt>
			<dd>
				<svg class="recent" viewBox="0 0 100 30" preserveAspectRatio="none">
					<rect
						x="0"
						y={y(mean + spread)}
						width="100"
						height={Math.max(0.6, y(mean - spread) - y(mean + spread))}
						fill="var(--accent)"
						opacity="0.25"
					/>
					<polyline points={points} fill="none" stroke="var(--ink)" vector-effect="non-scaling-stroke" />
				</svg>
			</dd>
			<dd>{ms(heard.at(-1)[1])}</dd>
		</>
	);
}

function Now({ pair }) {
	const { period_ms: periods = [], round_trip_ms: trips = [] } = pair.recent ?? {};
	if (!pair.cyclic || periods.length < 2) return null;
	return (
		<dl class="range" aria-hidden="true" data-test="recent">
			<Recent name="asked every" values={periods} mean={pair.period_ms} spread={pair.jitter_ms} />
			<Recent name="answers after" values={trips} mean={pair.round_trip_ms} />
		</dl>
	);
}

function Health({ pair }) {
	if (pair.deviation)
		return (
			<Chip tone="bad" mark="!">
				<Wire value={pair.deviation} />
			</Chip>
		);
	if (pair.steady) return <Chip tone="good">steady for {span(pair.steady_s ?? 0)}</Chip>;
	return <Chip tone="warn">learning, {span(pair.steady_s ?? 0)} so far</Chip>;
}

export function Pair({ pair }) {
	const faults = ['errors', 'retransmissions', 'resets'].filter((name) => Number.isFinite(pair[name]));
	return (
		<div class="pair">
			<header>
				<b>
					<Wire value={pair.protocol} />
				</b>{' '}
				<Wire value={pair.port ? `${pair.transport}/${pair.port}` : pair.transport} /> asked by{' '}
				<code>
					<Wire value={pair.client} />
				</code>{' '}
				<Health pair={pair} />
				{pair.silent_s > 1 && <span class="hint">last heard {span(pair.silent_s)} ago</span>}
			</header>
			{pair.cyclic ? <Baseline before={pair} /> : <p class="hint">Not cyclic: there is no period to compare with.</p>}
			<Now pair={pair} />
			{faults.length > 0 && (
				<p class="hint">
					In {number(pair.requests ?? 0)} requests: {faults.map((name) => `${number(pair[name])} ${name}`).join(', ')}
				</p>
			)}
		</div>
	);
}
