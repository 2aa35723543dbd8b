// All sensors of the console as one picture: each device once, who hears it, and why that is one device.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { deviceName, fleet, matches, refreshFleet, sensorsOf } from './fleet.js';
import { Command, DevicePanel } from './part_device.jsx';
import { Lines, Tiles, Trouble } from './part_figures.jsx';
import { Table } from './part_table.jsx';
import { Chip, Time, Wire } from './part_words.jsx';
import { go, route } from './route.js';
import { number, plural, words } from './text.js';
import { span } from './time.js';

const REFRESH_MS = 5000;
const CELL = 90;
const LISTED = 50;
const NAMED = 3;

function heardBy(device) {
	const names = sensorsOf(device);
	return names.length > NAMED ? `${names[0]} and ${names.length - 1} more` : names.join(', ');
}

const model = ({ product, order_code }) => [product, order_code].filter(Boolean).join(' ') || '–';

const columns = [
	{
		key: 'name',
		title: 'Device',
		min: 150,
		grow: 2,
		sort: deviceName,
		cell: (d) => <Wire value={deviceName(d)} most={CELL} />,
	},
	{
		key: 'address',
		title: 'Address',
		min: 130,
		grow: 1,
		mono: true,
		sort: (d) => d.ip[0] ?? d.mac[0],
		cell: (d) => <Wire value={d.ip[0] ?? d.mac[0] ?? '–'} most={CELL} />,
	},
	{
		key: 'heard',
		title: 'Heard by',
		min: 160,
		grow: 2,
		sort: (d) => -sensorsOf(d).length,
		cell: (d) => <Wire value={heardBy(d)} most={CELL} />,
	},
	{
		key: 'class',
		title: 'Class',
		min: 110,
		grow: 1,
		sort: (d) => d.class,
		cell: (d) => <Wire value={words(d.class) || 'unknown'} most={CELL} />,
	},
	{
		key: 'vendor',
		title: 'Vendor',
		min: 120,
		grow: 1,
		sort: (d) => d.vendor,
		cell: (d) => <Wire value={d.vendor || '–'} most={CELL} />,
	},
	{ key: 'model', title: 'Model', min: 140, grow: 2, sort: model, cell: (d) => <Wire value={model(d)} most={CELL} /> },
	{
		key: 'serial',
		title: 'Serial',
		min: 120,
		grow: 1,
		mono: true,
		sort: (d) => d.serial[0],
		cell: (d) => <Wire value={d.serial[0] ?? '–'} most={CELL} />,
	},
	{
		key: 'differs',
		title: 'Told differently',
		min: 130,
		grow: 1,
		sort: (d) => (d.differs ?? []).join(),
		cell: (d) =>
			d.differs ? (
				<Chip tone="warn" mark="≠">
					{d.differs.map(words).join(', ')}
				</Chip>
			) : (
				'–'
			),
	},
];

function Numbers({ sensors, numbers }) {
	const tiles = [
		['Sensors', number(sensors.length), `${number(sensors.filter((s) => s.stale).length)} silent`],
		['Devices', number(numbers.devices), `of ${plural(numbers.assets, 'asset')}`],
		['Of several witnesses', number(numbers.merged), 'each shown once'],
		['Alike, not joined', number(numbers.doubts), 'for people to decide'],
		['Decided by analysts', number(numbers.decisions), plural(numbers.decisions, 'pair')],
	];
	return <Tiles tiles={tiles} />;
}

function Sensors({ sensors }) {
	return (
		<section class="card" aria-labelledby="fleet-sensors">
			<h2 id="fleet-sensors">Sensors</h2>
			<Lines heads={['Sensor', 'Zone', 'Last word', 'Assets', 'Its alone', 'Behind', 'Lost']}>
				{sensors.map((one) => (
					<tr key={one.name}>
						<td>
							<Wire value={one.name} />
						</td>
						<td>
							<Wire value={one.zone || '–'} most={CELL} />
						</td>
						<td>
							{one.stale ? (
								<Chip tone="bad" mark="!">
									silent
								</Chip>
							) : (
								`${span(one.heard_s_ago)} ago`
							)}
						</td>
						<td>{number(one.assets)}</td>
						<td>{number(one.alone)}</td>
						<td>{one.lag_entries ? plural(one.lag_entries, 'event') : '–'}</td>
						<td>
							<Trouble count={one.drops + one.lost} />
						</td>
					</tr>
				))}
			</Lines>
		</section>
	);
}

function More({ count, words: text }) {
	return count > 0 ? (
		<p class="hint">
			… and {number(count)} more: <code>{text}</code>
		</p>
	) : null;
}

