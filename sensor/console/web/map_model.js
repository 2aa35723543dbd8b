// The map as data: which nodes there are, where each stands, and who talks to whom. Levels of the Purdue model are bands
// from the enterprise above to the process below, zones are columns. Nothing is laid out by chance or by forces: what
// stood somewhere yesterday stands there today.
import { assetName, LEVELS } from './asset_words.js';

const GROUP_ABOVE = 300; // so many assets are shown one by one
const CELL_W = 102;
const CELL_H = 78;
const PAD = 18;
const ZONE_GAP = 12;
const HEAD_H = 34;
const BAND_GAP = 10;
const ROW_GAP = 26;
const COLUMNS_MOST = 14;
const ZONE_ROWS_MOST = 6;
// The form of a screen that the map is to fill.
const SCREEN_W = 1500;
const SCREEN_H = 1000;

const levelOf = (asset) => (LEVELS.includes(asset.purdue_level) ? asset.purdue_level : '');
const classOf = (asset) => asset.class ?? 'unknown';

function groupBy(list, keyOf) {
	const groups = new Map();
	for (const one of list) {
		const key = keyOf(one);
		const group = groups.get(key);
		if (group) group.push(one);
		else groups.set(key, [one]);
	}
	return groups;
}

const collator = new Intl.Collator('en', { numeric: true });
const byClassThenName = (a, b) => collator.compare(a.class, b.class) || collator.compare(a.name, b.name);

function deviceNode(asset) {
	const node = { id: asset.id, kind: 'asset', class: classOf(asset), name: assetName(asset), asset };
	return { ...node, zone: asset.zone, level: levelOf(asset), conflict: asset.conflicts > 0 || asset.contested };
}

function groupNode(key, members) {
	const [first] = members;
	const node = { id: `group ${key}`, kind: 'group', key, class: classOf(first), count: members.length, members };
	return {
		...node,
		name: `${members.length} × ${classOf(first)}`,
		zone: first.zone,
		level: levelOf(first),
		conflict: members.some((one) => one.conflicts > 0),
	};
}

export const groupKey = (asset) => JSON.stringify([asset.zone, levelOf(asset), classOf(asset)]);

// Devices, or groups of one zone, level and class where there are too many; `expanded` holds keys of groups to show singly.
function nodesOf(list, expanded, groupAbove) {
	if (list.length <= groupAbove) return list.map(deviceNode);
	const nodes = [];
	for (const [key, members] of groupBy(list, groupKey)) {
		if (members.length < 3 || expanded.has(key)) nodes.push(...members.map(deviceNode));
		else nodes.push(groupNode(key, members));
	}
	return nodes;
}

function columnsFor(count) {
	return Math.max(1, Math.min(COLUMNS_MOST, Math.ceil(Math.sqrt(count * 1.7))));
}

// What of a row of zones stands where: its zones' columns, its levels, their widths and heights.
function measure(zones, levels, cellOf) {
	const columns = zones.map((zone) => Math.max(...levels.map((level) => columnsFor(cellOf(zone, level).length))));
	const shown = levels.filter((level) => zones.some((zone) => cellOf(zone, level).length));
	const heights = shown.map((level) => {
		const rows = zones.map((zone, i) => Math.ceil(cellOf(zone, level).length / columns[i]));
		return Math.max(...rows) * CELL_H + 2 * PAD;
	});
	const widths = columns.map((count) => count * CELL_W + 2 * PAD);
	const width = widths.reduce((sum, one) => sum + one + ZONE_GAP, -ZONE_GAP);
	const height = heights.reduce((sum, one) => sum + one + BAND_GAP, HEAD_H);
	return { zones, columns, levels: shown, heights, widths, width, height };
}

// Zones in so many rows that all of them together fill a screen best.
function rowsOfZones(zones, levels, cellOf) {
	let best = null;
	for (let count = 1; count <= Math.min(zones.length, ZONE_ROWS_MOST); count++) {
		const each = Math.ceil(zones.length / count);
		const rows = Array.from({ length: Math.ceil(zones.length / each) }, (_, i) =>
			measure(zones.slice(i * each, (i + 1) * each), levels, cellOf),
		);
		const width = Math.max(...rows.map((row) => row.width));
		const height = rows.reduce((sum, row) => sum + row.height + ROW_GAP, -ROW_GAP);
		const scale = Math.min(SCREEN_W / width, SCREEN_H / height);
		if (!best || scale > best.scale) best = { rows, width, height, scale };
	}
	return best ?? { rows: [], width: 0, height: 0 };
}

