// The map on its canvas: Cytoscape with places given by map_model.js, walked with the mouse or the keys.
import cytoscape from 'cytoscape';
import { levelName } from './asset_words.js';
import { classSign, protocolSigns } from './map_signs.js';
import { colour } from './palette.js';
import { cut, visible } from './text.js';

const NAME_MOST = 17;
const FONT = 'system-ui, sans-serif';
const CURVES_MOST = 250; // above so many lines they are drawn straight and pale, which is quicker and can be looked at
export const LINES_MOST = 700; // drawn at once; of what is chosen all are drawn

function look() {
	return [
		{
			selector: 'node',
			style: { 'font-family': FONT, 'font-size': 11, color: colour('ink'), 'min-zoomed-font-size': 6, 'overlay-opacity': 0 },
		},
		{
			selector: 'node.band',
			style: { shape: 'rectangle', width: 'data(width)', height: 'data(height)', 'background-color': colour('sunken'), 'background-opacity': 0.75, 'border-width': 1, 'border-color': colour('line'), events: 'no', label: 'data(name)', 'text-halign': 'left', 'text-valign': 'center', 'text-margin-x': -12, 'text-wrap': 'wrap', 'text-max-width': (band) => 10 * band.data('font'), 'font-size': 'data(font)', color: colour('ink-soft'), 'min-zoomed-font-size': 5, 'z-compound-depth': 'bottom' },
		},
		{
			selector: 'node.zone',
			style: { shape: 'rectangle', width: 'data(width)', height: 26, 'background-opacity': 0, events: 'no', label: 'data(name)', 'text-valign': 'center', 'font-size': 'data(font)', 'font-weight': 600, color: colour('ink'), 'min-zoomed-font-size': 5, 'text-wrap': 'ellipsis', 'text-max-width': 'data(width)', 'z-index-compare': 'manual', 'z-index': 30 },
		},
		{
			selector: 'node.device',
			style: { shape: 'data(shape)', width: 46, height: 34, 'background-color': colour('surface'), 'border-width': 1.6, 'border-color': colour('line-strong'), label: 'data(label)', 'text-valign': 'bottom', 'text-margin-y': 4, 'text-wrap': 'wrap', 'background-image': 'data(letters)', 'text-background-color': colour('ground'), 'text-background-opacity': 0.8, 'text-background-padding': 1, 'background-fit': 'none', 'background-clip': 'none', 'background-width': 46, 'background-height': 34, 'bounds-expansion': 4 },
		},
		{ selector: 'node.group', style: { width: 64, height: 44, 'border-style': 'double', 'border-width': 4, 'background-width': 64, 'background-height': 44, 'font-weight': 600 } },
		{ selector: 'node.conflict', style: { 'border-color': colour('warn'), 'border-width': 3 } },
		{ selector: 'node.quiet, edge.quiet', style: { opacity: 0.22 } },
		{ selector: 'node.here', style: { 'border-color': colour('accent'), 'border-width': 4, 'background-color': colour('accent-ground'), 'z-index': 20 } },
		{
			selector: 'edge',
			style: { width: 'data(width)', 'line-color': 'data(colour)', 'target-arrow-color': 'data(colour)', 'line-style': 'data(line)', 'line-opacity': 'data(opacity)', 'curve-style': 'data(curve)', 'target-arrow-shape': 'triangle', 'arrow-scale': 0.7, 'control-point-step-size': 18, 'overlay-opacity': 0, 'z-index': 5 },
		},
		{ selector: 'edge.lit', style: { 'line-opacity': 1, 'z-index': 15, label: 'data(protocol)', 'font-family': FONT, 'font-size': 10, color: colour('ink'), 'text-background-color': colour('surface'), 'text-background-opacity': 0.9, 'text-background-padding': 2 } },
	];
}

// The letters inside a shape, and of a group how many: Cytoscape writes one label for each node, which is the name under it.
const pictures = new Map();

function lettersPicture(letters, count) {
	const key = `${letters} ${count} ${colour('ink')}`;
	if (!pictures.has(key)) {
		const [w, h] = count ? [64, 44] : [46, 34];
		const line = (text, y, weight) => `<text x="${w / 2}" y="${y}" text-anchor="middle" font-family="system-ui,sans-serif" font-size="12.5" font-weight="${weight}" fill="${colour('ink')}">${text}</text>`;
		const lines = count ? line(letters, 20, 600) + line(count, 35, 400) : line(letters, h / 2 + 4.5, 600);
		const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}">${lines}</svg>`;
		pictures.set(key, `data:image/svg+xml;utf8,${encodeURIComponent(svg)}`);
	}
	return pictures.get(key);
}

function deviceElement(node) {
	const { shape, letters } = classSign(node.class);
	const group = node.kind === 'group';
	const classes = ['device', group && 'group', node.conflict && 'conflict'].filter(Boolean).join(' ');
	const label = cut(visible(node.name), group ? 30 : NAME_MOST);
	return { group: 'nodes', data: { id: node.id, shape, label, letters: lettersPicture(letters, node.count ?? 0) }, position: { x: node.x, y: node.y }, classes };
}

