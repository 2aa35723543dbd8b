// The sections of an asset's panel: each a piece of its document.
import { levelName } from './asset_words.js';
import { checklist } from './checklist.js';
import { disagreements } from './conflicts.js';
import { history } from './history.js';
import { Lines } from './part_figures.jsx';
import { Chip, Known, Risk, Time, Verdict, Wire } from './part_words.jsx';
import { writeRoute } from './route.js';
import { proposals } from './store.js';
import { words } from './text.js';
import { Facts } from './view_facts.jsx';

function Values({ list }) {
	if (!list.length) return null;
	return (
		<Lines heads={['Attribute', 'Value', 'Said by', 'Frame', 'Time (UTC)']}>
			{list.map((one) => (
				<tr key={`${one.name} ${one.protocol} ${one.source} ${one.value}`}>
					<td class="nowrap">{words(one.name)}</td>
					<td>
						<Wire value={one.value} />
					</td>
					<td>
						{one.source === 'analyst' ? 'an analyst' : <Wire value={`${one.protocol || 'many'}, ${one.source}`} />},{' '}
						{Math.round(one.confidence * 100)} %
					</td>
					<td class="nowrap">{one.frame || '–'}</td>
					<td class="nowrap">
						<Time at={one.time} />
					</td>
				</tr>
			))}
		</Lines>
	);
}

function Section({ title, count, children }) {
	return (
		<section>
			<h3>
				{title}
				{count !== undefined && <span class="hint">{count}</span>}
			</h3>
			{children}
		</section>
	);
}

function Summary({ document }) {
	const { ot } = document;
	const a = ot.asset;
	const facts = [
		['Address', a.ip.join(', ')],
		['MAC', a.mac.join(', ')],
		['Host names', a.hostname.join(', ')],
		['Class', a.class && words(a.class)],
		['Purdue level', a.purdue_level && levelName(a.purdue_level)],
		['Zone', a.zone],
		['Vendor', document.device?.manufacturer ?? a.vendor],
		['Interface by', a.maker],
		['Model', [document.device?.model?.name, document.device?.model?.identifier].filter(Boolean).join(', ')],
		['Series', a.series],
		['Firmware', a.firmware],
		['Serial number', document.device?.serial_number],
		['System', a.os],
		['Role', a.role],
		['ATT&CK asset', a.attack_asset],
		['CPE (mapped)', a.cpe_mapped],
		['Id', a.id],
	].filter(([, value]) => value);
	return (
		<Section title="What it is">
			<dl class="facts">
				{facts.map(([name, value]) => (
					<>
						<dt>{name}</dt>
						<dd>
							<Wire value={value} />
						</dd>
					</>
				))}
				<dt>First, last heard</dt>
				<dd>
					<Time at={a.first_seen} /> to <Time at={a.last_seen} />
				</dd>
			</dl>
			{a.forwards && <p class="hint">It forwards for others: its MAC is no identity.</p>}
			{a.contested && (
				<Chip tone="bad" mark="!">
					Two MACs claim an address of it
				</Chip>
			)}
		</Section>
	);
}

function Completeness({ document }) {
	return (
		<Section title="How complete (CISA's inventory list)">
			<Known share={document.ot.asset.completeness} />
			<ul class="check">
				{checklist(document).map((one) => (
					<li key={one.name} data-known={one.known ? 'yes' : 'no'}>
						<span>
							{one.name}
							<span class="unseen">{one.known ? ': known' : ': not known'}</span>
						</span>
					</li>
				))}
			</ul>
		</Section>
	);
}

function Conflicts({ document }) {
	const list = disagreements(document);
	if (!list.length) return null;
	return (
		<Section title="Told in more than one way" count={list.length}>
			{list.map((one) => (
				<div key={`${one.subject} ${one.name}`}>
					<p class="row">
						<Chip tone={one.changed ? undefined : 'warn'} mark={one.changed ? undefined : '!'}>
							{one.changed ? 'changed' : 'disagree'}
						</Chip>
						<b>{words(one.name)}</b> <Wire value={one.subject} />
					</p>
					<Values list={one.values} />
				</div>
			))}
		</Section>
	);
}

