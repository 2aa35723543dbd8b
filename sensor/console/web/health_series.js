// Series for plots out of the sensor's health documents. Counters become rates; where a counter began anew, or documents
// are missing, there is no rate and so no point.
import { milliseconds } from './time.js';
import { withGaps } from './gaps_in_time.js';

const GAP_S = 35; // health is told every 10 s, thinned over an hour to about one in 5

const at = (path) => (health) => path.split('.').reduce((value, key) => value?.[key], health);
const total =
	(...paths) =>
	(health) =>
		paths.reduce((sum, path) => sum + (at(path)(health) ?? 0), 0);

// What each plot shows: rates of counters, or values as they are.
export const PLOTS = [
	{
		title: 'Packets a second',
		rates: true,
		unit: 'number',
		series: [
			['heard', at('traffic.frames')],
			['messages read', at('traffic.messages')],
		],
	},
	{ title: 'Bytes a second', rates: true, unit: 'bytes', series: [['heard', at('traffic.bytes')]] },
	{
		title: 'Drops a second',
		rates: true,
		unit: 'number',
		series: [
			['kernel', at('traffic.kernel_drops')],
			['interface', at('traffic.interface_drops')],
			['ring', at('traffic.ring_drops')],
		],
	},
	{
		title: 'Loss behind the tap, a second',
		rates: true,
		unit: 'number',
		series: [
			['stream gaps', at('traffic.stream_gaps')],
			['flows evicted', at('traffic.flows_evicted')],
			['findings lost', at('traffic.findings_lost')],
			['malformed, cut', total('traffic.malformed', 'traffic.truncated', 'traffic.fragments_dropped')],
		],
	},
	{ title: 'New flows a second', rates: true, unit: 'number', series: [['flows', at('traffic.flows')]] },
	{ title: 'Redis: behind by', rates: false, unit: 'ms', series: [['oldest entry', at('redis.lag_ms')]] },
	{
		title: 'Outbox: waiting entries',
		rates: false,
		unit: 'number',
		series: [
			['outbox', at('outbox.entries')],
			['Redis', at('redis.lag_entries')],
			['JSONL', at('jsonl.lag_entries')],
		],
	},
	{
		title: 'Picture',
		rates: false,
		unit: 'number',
		series: [
			['assets', at('picture.assets')],
			['services', at('picture.services')],
			['gaps', at('picture.gaps')],
		],
	},
];

function ratesOf(values, times, uptimes) {
	return values.map((value, i) => {
		if (i === 0) return null;
		const seconds = times[i] - times[i - 1];
		const more = value - values[i - 1];
		// A hub that began again counts from nought: what came between is not known.
		const known = Number.isFinite(more) && seconds > 0 && more >= 0 && uptimes[i] >= uptimes[i - 1];
		return known ? more / seconds : null;
	});
}

// Usual distance of the documents, from which on a larger one is a gap.
function usualGap(times) {
	const steps = times
		.slice(1)
		.map((time, i) => time - times[i])
		.sort((a, b) => a - b);
	return Math.max(GAP_S, 3 * (steps[steps.length >> 1] ?? 0));
}

// Data of one plot as uPlot takes them: [times in s, values...].
export function plotData(plot, documents) {
	const rows = documents.filter((document) => Number.isFinite(milliseconds(document['@timestamp'])));
	const times = rows.map((document) => milliseconds(document['@timestamp']) / 1000);
	const uptimes = rows.map((document) => document.ot.health.uptime_s);
	const series = plot.series.map(([, of]) => {
		const values = rows.map((document) => of(document.ot.health) ?? null);
		return plot.rates ? ratesOf(values, times, uptimes) : values;
	});
	return withGaps(times, series, usualGap(times));
}
