// The map on its canvas: Cytoscape with places given by map_model.js, walked with the mouse or the keys.
import cytoscape from 'cytoscape';
import { levelName } from './asset_words.js';
import { lettersPicture, look } from './map_look.js';
import { classSign, protocolSigns } from './map_signs.js';
import { colour } from './palette.js';
import { cut, visible } from './text.js';

const NAME_MOST = 17;
const CURVES_MOST = 250; // above so many lines they are drawn straight and pale, which is quicker and can be looked at
export const LINES_MOST = 700; // drawn at once; of what is chosen all are drawn

function deviceElement(node) {
	const { shape, letters } = classSign(node.class);
	const group = node.kind === 'group';
	const classes = ['device', group && 'group', node.conflict && 'conflict'].filter(Boolean).join(' ');
	const label = cut(visible(node.name), group ? 30 : NAME_MOST);
	return {
		group: 'nodes',
		data: { id: node.id, shape, label, letters: lettersPicture(letters, node.count ?? 0) },
		position: { x: node.x, y: node.y },
		classes,
	};
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
	const bands = model.bands.map((band) => ({
		group: 'nodes',
		data: {
			id: band.id,
			width: band.width,
			height: band.height,
			name: band.first ? levelName(band.level) : '',
			font: 13 * scale,
		},
		position: { x: band.x + band.width / 2, y: band.y + band.height / 2 },
		classes: 'band',
	}));
	const zones = model.heads.map((head) => ({
		group: 'nodes',
		data: { id: head.id, width: head.width, name: cut(visible(head.zone), 40), font: 14 * scale },
		position: { x: head.x + head.width / 2, y: head.y + 16 },
		classes: 'zone',
	}));
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

// Differs when something is drawn otherwise.
function printOf({ nodes, edges, bands, protocols }) {
	const places = nodes.map((node) => [node.id, node.name, node.class, node.conflict, node.count, node.x, node.y]);
	const lines = edges.map((edge) => [edge.id, edge.count]);
	return JSON.stringify([colour('ink'), places, lines, bands.length, protocols.map(([name]) => name)]);
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// onOpen(node) opens what was chosen; onHere(node) hears where the keyboard or mouse is, null for nowhere.
export function startMap(host, { onOpen, onHere }) {
	const cy = cytoscape({
		container: host,
		style: look(),
		minZoom: 0.04,
		maxZoom: 3,
		boxSelectionEnabled: false,
		autoungrabify: true,
		autounselectify: true,
		pixelRatio: 'auto',
	});
	let model = { nodes: [] };
	let here = null;
	let size = ''; // of the whole map; when it is another, all of it is shown again
	let print = '';

	const light = (node) => {
		cy.batch(() => {
			cy.elements('.here, .lit, .quiet').removeClass('here lit quiet');
			cy.elements('.extra').remove();
			if (!node) return;
			cy.add(
				linesOf(
					model,
					model.edges.slice(LINES_MOST).filter(({ source, target }) => source === node.id || target === node.id),
				),
			).addClass('extra');
			const chosen = cy.getElementById(node.id);
			const lit = chosen.closedNeighborhood();
			chosen.addClass('here');
			lit.edges().slice(0, 60).addClass('lit');
			cy.elements('.device, edge').not(lit).addClass('quiet');
		});
	};
	// `follow` brings it into sight, left of the `covered` pixels at the right.
	const stand = (node, follow, covered = 0) => {
		here = node;
		light(node);
		onHere(node);
		if (!node || !follow) return;
		const { x, y } = cy.getElementById(node.id).renderedPosition();
		const width = cy.width() - covered;
		if (x < 60 || y < 60 || x > width - 60 || y > cy.height() - 60)
			cy.panBy({ x: width / 2 - x, y: cy.height() / 2 - y });
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
			const now = printOf(next);
			model = next;
			// Most of what is told of a plant changes nothing that is drawn.
			if (now === print) return;
			print = now;
			cy.batch(() => {
				cy.elements().remove();
				cy.add(elementsOf(next));
			});
			if (size !== `${next.width} ${next.height}`) map.fit();
			size = `${next.width} ${next.height}`;
			// A group that opened goes on at its first device.
			const before = here;
			if (before)
				stand(
					find(before.id) ?? next.nodes.find((node) => before.members?.some((member) => member.id === node.id)) ?? null,
					false,
				);
			performance.measure('askance:map-layout', { start, end: performance.now() });
		},
		recolour: () => cy.style(look()).update(),
		fit: () => cy.fit(undefined, 24),
		zoom: (by) => cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }),
		choose: (id, covered) => stand(find(id), true, covered),
		resize: () => cy.resize(),
		end: () => cy.destroy(),
	};
	return map;
}
