// The plant as a map: zones beside one another, Purdue levels as bands, devices by class, who talks to whom.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { levelName } from './asset_words.js';
import { LINES_MOST, startMap } from './map_canvas.js';
import { mapModel } from './map_model.js';
import { classSign, protocolSigns } from './map_signs.js';
import { MapTable } from './map_table.jsx';
import { paletteVersion } from './palette.js';
import { announce, Wire } from './part_words.jsx';
import { openAsset, route } from './route.js';
import { assets } from './store.js';
import { cut, plural, visible, words } from './text.js';

function describe(node) {
	const place = `${levelName(node.level)}, zone ${visible(node.zone)}`;
	if (node.kind === 'group')
		return `${plural(node.count, 'asset')} of class ${words(node.class)}; ${place}; Enter shows them one by one`;
	const [address] = node.asset.ip;
	return `${cut(visible(node.name), 60)}, ${words(node.class)}${address && address !== node.name ? `, ${address}` : ''}; ${place}`;
}

function Protocols({ protocols, hidden, onHidden }) {
	const signs = protocolSigns(protocols);
	const toggle = (name) => {
		const next = new Set(hidden);
		if (!next.delete(name)) next.add(name);
		onHidden(next);
	};
	return (
		<section aria-labelledby="map-protocols">
			<h2 id="map-protocols">Who talks to whom</h2>
			<ul>
				{protocols.map(([name, count]) => (
					<li key={name}>
						<label>
							<input type="checkbox" checked={!hidden.has(name)} onChange={() => toggle(name)} />
							<svg viewBox="0 0 22 10" aria-hidden="true">
								<line
									x1="0"
									y1="5"
									x2="22"
									y2="5"
									stroke={`var(--${signs.get(name).colour})`}
									stroke-width="2.4"
									stroke-dasharray={signs.get(name).dash}
								/>
							</svg>
							<span>{visible(name)}</span>
							<b>{count}</b>
						</label>
					</li>
				))}
			</ul>
		</section>
	);
}

function Classes({ classes }) {
	return (
		<section aria-labelledby="map-legend" class="map-classes">
			<h2 id="map-legend">Devices</h2>
			<ul>
				{classes.map(([name, count]) => {
					const { outline, letters } = classSign(name);
					return (
						<li key={name}>
							<svg viewBox="0 0 24 24" aria-hidden="true">
								<path d={outline} fill="var(--surface)" stroke="var(--line-strong)" stroke-width="1.4" />
								<text x="12" y="15" text-anchor="middle" font-size="8" font-weight="600" fill="var(--ink)">
									{letters}
								</text>
							</svg>
							<Wire value={words(name)} />
							<b>{count}</b>
						</li>
					);
				})}
			</ul>
		</section>
	);
}

function useCanvas(model, onOpen, onHere) {
	const host = useRef(null);
	const map = useRef(null);
	const calls = useRef({});
	calls.current = { onOpen, onHere };
	const palette = paletteVersion.value;

	useEffect(() => {
		const made = startMap(host.current, {
			onOpen: (node) => calls.current.onOpen(node),
			onHere: (node) => calls.current.onHere(node),
		});
		const watcher = new ResizeObserver(() => made.resize());
		watcher.observe(host.current);
		map.current = made;
		return () => {
			watcher.disconnect();
			made.end();
		};
	}, []);
	useEffect(() => map.current.show(model), [model, palette]);
	useEffect(() => map.current.recolour(), [palette]);
	return [host, map];
}

function Canvas({ model, onOpen }) {
	const [here, setHere] = useState(null);
	const tell = (node) => {
		setHere(node);
		if (node && node.id !== here?.id) announce(describe(node));
	};
	const [host, map] = useCanvas(model, onOpen, tell);
	const { asset } = route.value.query;
	const chosen = useRef('');
	useEffect(() => {
		// Once for each: whoever has moved the map away from it since must not be brought back by the next event.
		if (chosen.current === (asset ?? '') || (asset && !model.nodes.length)) return;
		chosen.current = asset ?? '';
		if (asset) map.current.choose(asset, document.querySelector('.panel')?.offsetWidth ?? 0);
	}, [asset, model]);
	return (
		<div class="map-field">
			<div
				ref={host}
				class="map-canvas"
				tabIndex={0}
				role="application"
				aria-label="Map of the plant. Arrow keys go from device to device, Enter opens one, plus and minus zoom, 0 shows all."
				data-test="map-canvas"
			/>
			{here && <p class="map-word">{describe(here)}</p>}
			<div class="map-tools">
				<button type="button" aria-label="Zoom in" onClick={() => map.current.zoom(1.3)}>
					+
				</button>
				<button type="button" aria-label="Zoom out" onClick={() => map.current.zoom(1 / 1.3)}>
					−
				</button>
				<button type="button" onClick={() => map.current.fit()}>
					Show all
				</button>
			</div>
		</div>
	);
}

export function PlantMap() {
	const [expanded, setExpanded] = useState(new Set());
	const [hidden, setHidden] = useState(new Set());
	const [asTable, setAsTable] = useState(false);
	const list = useMemo(() => [...assets.value.byId.values()], [assets.value]);
	const model = useMemo(() => mapModel(list, { expanded, hidden }), [list, expanded, hidden]);
	const open = (node) => {
		if (node.kind === 'asset') openAsset(node.id);
		else setExpanded(new Set([...expanded, node.key]));
	};
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Map</h1>
				<span class="note">
					{assets.value.loaded
						? `${plural(list.length, 'asset')} in ${plural(model.heads.length, 'zone')}`
						: 'Asking the sensor…'}
					{model.outside > 0 && `; ${plural(model.outside, 'conversation')} with addresses beyond the picture`}
					{model.edges.length > LINES_MOST &&
						`; the ${LINES_MOST} busiest of ${plural(model.edges.length, 'line')} are drawn, and all of a device that is chosen`}
				</span>
				<div class="tools">
					{(model.grouped || expanded.size > 0) && <span class="hint">Grouped by zone, level and class</span>}
					{expanded.size > 0 && (
						<button type="button" onClick={() => setExpanded(new Set())}>
							Group all again
						</button>
					)}
					<button type="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)} data-test="map-as-table">
						As a table
					</button>
				</div>
			</header>
			{asTable ? (
				<MapTable list={list} />
			) : (
				<div class="map">
					<div class="map-side" role="group" aria-label="Legend" tabIndex={0}>
						<Protocols protocols={model.protocols} hidden={hidden} onHidden={setHidden} />
						<Classes classes={model.classes} />
					</div>
					<Canvas model={model} onOpen={open} />
				</div>
			)}
		</>
	);
}