function Gaps({ document }) {
	const { gaps, gaps_not_listed: more } = document.ot;
	const about = (gap) =>
		proposals.value.list.find(
			({ ot }) =>
				ot.asset.id === document.ot.asset.id &&
				ot.proposal.subject === gap.subject &&
				ot.proposal.rule === gap.rule &&
				ot.proposal.status === 'open',
		);
	return (
		<Section title="Gaps" count={gaps.length + (more ?? 0)}>
			{gaps.length === 0 && <p class="hint">None: every service of it has told what it can.</p>}
			{gaps.map((gap) => {
				const proposal = about(gap);
				return (
					<div key={`${gap.kind} ${gap.subject}`}>
						<p class="row">
							<Verdict verdict={gap.verdict} /> <b>{words(gap.kind)}</b> <Wire value={gap.subject} />
							{gap.lacks.length > 0 && <span>lacks {gap.lacks.map(words).join(', ')}</span>}
						</p>
						<p class="hint">
							{gap.rule && (
								<>
									Rule{' '}
									<code>
										<Wire value={gap.rule} />
									</code>{' '}
									<Risk risk={gap.risk} />{' '}
								</>
							)}
							<Wire value={gap.why} />{' '}
							{proposal && (
								<a href={writeRoute({ view: 'proposals', item: proposal.ot.proposal.id })}>Look at the proposal</a>
							)}
						</p>
					</div>
				);
			})}
		</Section>
	);
}

function Services({ document }) {
	const { services, speaks, talks, talks_total: total } = document.ot;
	return (
		<>
			<Section title="Services" count={services.length}>
				{services.length > 0 && (
					<Lines heads={['Protocol', 'Where', 'Known by', 'Clients', 'Last heard']}>
						{services.map((one) => (
							<tr key={`${one.protocol} ${one.transport} ${one.port} ${one.ip}`}>
								<td>
									<Wire value={one.protocol} />
								</td>
								<td class="nowrap">
									<Wire
										value={one.port ? `${one.transport}/${one.port}` : `${one.transport} ${one.ethertype ?? ''}`}
									/>
								</td>
								<td>
									<Wire value={one.evidence} />
								</td>
								<td>{one.clients}</td>
								<td class="nowrap">
									<Time at={one.last_seen} />
								</td>
							</tr>
						))}
					</Lines>
				)}
				{speaks.length > 0 && (
					<p class="hint">
						Speaks <Wire value={speaks.map((one) => `${one.protocol} (${one.role})`).join(', ')} />
					</p>
				)}
			</Section>
			{talks.length > 0 && (
				<Section title="Uses the services of" count={total ?? talks.length}>
					<ul class="hint">
						{talks.slice(0, 40).map((one) => (
							<li key={`${one.peer} ${one.protocol} ${one.port}`}>
								<code>
									<Wire value={one.peer} />
								</code>{' '}
								<Wire value={one.protocol ?? 'not identified'} />{' '}
								<Wire value={one.port ? `${one.transport}/${one.port}` : one.transport} />
							</li>
						))}
					</ul>
					{talks.length > 40 && <p class="hint">and {talks.length - 40} more</p>}
				</Section>
			)}
		</>
	);
}

function SubAssets({ list }) {
	if (!list.length) return null;
	return (
		<Section title="Behind it" count={list.length}>
			{list.map((sub) => (
				<details key={sub.path} open={list.length < 4}>
					<summary>
						<code>
							<Wire value={sub.path} />
						</code>{' '}
						<span class="hint">
							<Wire value={sub.source} />, last heard <Time at={sub.last_seen} />
						</span>
					</summary>
					<Values list={sub.attributes} />
				</details>
			))}
		</Section>
	);
}

function History({ events }) {
	if (!events) return <Section title="History">Asking…</Section>;
	return (
		<Section title="History" count={events.length}>
			<Lines>
				{events.map((event) => (
					<tr key={event.event.id}>
						<td class="nowrap">
							<Time at={event['@timestamp']} />
						</td>
						<td>
							<Wire value={history(event)} />
						</td>
					</tr>
				))}
			</Lines>
		</Section>
	);
}

// All of them; `events` is null until they are there.
export function AssetSections({ document, events }) {
	return (
		<>
			<Summary document={document} />
			<Conflicts document={document} />
			<Gaps document={document} />
			<Completeness document={document} />
			<Section title="Every attribute" count={document.ot.attributes.length}>
				<Values list={document.ot.attributes} />
			</Section>
			<SubAssets list={document.ot.subassets} />
			<Facts document={document} />
			<Services document={document} />
			<History events={events} />
		</>
	);
}
