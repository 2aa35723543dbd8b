// Probes running and past, with what the target made of them; the alarms; stop, resume, release.
import { useMemo } from 'preact/hooks';
import { decide, stop } from './command.js';
import { Baseline } from './part_baseline.jsx';
import { Outcome, useOutcome } from './part_outcome.jsx';
import { Table } from './part_table.jsx';
import { Chip, Time, Wire } from './part_words.jsx';
import { assetLink, go } from './route.js';
import { probingState, quarantined, runsOf } from './runs.js';
import { kept } from './signer.jsx';
import { probes } from './store.js';
import { number, plural, words } from './text.js';
import { milliseconds } from './time.js';
import { target } from './view_proposals.jsx';

const STAGES = { running: ['accent', '▸'], refused: ['warn', '!'], ended: [undefined, undefined] };

function Stage({ run }) {
	const [tone, mark] = STAGES[run.stage] ?? [];
	const { end, outcome } = run.last.ot.probe;
	if (run.stage === 'ended')
		return <Chip tone={outcome === 'success' ? 'good' : 'warn'}>{words(end).replaceAll('-', ' ')}</Chip>;
	return (
		<Chip tone={tone} mark={mark}>
			{run.stage}
		</Chip>
	);
}

function lasted({ started, ended }) {
	const ms = milliseconds(ended) - milliseconds(started);
	return Number.isFinite(ms) ? `${number(ms)} ms` : '–';
}

const text = (run) => run.last.ot.proposal.text;
const probe = (run) => run.last.ot.probe;

const columns = [
	{ key: 'run', title: 'Run', min: 64, end: true, sort: (r) => r.run, cell: (r) => r.run },
	{
		key: 'time',
		title: 'Time (UTC)',
		min: 162,
		sort: (r) => r.last['@timestamp'],
		cell: (r) => <Time at={r.last['@timestamp']} />,
	},
	{
		key: 'target',
		title: 'Target',
		min: 160,
		grow: 1,
		mono: true,
		sort: (r) => target(text(r)),
		cell: (r) => <Wire value={target(text(r))} />,
	},
	{
		key: 'rule',
		title: 'Probe',
		min: 130,
		grow: 1,
		mono: true,
		sort: (r) => text(r).rule,
		cell: (r) => <Wire value={text(r).rule} />,
	},
	{ key: 'stage', title: 'Outcome', min: 130, sort: (r) => r.stage, cell: (r) => <Stage run={r} /> },
	{
		key: 'health',
		title: 'Target since',
		min: 120,
		sort: (r) => r.alarms.length,
		cell: (r) =>
			r.alarms.length ? (
				<Chip tone="bad" mark="!">
					degraded
				</Chip>
			) : r.stage === 'ended' ? (
				<Chip tone="good">no alarm</Chip>
			) : (
				'–'
			),
	},
	{
		key: 'out',
		title: 'Packets',
		min: 84,
		end: true,
		sort: (r) => probe(r).packets ?? -1,
		cell: (r) => number(probe(r).packets),
	},
	{
		key: 'bytes',
		title: 'Bytes',
		min: 76,
		end: true,
		sort: (r) => probe(r).bytes ?? -1,
		cell: (r) => number(probe(r).bytes),
	},
	{
		key: 'replies',
		title: 'Replies',
		min: 80,
		end: true,
		sort: (r) => probe(r).replies ?? -1,
		cell: (r) => number(probe(r).replies),
	},
	{
		key: 'lasted',
		title: 'Lasted',
		min: 90,
		end: true,
		sort: (r) => milliseconds(probe(r).ended) - milliseconds(probe(r).started),
		cell: (r) => lasted(probe(r)),
	},
	{
		key: 'who',
		title: 'Signed by',
		min: 120,
		grow: 1,
		sort: (r) => r.last.ot.proposal.signed.length,
		cell: (r) => <Wire value={r.last.ot.proposal.signed.map((one) => one.analyst).join(', ') || 'the policy'} />,
	},
	{
		key: 'why',
		title: 'Why',
		min: 160,
		grow: 3,
		sort: (r) => probe(r).why,
		cell: (r) => <Wire value={probe(r).why ?? '–'} most={160} />,
	},
];

