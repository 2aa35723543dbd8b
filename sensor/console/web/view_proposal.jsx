// One proposal: every byte that would be sent, why, what it would cost, how the target is now; and the decision.
// What can be signed is shown out of the text that is signed, and never out of what stands beside it.
import { useEffect, useState } from 'preact/hooks';
import { Pair } from './part_baseline.jsx';
import { Hex } from './part_hex.jsx';
import { Chip, Risk, Time, Wire } from './part_words.jsx';
import { Decide } from './part_decide.jsx';
import { assetLink } from './route.js';
import { soundness } from './soundness.js';
import { proposals, probes, refresh } from './store.js';
import { plural, words } from './text.js';
import { Status, target } from './view_proposals.jsx';
import { Baseline } from './part_baseline.jsx';

function Facts({ list }) {
	return (
		<dl class="facts">
			{list
				.filter(([, value]) => value !== undefined && value !== '' && value !== null)
				.map(([name, value]) => (
					<>
						<dt>{name}</dt>
						<dd>{typeof value === 'string' ? <Wire value={value} /> : value}</dd>
					</>
				))}
		</dl>
	);
}

function NotChosen({ others }) {
	if (!others.length) return null;
	return (
		<>
			<h3>Not chosen</h3>
			<ul class="plain-list" data-test="not-chosen">
				{others.map((one) => (
					<li key={one.rule}>
						<code>
							<Wire value={one.rule} />
						</code>{' '}
						<Risk risk={one.risk} /> <Wire value={one.why} />
					</li>
				))}
			</ul>
		</>
	);
}

function Why({ proposal: p, asset }) {
	const { text } = p;
	const vlan = text.vlan.filter(Boolean).join('.');
	return (
		<section class="card">
			<h2>Whom it would ask, and what for</h2>
			<Facts
				list={[
					[
						'Target',
						<code>
							<Wire value={target(text)} />
						</code>,
					],
					['Over', `${text.transport}, MAC ${text.target_mac}${vlan ? `, VLAN ${vlan}` : ''}`],
					['Zone', text.zone],
					['Device', `${words(text.class) || 'class not known'}, ${text.maker || 'maker not known'}`],
					['Behind it', text.path],
					['Asset', <a href={assetLink(asset)}>everything known of it</a>],
					[
						'Gap',
						`${words(p.kind)} of ${p.subject}${p.lacks.length ? `; lacks ${p.lacks.map(words).join(', ')}` : ''}`,
					],
					[
						'Probe',
						<>
							<code>
								<Wire value={text.rule} />
							</code>{' '}
							<Risk risk={p.risk} />
						</>,
					],
					['At most', p.cost && `${plural(p.cost.packets, 'packet')}, ${plural(p.cost.bytes, 'byte')}`],
					['Why this one', p.rationale || 'the rule gives no reason'],
					['Allowed by', p.why],
					['Parameters', text.parameters],
					['Made', <Time at={p.made} />],
					['Expires', <Time at={p.expires} />],
				]}
			/>
			<NotChosen others={p.alternatives ?? []} />
			<p class="hint">
				Of the rules that could fill the gap the sensor proposes the one of the least risk, and of equals the one that
				costs least for what it fills.
			</p>
		</section>
	);
}

function Messages({ proposal: p, sound }) {
	return (
		<section class="card">
			<header class="row">
				<h2>What would be sent</h2>
				<span data-test="digest" data-state={sound.digest ? (sound.same ? 'same' : 'differs') : 'waiting'}>
					{sound.digest &&
						(sound.same ? (
							<Chip tone="good" mark="✓">
								these bytes are those that would be signed
							</Chip>
						) : (
							<Chip tone="bad" mark="×">
								not the bytes that would be signed
							</Chip>
						))}
				</span>
			</header>
			<p class="hint">
				{p.messages.length
					? 'No other payload is sent. A name in braces stands for bytes that a reply gives.'
					: 'No payload at all: it connects and listens to what the device says by itself.'}
			</p>
			{p.messages.map((message, i) => (
				<article class="message" key={i}>
					<header>
						<b>{i + 1}.</b> <Wire value={message.step} />
						{message.round > 1 && <span class="hint">round {message.round}</span>}
						<Wire value={message.reading} />
						{message.perhaps && <Chip>only if the answer before asks for it</Chip>}
					</header>
					<Hex hex={message.hex} label={`Message ${i + 1}, ${message.step}: its bytes`} />
				</article>
			))}
			{p.messages_not_listed > 0 && (
				<p class="wrong">{plural(p.messages_not_listed, 'more message')} are not listed.</p>
			)}
			<Facts
				list={[
					[
						'SHA-256 signed',
						<code>
							<Wire value={p.text.plan_sha256} />
						</code>,
					],
					['of these bytes', <code>{sound.digest || '…'}</code>],
				]}
			/>
		</section>
	);
}

