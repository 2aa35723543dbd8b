// How well the sensor hears and tells: packets, drops, loss, Redis, walls.
import { useMemo } from 'preact/hooks';
import { PLOTS, plotData } from './health_series.js';
import { Lines, Tiles, Trouble } from './part_figures.jsx';
import { Plot } from './part_plot.jsx';
import { Chip, Time, Wire } from './part_words.jsx';
import { about, health } from './store.js';
import { bytes, number, percent, words } from './text.js';
import { span } from './time.js';

const FORMATS = { number, bytes, ms: (value) => (Number.isFinite(value) ? `${number(value)} ms` : '–') };

const loss = (t) => t.kernel_drops + t.interface_drops + t.ring_drops + t.findings_lost;

function Numbers({ now }) {
	const { traffic: t, redis, outbox, jsonl, picture } = now;
	const dropped = loss(t);
	const tiles = [
		['Up for', span(now.uptime_s), ''],
		['Packets heard', number(t.frames), bytes(t.bytes)],
		['Dropped', number(dropped), dropped ? percent(dropped / (t.frames + dropped)) : 'none'],
		['Not decoded', percent(now.undecoded_share), `${number(t.undecoded)} packets`],
		['Flows', number(t.flows), `${number(t.flows_evicted)} evicted`],
		['Assets', number(picture?.assets), `${number(picture?.assets_refused ?? 0)} refused`],
		['Events lost', number(outbox.lost), 'ever'],
	];
	return (
		<Tiles tiles={tiles} wide>
			<div class="tile">
				<dt>Redis</dt>
				<dd>
					<Chip tone={redis.state === 'streaming' ? 'good' : 'bad'} mark={redis.state === 'streaming' ? '✓' : '!'}>
						{words(redis.state)}
					</Chip>{' '}
					<small>{number(redis.lag_ms)} ms behind</small>
				</dd>
			</div>
			<div class="tile">
				<dt>JSONL</dt>
				<dd>
					<Chip tone={jsonl.state === 'writing' ? 'good' : jsonl.state === 'off' ? undefined : 'bad'}>
						{words(jsonl.state)}
					</Chip>
				</dd>
			</div>
		</Tiles>
	);
}

// What the walls and bounded tables turned away: each a counter that stays at nought in a well sensor.
const REFUSALS = [
	['Findings that no honest engine sends', (h) => h.picture?.reports_rejected],
	['Assets refused, the picture being full', (h) => h.picture?.assets_refused],
	['Messages that a reader refused on a known flow', (h) => h.traffic.messages_rejected],
	['Flows without memory for streams', (h) => h.traffic.details_refused],
	['Fragments dropped', (h) => h.traffic.fragments_dropped],
	['Failures of the store', (h) => h.outbox.store_failures],
	['Redis: failures, resyncs', (h) => h.redis.failures + h.redis.resyncs],
];

function Walls({ now }) {
	return (
		<section class="card">
			<h2>Walls and bounds</h2>
			<Lines heads={['Turned away since the start', 'Count']}>
				{REFUSALS.map(([name, of]) => (
					<tr key={name}>
						<td>{name}</td>
						<td>
							<Trouble count={of(now)} />
						</td>
					</tr>
				))}
			</Lines>
		</section>
	);
}

function Outputs({ now }) {
	if (!now.outputs?.length) return null;
	return (
		<section class="card">
			<h2>Lists for consumers</h2>
			<Lines heads={['List', 'Length', 'Most', 'Dropped']}>
				{now.outputs.map((one) => (
					<tr key={one.list}>
						<td>
							<Wire value={one.list} />
						</td>
						<td>{number(one.length)}</td>
						<td>{number(one.cap)}</td>
						<td>
							<Trouble count={one.dropped} tone="bad" />
						</td>
					</tr>
				))}
			</Lines>
		</section>
	);
}

export function Sensor() {
	const { list, loaded } = health.value;
	const newest = list.at(-1);
	const data = useMemo(() => PLOTS.map((plot) => plotData(plot, list)), [list]);
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Sensor</h1>
				<span class="note">
					{newest ? (
						<>
							<Wire value={`${newest.observer.name}, askance ${newest.observer.version}`} />; told{' '}
							<Time at={newest['@timestamp']} />
						</>
					) : (
						'The last hour'
					)}
				</span>
				<span class="tools hint">
					{about.value && `console ${about.value.version}, `}
					<a href="licences.txt">licences</a>
				</span>
			</header>
			<div class="plots" tabIndex={0} role="group" aria-label="Figures of the sensor">
				{!newest && (
					<p class="hint">
						{loaded ? 'The sensor has told nothing of its health within the last hour.' : 'Asking the sensor…'}
					</p>
				)}
				{newest && <Numbers now={newest.ot.health} />}
				{newest &&
					PLOTS.map((plot, i) => (
						<Plot
							key={plot.title}
							title={plot.title}
							series={plot.series.map(([name]) => ({ name }))}
							data={data[i]}
							format={FORMATS[plot.unit]}
						/>
					))}
				{newest && <Walls now={newest.ot.health} />}
				{newest && <Outputs now={newest.ot.health} />}
			</div>
		</>
	);
}