function Switch() {
	const [outcome, run] = useOutcome();
	const stopped = probingState(probes.value.commands);
	return (
		<section class="card choices" aria-label="All probing">
			<h2>All probing</h2>
			{stopped ? (
				<p>
					<Chip tone="warn" mark="■">
						stopped
					</Chip>{' '}
					since <Time at={stopped['@timestamp']} />
					{stopped.ot.command.analyst && (
						<>
							{' '}
							by <Wire value={stopped.ot.command.analyst} />
						</>
					)}
				</p>
			) : (
				<p>
					<Chip tone="good">may go on</Chip> as far as it is signed for. To stop needs no key; to go on needs a
					signature.
				</p>
			)}
			<div class="row">
				<button type="button" class="stop" data-test="stop-all" disabled={Boolean(stopped)} onClick={() => run(stop)}>
					Stop all probing now
				</button>
				<button
					type="button"
					data-test="resume"
					disabled={!stopped || !kept.value}
					onClick={() => run(() => decide('resume', ''))}
				>
					Let it go on (sign)
				</button>
			</div>
			<Outcome outcome={outcome} />
		</section>
	);
}

function Alarm({ document }) {
	const [outcome, run] = useOutcome();
	const { asset, watch } = document.ot;
	const kind = [watch.kind.vendor, watch.kind.product, watch.kind.firmware].filter(Boolean).join(' ');
	return (
		<section class="card alarm" aria-label={`Alarm: ${watch.evidence}`}>
			<header>
				<Chip tone="bad" mark="!">
					in quarantine
				</Chip>
				<a href={assetLink(asset.id)}>
					<Wire value={document.host?.ip?.[0] ?? asset.id} />
				</a>
				<span class="hint">
					after{' '}
					<code>
						<Wire value={watch.rule} />
					</code>
					, run {watch.order}, <Time at={document['@timestamp']} />
				</span>
			</header>
			<p class="quote">
				<Wire value={watch.evidence} />
			</p>
			<p class="hint">
				{kind ? (
					<>
						Nobody asks any <Wire value={kind} /> from now on
					</>
				) : (
					'Nobody asks it from now on'
				)}
				{watch.also_quarantined?.length > 0 &&
					`; ${plural(watch.also_quarantined.length, 'other device')} of that kind`}
				.
			</p>
			{watch.before && <Baseline before={watch.before} after={watch.after} />}
			<div class="row">
				<button
					type="button"
					data-test="release"
					disabled={outcome.state === 'waiting' || !kept.value}
					onClick={() => run(() => decide('release', asset.id))}
				>
					End the quarantine (sign)
				</button>
			</div>
			<Outcome outcome={outcome} />
		</section>
	);
}

export function Probes() {
	const { probes: list, watch, loaded } = probes.value;
	const runs = useMemo(() => runsOf(list, watch), [list, watch]);
	const alarms = useMemo(() => quarantined(watch), [watch]);
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Probes</h1>
				<span class="note">
					{plural(runs.filter((run) => run.stage === 'running').length, 'probe')} running,{' '}
					{plural(alarms.length, 'device')} in quarantine
				</span>
			</header>
			<div class="split probes">
				<div class="cards">
					<Switch />
					{alarms.map((document) => (
						<Alarm key={document.event.id} document={document} />
					))}
				</div>
				<Table
					label="Probes"
					columns={columns}
					rows={runs}
					rowId={(run) => run.run}
					onOpen={(run) => go({ view: 'proposals', item: run.last.ot.proposal.id })}
					order={{ key: 'time', descending: true }}
					empty={loaded ? 'Nothing was asked yet.' : 'Asking the sensor…'}
				/>
			</div>
		</>
	);
}
