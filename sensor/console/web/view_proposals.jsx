// What could be asked, and what became of what was: a list to choose from.
import { useMemo, useState } from 'preact/hooks';
import { Table } from './part_table.jsx';
import { Chip, Risk, Time, Wire } from './part_words.jsx';
import { go } from './route.js';
import { proposals } from './store.js';
import { number, plural, words } from './text.js';

const ALIVE = ['open', 'approved', 'running'];
const TONES = { open: 'accent', approved: 'good', running: 'good', denied: 'bad', revoked: 'bad' };

export function Status({ status }) {
	return <Chip tone={TONES[status]}>{words(status)}</Chip>;
}

// "10.0.0.5:502", or the MAC where no IP is asked; always out of the text that is signed.
export function target({ target_ip: ip, target_mac: mac, port }) {
	if (!ip) return mac;
	if (!port) return ip;
	return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

const of = (document) => document.ot.proposal;
const signed = (p) => (p.automatic ? 'automatic' : `${p.signed.length} of ${p.signatures}`);

const columns = [
	{
		key: 'target',
		title: 'Target',
		min: 170,
		grow: 1,
		mono: true,
		sort: (d) => target(of(d).text),
		cell: (d) => <Wire value={target(of(d).text)} />,
	},
	{
		key: 'class',
		title: 'Class',
		min: 110,
		grow: 1,
		sort: (d) => of(d).text.class,
		cell: (d) => <Wire value={words(of(d).text.class) || 'unknown'} />,
	},
	{
		key: 'maker',
		title: 'Maker',
		min: 120,
		grow: 1,
		sort: (d) => of(d).text.maker,
		cell: (d) => <Wire value={of(d).text.maker || '–'} most={60} />,
	},
	{
		key: 'rule',
		title: 'Probe',
		min: 140,
		grow: 1,
		mono: true,
		sort: (d) => of(d).rule,
		cell: (d) => <Wire value={of(d).rule} />,
	},
	{
		key: 'lacks',
		title: 'Would fill',
		min: 180,
		grow: 3,
		sort: (d) => of(d).lacks.join(),
		cell: (d) => of(d).lacks.map(words).join(', ') || words(of(d).kind),
	},
	{
		key: 'risk',
		title: 'Risk',
		min: 90,
		sort: (d) => ['low', 'medium', 'high', 'custom'].indexOf(of(d).risk),
		cell: (d) => <Risk risk={of(d).risk} />,
	},
	{
		key: 'packets',
		title: 'Packets',
		min: 84,
		end: true,
		sort: (d) => of(d).cost?.packets ?? 0,
		cell: (d) => number(of(d).cost?.packets),
	},
	{
		key: 'bytes',
		title: 'Bytes',
		min: 76,
		end: true,
		sort: (d) => of(d).cost?.bytes ?? 0,
		cell: (d) => number(of(d).cost?.bytes),
	},
	{ key: 'signed', title: 'Signed', min: 90, sort: (d) => of(d).signed.length, cell: (d) => signed(of(d)) },
	{
		key: 'status',
		title: 'Status',
		min: 110,
		sort: (d) => ALIVE.indexOf(of(d).status),
		cell: (d) => <Status status={of(d).status} />,
	},
	{
		key: 'expires',
		title: 'Expires (UTC)',
		min: 162,
		sort: (d) => of(d).expires,
		cell: (d) => <Time at={of(d).expires} />,
	},
];

export function Proposals() {
	const { list, loaded } = proposals.value;
	const [all, setAll] = useState(false);
	const rows = useMemo(() => (all ? list : list.filter((d) => ALIVE.includes(of(d).status))), [list, all]);
	const over = list.length - list.filter((d) => ALIVE.includes(of(d).status)).length;
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Proposals</h1>
				<span class="note">Nothing is sent until as many analysts as its risk needs have signed for its bytes</span>
				<div class="tools">
					<label class="inline">
						<input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
						Also {plural(over, 'one that is over', 'that are over')}
					</label>
				</div>
			</header>
			<Table
				label="Proposals"
				columns={columns}
				rows={rows}
				rowId={(d) => of(d).id}
				onOpen={(d) => go({ view: 'proposals', item: of(d).id })}
				order={{ key: 'risk', descending: false }}
				empty={loaded ? 'There is nothing to decide.' : 'Asking the sensor…'}
			/>
		</>
	);
}