function edgeElement(edge, signs, curve) {
	const { colour: name, line } = signs.get(edge.protocol);
	const width = 1.2 + Math.min(1.6, Math.log2(edge.count) / 3);
	const many = curve === 'haystack';
	return { group: 'edges', data: { ...edge, colour: colour(name), line, width, curve, opacity: many ? 0.28 : 0.75 } };
}

// Lines of these edges, as all lines of the model are drawn.
function linesOf(model, edges) {
	const signs = protocolSigns(model.protocols);
	const curve = model.edges.length > CURVES_MOST ? 'haystack' : 'bezier';
	return edges.map((edge) => edgeElement(edge, signs, curve));
}

function elementsOf(model) {
	// Names of zones and levels are to be read when all of a large map is shown.
	const scale = Math.max(1, Math.min(3, model.width / 1500));
	const bands = model.bands.map((band) => ({ group: 'nodes', data: { id: band.id, width: band.width, height: band.height, name: band.first ? levelName(band.level) : '', font: 13 * scale }, position: { x: band.x + band.width / 2, y: band.y + band.height / 2 }, classes: 'band' }));
	const zones = model.heads.map((head) => ({ group: 'nodes', data: { id: head.id, width: head.width, name: cut(visible(head.zone), 40), font: 14 * scale }, position: { x: head.x + head.width / 2, y: head.y + 16 }, classes: 'zone' }));
	return [...bands, ...zones, ...model.nodes.map(deviceElement), ...linesOf(model, model.edges.slice(0, LINES_MOST))];
}

// The nearest node in that direction; what lies aside counts twice as far.
function neighbour(nodes, from, [dx, dy]) {
	let best = null;
	let least = Infinity;
	for (const node of nodes) {
		const along = (node.x - from.x) * dx + (node.y - from.y) * dy;
		const aside = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx);
		if (along > 1 && along + 2 * aside < least) {
			least = along + 2 * aside;
			best = node;
		}
	}
	return best;
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// onOpen(node) opens what was chosen; onHere(node) hears where the keyboard or mouse is, null for nowhere.
export function startMap(host, { onOpen, onHere }) {
	const cy = cytoscape({ container: host, style: look(), minZoom: 0.04, maxZoom: 3, boxSelectionEnabled: false, autoungrabify: true, autounselectify: true, pixelRatio: 'auto' });
	let model = { nodes: [] };
	let here = null;
	let fitted = false;

	const light = (node) => {
		cy.batch(() => {
			cy.elements('.here, .lit, .quiet').removeClass('here lit quiet');
			cy.elements('.extra').remove();
			if (!node) return;
			cy.add(linesOf(model, model.edges.slice(LINES_MOST).filter(({ source, target }) => source === node.id || target === node.id))).addClass('extra');
			const chosen = cy.getElementById(node.id);
			const lit = chosen.closedNeighborhood();
			chosen.addClass('here');
			lit.edges().slice(0, 60).addClass('lit');
			cy.elements('.device, edge').not(lit).addClass('quiet');
		});
	};
	const stand = (node, follow) => {
		here = node;
		light(node);
		onHere(node);
		if (!node || !follow) return;
		const { x, y } = cy.getElementById(node.id).renderedPosition();
		if (x < 60 || y < 60 || x > cy.width() - 60 || y > cy.height() - 60) cy.center(cy.getElementById(node.id));
	};
	const find = (id) => model.nodes.find((node) => node.id === id) ?? null;

	cy.on('tap', 'node.device', (event) => {
		const node = find(event.target.id());
		stand(node, false);
		onOpen(node);
	});
	cy.on('tap', (event) => event.target === cy && stand(null, false));
	host.addEventListener('keydown', (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		const way = WAYS[event.key];
		if (way && event.shiftKey) cy.panBy({ x: -80 * way[0], y: -80 * way[1] });
		else if (way) stand((here && neighbour(model.nodes, here, way)) ?? here ?? model.nodes[0] ?? null, true);
		else if ((event.key === 'Enter' || event.key === ' ') && here) onOpen(here);
		else if (event.key === '+' || event.key === '-') map.zoom(event.key === '+' ? 1.3 : 1 / 1.3);
		else if (event.key === '0') map.fit();
		else if (event.key === 'Escape' && here) stand(null, false);
		else return;
		event.preventDefault();
	});
	const map = {
		show(next) {
			const start = performance.now();
			model = next;
			cy.batch(() => {
				cy.elements().remove();
				cy.add(elementsOf(next));
			});
			if (!fitted && next.nodes.length) {
				map.fit();
				fitted = true;
			}
			// A group that opened goes on at its first device.
			const before = here;
			if (before) stand(find(before.id) ?? next.nodes.find((node) => before.members?.includes(node.asset)) ?? null, false);
			performance.measure('askance:map-layout', { start, end: performance.now() });
		},
		recolour: () => cy.style(look()).update(),
		fit: () => cy.fit(undefined, 24),
		zoom: (by) => cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }),
		choose: (id) => stand(find(id), true),
		resize: () => cy.resize(),
		end: () => cy.destroy(),
	};
	return map;
}
