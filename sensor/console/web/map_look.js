// The map's style: what Cytoscape draws nodes and lines with, in the colours of the page.
import { colour } from './palette.js';

const FONT = 'system-ui, sans-serif';

export function look() {
	return [
		{
			selector: 'node',
			style: {
				'font-family': FONT,
				'font-size': 11,
				color: colour('ink'),
				'min-zoomed-font-size': 6,
				'overlay-opacity': 0,
			},
		},
		{
			selector: 'node.band',
			style: {
				shape: 'rectangle',
				width: 'data(width)',
				height: 'data(height)',
				'background-color': colour('sunken'),
				'background-opacity': 0.75,
				'border-width': 1,
				'border-color': colour('line'),
				events: 'no',
				label: 'data(name)',
				'text-halign': 'left',
				'text-valign': 'center',
				'text-margin-x': -12,
				'text-wrap': 'wrap',
				'text-max-width': (band) => 10 * band.data('font'),
				'font-size': 'data(font)',
				color: colour('ink-soft'),
				'min-zoomed-font-size': 5,
				'z-compound-depth': 'bottom',
			},
		},
		{
			selector: 'node.zone',
			style: {
				shape: 'rectangle',
				width: 'data(width)',
				height: 26,
				'background-opacity': 0,
				events: 'no',
				label: 'data(name)',
				'text-valign': 'center',
				'font-size': 'data(font)',
				'font-weight': 600,
				color: colour('ink'),
				'min-zoomed-font-size': 5,
				'text-wrap': 'ellipsis',
				'text-max-width': 'data(width)',
				'z-index-compare': 'manual',
				'z-index': 30,
			},
		},
		{
			selector: 'node.device',
			style: {
				shape: 'data(shape)',
				width: 46,
				height: 34,
				'background-color': colour('surface'),
				'border-width': 1.6,
				'border-color': colour('line-strong'),
				label: 'data(label)',
				'text-valign': 'bottom',
				'text-margin-y': 4,
				'text-wrap': 'wrap',
				'background-image': 'data(letters)',
				'text-background-color': colour('ground'),
				'text-background-opacity': 0.8,
				'text-background-padding': 1,
				'background-fit': 'none',
				'background-clip': 'none',
				'background-width': 46,
				'background-height': 34,
				'bounds-expansion': 4,
			},
		},
		{
			selector: 'node.group',
			style: {
				width: 64,
				height: 44,
				'border-style': 'double',
				'border-width': 4,
				'background-width': 64,
				'background-height': 44,
				'font-weight': 600,
			},
		},
		{ selector: 'node.conflict', style: { 'border-color': colour('warn'), 'border-width': 3 } },
		{ selector: 'node.quiet, edge.quiet', style: { opacity: 0.22 } },
		{
			selector: 'node.here',
			style: {
				'border-color': colour('accent'),
				'border-width': 4,
				'background-color': colour('accent-ground'),
				'z-index': 20,
			},
		},
		{
			selector: 'edge',
			style: {
				width: 'data(width)',
				'line-color': 'data(colour)',
				'target-arrow-color': 'data(colour)',
				'line-style': 'data(line)',
				'line-opacity': 'data(opacity)',
				'curve-style': 'data(curve)',
				'target-arrow-shape': 'triangle',
				'arrow-scale': 0.7,
				'control-point-step-size': 18,
				'overlay-opacity': 0,
				'z-index': 5,
			},
		},
		{
			selector: 'edge.lit',
			style: {
				'line-opacity': 1,
				'z-index': 15,
				label: 'data(protocol)',
				'font-family': FONT,
				'font-size': 10,
				color: colour('ink'),
				'text-background-color': colour('surface'),
				'text-background-opacity': 0.9,
				'text-background-padding': 2,
			},
		},
	];
}

// The letters inside a shape, and of a group how many: Cytoscape writes one label for each node, which is the name under it.
const pictures = new Map();

export function lettersPicture(letters, count) {
	const key = `${letters} ${count} ${colour('ink')}`;
	if (!pictures.has(key)) {
		const [w, h] = count ? [64, 44] : [46, 34];
		const line = (text, y, weight) =>
			`<text x="${w / 2}" y="${y}" text-anchor="middle" font-family="system-ui,sans-serif" font-size="12.5" font-weight="${weight}" fill="${colour('ink')}">${text}</text>`;
		const lines = count ? line(letters, 20, 600) + line(count, 35, 400) : line(letters, h / 2 + 4.5, 600);
		const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}">${lines}</svg>`;
		pictures.set(key, `data:image/svg+xml;utf8,${encodeURIComponent(svg)}`);
	}
	return pictures.get(key);
}
