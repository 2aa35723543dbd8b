// The map for those who don't see it: each device with its place, and with whom it talks by what protocol.
import { useMemo } from 'preact/hooks';
import { assetName, levelName } from './asset_words.js';
import { mapModel } from './map_model.js';
import { Table } from './part_table.jsx';
import { Wire } from './part_words.jsx';
import { openAsset, route } from './route.js';
import { visible, words } from './text.js';

const NAMED_MOST = 4;

const columns = [
	{
		key: 'zone',
		title: 'Zone',
		min: 120,
		grow: 1,
		sort: (r) => r.asset.zone,
		cell: (r) => <Wire value={r.asset.zone} most={40} />,
	},
	{
		key: 'level',
		title: 'Level',
		min: 190,
		grow: 1,
		sort: (r) => Number(r.asset.purdue_level ?? -1),
		cell: (r) => levelName(r.asset.purdue_level),
	},
	{
		key: 'name',
		title: 'Device',
		min: 150,
		grow: 2,
		sort: (r) => assetName(r.asset),
		cell: (r) => <Wire value={assetName(r.asset)} most={60} />,
	},
	{
		key: 'class',
		title: 'Class',
		min: 120,
		grow: 1,
		sort: (r) => r.asset.class,
		cell: (r) => <Wire value={words(r.asset.class) || 'unknown'} />,
	},
	{ key: 'uses', title: 'Uses', min: 220, grow: 3, sort: (r) => -r.uses.length, cell: (r) => told(r.uses) },
	{ key: 'serves', title: 'Is used by', min: 220, grow: 3, sort: (r) => -r.serves.length, cell: (r) => told(r.serves) },
];

function told(list) {
	if (!list.length) return '–';
	const named = list.slice(0, NAMED_MOST).map(([name, protocol]) => `${visible(name)} (${protocol})`);
	return named.join(', ') + (list.length > NAMED_MOST ? ` and ${list.length - NAMED_MOST} more` : '');
}

function rowsOf(list) {
	const rows = new Map(list.map((asset) => [asset.id, { asset, uses: [], serves: [] }]));
	for (const { source, target, protocol } of mapModel(list, { groupAbove: Infinity }).edges) {
		const from = rows.get(source);
		const to = rows.get(target);
		from.uses.push([assetName(to.asset), protocol]);
		to.serves.push([assetName(from.asset), protocol]);
	}
	return [...rows.values()];
}

export function MapTable({ list }) {
	const rows = useMemo(() => rowsOf(list), [list]);
	return (
		<Table
			label="The map as a table: devices, their places, and who talks to whom"
			columns={columns}
			rows={rows}
			rowId={(row) => row.asset.id}
			selected={route.value.query.asset}
			onOpen={(row) => openAsset(row.asset.id)}
			order={{ key: 'zone', descending: false }}
			empty="There are no assets yet."
		/>
	);
}