function Doubts({ doubts, all }) {
	return (
		<section class="card" aria-labelledby="fleet-doubts" data-test="fleet-doubts">
			<h2 id="fleet-doubts">Alike, and not joined</h2>
			{doubts.length === 0 && <p class="hint">No two assets share something without being one device.</p>}
			<ul class="plain-list">
				{doubts.slice(0, LISTED).map((one) => (
					<li key={`${one.a} ${one.b}`}>
						<Wire value={`${one.a}, ${one.b}`} />: <Wire value={one.reason} most={300} />
						<Command action="merge" a={one.a} b={one.b} />
					</li>
				))}
			</ul>
			<More count={all - LISTED} words="askance fleet --doubts" />
		</section>
	);
}

const WORDS = { merge: 'are one device', split: 'are two devices', undo: 'left to the fleet again' };

function Decisions({ decisions, all, trouble }) {
	return (
		<section class="card" aria-labelledby="fleet-decisions" data-test="fleet-decisions">
			<h2 id="fleet-decisions">What analysts decided</h2>
			{trouble && <p class="wrong">It can't be read: {words(trouble)}</p>}
			{!trouble && decisions.length === 0 && (
				<p class="hint">
					Nothing. <code>askance fleet merge</code>, <code>split</code> and <code>undo</code> put an analyst's word above
					the fleet's, with who, when and why.
				</p>
			)}
			<ul class="plain-list">
				{decisions.slice(0, LISTED).map((one) => (
					<li key={`${one.a} ${one.b}`}>
						<Chip tone={one.action === 'undo' ? undefined : 'accent'}>{words(one.action)}</Chip>{' '}
						<Wire value={`${one.a}, ${one.b}`} /> {WORDS[one.action] ?? ''}
						<span class="hint">
							{' '}
							<Wire value={one.who} most={CELL} />, <Time at={one.when} />: <Wire value={one.why} most={300} />
						</span>
						{one.action !== 'undo' && <Command action="undo" a={one.a} b={one.b} />}
					</li>
				))}
			</ul>
			<More count={all - LISTED} words="askance fleet decisions" />
		</section>
	);
}

// True until the first answer is there; what goes wrong then stands in the second.
function useFleet() {
	const [error, setError] = useState('');
	useEffect(() => {
		let over = false;
		let timer = 0;
		const look = async () => {
			await refreshFleet().then(
				() => setError(''),
				(why) => setError(why.message),
			);
			if (!over) timer = setTimeout(look, REFRESH_MS);
		};
		look();
		return () => {
			over = true;
			clearTimeout(timer);
		};
	}, []);
	return error;
}

export function Fleet() {
	const error = useFleet();
	const { sensors, devices, doubts, decisions, numbers, trouble, loading } = fleet.value;
	const [text, setText] = useState('');
	const [several, setSeveral] = useState(false);
	const chosen = route.value.query.device;
	const rows = useMemo(
		() => devices.filter((d) => (!several || d.witnesses.length > 1) && (!text || matches(d, text.toLowerCase()))),
		[devices, several, text],
	);
	const choose = (device) => go({ view: 'fleet', query: { device } });
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Fleet</h1>
				<span class="note">
					{error ? `Not up to date: ${words(error)}` : `${plural(sensors.length, 'sensor')} as one picture`}
				</span>
				<div class="tools">
					<label class="inline">
						<input type="checkbox" checked={several} onChange={(event) => setSeveral(event.currentTarget.checked)} />
						Of several witnesses alone
					</label>
					<input
						type="search"
						aria-label="Filter devices by any word"
						placeholder="Name, address, serial, sensor…"
						value={text}
						onInput={(event) => setText(event.currentTarget.value)}
						data-test="table-filter"
					/>
				</div>
			</header>
			<div class="split fleet">
				<div class="cards" tabIndex={0} role="group" aria-label="Sensors, doubts and decisions">
					{numbers && <Numbers sensors={sensors} numbers={numbers} />}
					<Sensors sensors={sensors} />
					<Doubts doubts={doubts} all={numbers?.doubts ?? 0} />
					<Decisions decisions={decisions} all={numbers?.decisions ?? 0} trouble={trouble} />
				</div>
				<Table
					label="Devices of the fleet"
					columns={columns}
					rows={rows}
					rowId={(device) => device.id}
					selected={chosen}
					onOpen={(device) => choose(device.id)}
					order={{ key: 'heard', descending: false }}
					empty={loading ? 'Asking the sensors…' : 'No device fits the filter.'}
				/>
			</div>
			{chosen && <DevicePanel device={devices.find((one) => one.id === chosen)} onClose={() => choose('')} />}
		</>
	);
}