// Gives every node its place; the result is what stands behind them: heads of zones, and a piece of each level's band for
// each zone.
function place(nodes) {
	const cells = groupBy(nodes, (node) => JSON.stringify([node.zone, node.level]));
	const zones = [...new Set(nodes.map((node) => node.zone))].sort(collator.compare);
	const levels = LEVELS.filter((level) => nodes.some((node) => node.level === level));
	const cellOf = (zone, level) => cells.get(JSON.stringify([zone, level])) ?? [];
	const { rows, width, height } = rowsOfZones(zones, levels, cellOf);
	const heads = [];
	const bands = [];
	let top = 0;
	for (const row of rows) {
		let x = 0;
		row.zones.forEach((zone, i) => {
			heads.push({ id: `zone ${zone}`, zone, x, y: top, width: row.widths[i] });
			let y = top + HEAD_H;
			row.levels.forEach((level, k) => {
				bands.push({
					id: `band ${level} ${zone}`,
					level,
					x,
					y,
					width: row.widths[i],
					height: row.heights[k],
					first: i === 0,
				});
				placeCell(cellOf(zone, level), x + PAD, y + PAD, row.columns[i]);
				y += row.heights[k] + BAND_GAP;
			});
			x += row.widths[i] + ZONE_GAP;
		});
		top += row.height + ROW_GAP;
	}
	return { heads, bands, width, height };
}

function placeCell(nodes, left, top, columns) {
	nodes.sort(byClassThenName);
	nodes.forEach((node, i) => {
		node.x = left + (i % columns) * CELL_W + CELL_W / 2;
		node.y = top + Math.floor(i / columns) * CELL_H + CELL_H / 2 - 8;
	});
}

// Addresses are unique within a zone alone; one of another zone counts only where no other has it.
function addressBook(list) {
	const book = new Map();
	const anywhere = new Map();
	for (const asset of list) {
		for (const address of [...asset.ip, ...asset.mac]) {
			book.set(`${asset.zone} ${address}`, asset.id);
			anywhere.set(address, anywhere.has(address) ? '' : asset.id);
		}
	}
	return (zone, address) => book.get(`${zone} ${address}`) || anywhere.get(address) || '';
}

function edgesOf(list, nodes, hidden) {
	const find = addressBook(list);
	const nodeOf = new Map();
	for (const node of nodes) {
		if (node.kind === 'asset') nodeOf.set(node.id, node.id);
		else for (const member of node.members) nodeOf.set(member.id, node.id);
	}
	const edges = new Map();
	const protocols = new Map();
	let outside = 0;
	for (const asset of list) {
		for (const talk of asset.talks ?? []) {
			const protocol = talk.protocol ?? talk.transport;
			const peer = nodeOf.get(find(asset.zone, talk.peer));
			if (!peer) {
				outside++;
				continue;
			}
			protocols.set(protocol, (protocols.get(protocol) ?? 0) + 1);
			const from = nodeOf.get(asset.id);
			if (from === peer || hidden.has(protocol)) continue;
			const id = `${from} > ${peer} ${protocol}`;
			const edge = edges.get(id);
			if (edge) edge.count++;
			else edges.set(id, { id, source: from, target: peer, protocol, count: 1 });
		}
	}
	const busiest = [...edges.values()].sort((a, b) => b.count - a.count);
	return { edges: busiest, protocols: [...protocols].sort((a, b) => b[1] - a[1]), outside };
}

// {nodes, edges, the busiest first, heads, bands, protocols: [[name, talks]], classes: [[name, assets]], outside, grouped}
export function mapModel(list, { expanded = new Set(), hidden = new Set(), groupAbove = GROUP_ABOVE } = {}) {
	const nodes = nodesOf(list, expanded, groupAbove);
	const frame = place(nodes);
	const classes = [...groupBy(list, classOf)]
		.map(([name, members]) => [name, members.length])
		.sort((a, b) => b[1] - a[1]);
	return {
		nodes,
		...frame,
		...edgesOf(list, nodes, hidden),
		classes,
		grouped: nodes.some((node) => node.kind === 'group'),
	};
}
