// All assets as a table: filter, sort, how complete each is.
import { useMemo, useState } from 'preact/hooks';
import { Trouble } from './part_figures.jsx';
import { Table } from './part_table.jsx';
import { Known, Time, Wire } from './part_words.jsx';
import { assetMatches, levelName, LEVELS } from './asset_words.js';
import { openAsset, route } from './route.js';
import { assets } from './store.js';
import { plural, words } from './text.js';

const CELL = 60;

const columns = [
	{
		key: 'ip',
		title: 'Address',
		min: 150,
		grow: 1,
		mono: true,
		sort: (a) => a.ip[0] ?? a.mac[0],
		cell: (a) => <Wire value={a.ip[0] ?? a.mac[0]} most={CELL} />,
	},
	{
		key: 'name',
		title: 'Name',
		min: 110,
		grow: 2,
		sort: (a) => a.hostname[0],
		cell: (a) => <Wire value={a.hostname[0] ?? '–'} most={CELL} />,
	},
	{
		key: 'class',
		title: 'Class',
		min: 134,
		grow: 1,
		sort: (a) => a.class,
		cell: (a) => <Wire value={words(a.class) || 'unknown'} />,
	},
	{
		key: 'level',
		title: 'Level',
		min: 66,
		end: true,
		sort: (a) => Number(a.purdue_level ?? -1),
		cell: (a) => a.purdue_level ?? '–',
	},
	{
		key: 'zone',
		title: 'Zone',
		min: 142,
		grow: 1,
		sort: (a) => a.zone,
		cell: (a) => <Wire value={a.zone} most={CELL} />,
	},
	{
		key: 'maker',
		title: 'Maker',
		min: 110,
		grow: 2,
		sort: (a) => a.vendor ?? a.maker,
		cell: (a) => <Wire value={a.vendor ?? a.maker ?? '–'} most={CELL} />,
	},
	{
		key: 'product',
		title: 'Product',
		min: 120,
		grow: 2,
		sort: (a) => a.product,
		cell: (a) => <Wire value={a.product ?? '–'} most={CELL} />,
	},
	{
		key: 'firmware',
		title: 'Firmware',
		min: 90,
		grow: 1,
		sort: (a) => a.firmware,
		cell: (a) => <Wire value={a.firmware ?? '–'} most={24} />,
	},
	{
		key: 'known',
		title: 'Known',
		min: 118,
		sort: (a) => a.completeness,
		cell: (a) => <Known share={a.completeness} />,
	},
	{ key: 'gaps', title: 'Gaps', min: 66, end: true, sort: (a) => a.gaps, cell: (a) => a.gaps || '–' },
	{
		key: 'conflicts',
		title: 'Conflicts',
		min: 94,
		end: true,
		sort: (a) => a.conflicts,
		cell: (a) => <Trouble count={a.conflicts} none="–" />,
	},
	{
		key: 'seen',
		title: 'Last heard (UTC)',
		min: 158,
		sort: (a) => a.last_seen,
		cell: (a) => <Time at={a.last_seen} />,
	},
];

function Filters({ filter, onFilter, classes, zones }) {
	const set = (key) => (event) => onFilter({ ...filter, [key]: event.currentTarget.value });
	return (
		<>
			<input
				type="search"
				aria-label="Filter assets by any word"
				placeholder="Name, address, maker, protocol…"
				value={filter.words}
				onInput={set('words')}
				data-test="table-filter"
			/>
			<select aria-label="Class" value={filter.class} onChange={set('class')}>
				<option value="">All classes</option>
				{classes.map((one) => (
					<option key={one} value={one}>
						{words(one)}
					</option>
				))}
			</select>
			<select aria-label="Zone" value={filter.zone} onChange={set('zone')}>
				<option value="">All zones</option>
				{zones.map((one) => (
					<option key={one} value={one}>
						<Wire value={one} />
					</option>
				))}
			</select>
			<select aria-label="Purdue level" value={filter.level} onChange={set('level')}>
				<option value="">All levels</option>
				{LEVELS.map((one) => (
					<option key={one} value={one}>
						{levelName(one)}
					</option>
				))}
			</select>
		</>
	);
}

function distinct(list, of) {
	return [...new Set(list.map(of))].sort();
}

export function Assets() {
	const all = useMemo(() => [...assets.value.byId.values()], [assets.value]);
	const [filter, setFilter] = useState({ words: '', class: '', zone: '', level: '' });
	const rows = useMemo(() => {
		const start = performance.now();
		const found = all.filter((asset) => assetMatches(asset, filter));
		performance.measure('askance:filter', { start, end: performance.now() });
		return found;
	}, [all, filter]);
	const classes = useMemo(() => distinct(all, (a) => a.class ?? 'unknown'), [all]);
	const zones = useMemo(() => distinct(all, (a) => a.zone), [all]);

	return (
		<>
			<header>
				<h1 tabIndex={-1}>Assets</h1>
				<span class="note">
					{rows.length === all.length
						? plural(all.length, 'asset')
						: `${rows.length} of ${plural(all.length, 'asset')}`}
				</span>
				<div class="tools">
					<Filters filter={filter} onFilter={setFilter} classes={classes} zones={zones} />
				</div>
			</header>
			<Table
				label="Assets"
				columns={columns}
				rows={rows}
				rowId={(asset) => asset.id}
				selected={route.value.query.asset}
				onOpen={(asset) => openAsset(asset.id)}
				order={{ key: 'ip', descending: false }}
				empty={assets.value.loaded ? 'No asset fits the filter.' : 'Asking the sensor…'}
			/>
		</>
	);
}