function Traffic({ proposal: p, asset }) {
	const { watch } = p;
	const alarm = probes.value.watch.find(({ event, ot }) => event.action === 'target-degraded' && ot.asset.id === asset);
	return (
		<section class="card">
			<h2>The target's own traffic</h2>
			{watch?.quarantine && (
				<p class="row">
					<Chip tone="bad" mark="!">
						in quarantine
					</Chip>{' '}
					<Wire value={watch.quarantine.evidence} />
				</p>
			)}
			{!watch?.pairs?.length && (
				<p class="hint">Nothing cyclic was heard of it yet. A probe waits until the sensor knows what is usual.</p>
			)}
			{watch?.pairs?.map((pair) => (
				<Pair key={`${pair.protocol} ${pair.port} ${pair.client}`} pair={pair} />
			))}
			{alarm?.ot.watch.before && (
				<div class="pair">
					<header>
						<Chip tone="bad" mark="!">
							after an earlier probe
						</Chip>{' '}
						<Wire value={alarm.ot.watch.evidence} /> <Time at={alarm['@timestamp']} />
					</header>
					<Baseline before={alarm.ot.watch.before} after={alarm.ot.watch.after} />
				</div>
			)}
		</section>
	);
}

const UNCHECKED = { digest: '', same: false, why: 'still checking the bytes' };

// Whether the bytes shown are those of the hash that is signed; worked out here, whatever the server says. News of the
// target's traffic alone change nothing of that, and must not take the focus from the button.
function useSoundness(document) {
	const [result, setResult] = useState({ of: null, sound: UNCHECKED });
	const of = document && JSON.stringify({ ...document.ot.proposal, watch: undefined });
	useEffect(() => {
		let over = false;
		if (document) soundness(document).then((sound) => over || setResult({ of, sound }));
		return () => (over = true);
	}, [of]);
	return of && result.of === of ? result.sound : UNCHECKED;
}

const NOW_MS = 10000;

export function Proposal({ item }) {
	const { list, loaded } = proposals.value;
	const document = list.find(({ ot }) => ot.proposal.id === item);
	const sound = useSoundness(document);
	// How the target is now changes without an event.
	useEffect(() => {
		const timer = setInterval(() => refresh('proposals'), NOW_MS);
		return () => clearInterval(timer);
	}, []);
	const p = document?.ot.proposal;
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Proposal {item.slice(0, 8)}</h1>
				{p && (
					<>
						<Status status={p.status} />
						<span class="note">
							<code>
								<Wire value={p.rule} />
							</code>{' '}
							to{' '}
							<code>
								<Wire value={target(p.text)} />
							</code>
							{p.reason && (
								<>
									{' – '}
									<Wire value={p.reason} />
								</>
							)}
						</span>
					</>
				)}
				<div class="tools">
					<a href="#/proposals">All proposals</a>
				</div>
			</header>
			{!p && <p class="hint">{loaded ? 'The sensor has no such proposal any more.' : 'Asking the sensor…'}</p>}
			{p && (
				<div class="proposal">
					<div>
						<Messages proposal={p} sound={sound} />
						<Why proposal={p} asset={document.ot.asset.id} />
					</div>
					<div class="side">
						<Decide document={document} sound={sound} />
						<Traffic proposal={p} asset={document.ot.asset.id} />
					</div>
				</div>
			)}
		</>
	);
}
