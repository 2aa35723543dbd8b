// A plot over time. Where there are no data there is a gap in the line: nothing is drawn that was not measured.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colour, paletteVersion } from './palette.js';

const HEIGHT_PX = 150;
const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

// "10:09", with seconds where the ticks are close.
function clock(plot, ticks, axisIndex, space, increment) {
	return ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, increment < 60 ? 19 : 16));
}

function axis(values, size) {
	return {
		stroke: () => colour('ink-soft'),
		grid: { stroke: () => colour('line'), width: 1 },
		ticks: { show: false },
		font: '11.5px system-ui, sans-serif',
		size,
		gap: 4,
		values,
	};
}

function draw(host, series, data, format, cursor) {
	return new uPlot(
		{
			width: host.clientWidth || 300,
			height: HEIGHT_PX,
			tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
			legend: { show: false },
			cursor: { sync: { key: cursor }, y: false, drag: { x: false, y: false } },
			scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 1, 1) * 1.08] } },
			axes: [axis(clock, 24), axis((_, ticks) => ticks.map(format), 62)],
			series: [
				{},
				...series.map((one, i) => ({
					label: one.name,
					stroke: () => colour(`line-${i + 1}`),
					dash: DASHES[i % DASHES.length],
					width: 1.6,
					points: { show: data[0].length < 3 },
					spanGaps: false,
				})),
			],
		},
		data,
		host,
	);
}

function Key({ series, last, format }) {
	return series.map((one, i) => (
		<span class="series" key={one.name}>
			<svg viewBox="0 0 18 8" aria-hidden="true">
				<line
					x1="0"
					y1="4"
					x2="18"
					y2="4"
					stroke={`var(--line-${i + 1})`}
					stroke-width="2"
					stroke-dasharray={DASHES[i % DASHES.length].join(' ')}
				/>
			</svg>
			{one.name} <b>{format(last[i])}</b>
		</span>
	));
}

// series: [{name}]; data as plotData() gives them; format(value) for the axis and the words beside it.
export function Plot({ title, series, data, format, cursor = 'askance' }) {
	const host = useRef(null);
	const plot = useRef(null);
	const palette = paletteVersion.value;
	const last = series.map((_, i) => data[i + 1].findLast((value) => value !== null) ?? NaN);

	useLayoutEffect(() => {
		const made = draw(host.current, series, data, format, cursor);
		plot.current = made;
		const watcher = new ResizeObserver(([entry]) =>
			made.setSize({ width: entry.contentRect.width, height: HEIGHT_PX }),
		);
		watcher.observe(host.current);
		return () => {
			watcher.disconnect();
			made.destroy();
		};
	}, [title]);
	useEffect(() => plot.current?.setData(data), [data]);
	useEffect(() => plot.current?.redraw(false), [palette]);

	const sentence = series.map((one, i) => `${one.name} ${format(last[i])}`).join(', ');
	return (
		<figure class="plot card">
			<figcaption>
				<h2>{title}</h2>
				<Key series={series} last={last} format={format} />
			</figcaption>
			<div class="plot-canvas" ref={host} role="img" aria-label={`${title} over time; now ${sentence}`} />
		</figure>
	);
}
