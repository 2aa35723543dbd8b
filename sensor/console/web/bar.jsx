// The bar above all views: where one is, which sensor, whether it is live, and the switch that stops all probing.
import { useState } from 'preact/hooks';
import { send, sensor } from './api.js';
import { connection } from './live.js';
import { setTheme, theme } from './palette.js';
import { announce } from './part_words.jsx';
import { probingState } from './runs.js';
import { route, writeRoute } from './route.js';
import { about, chooseSensor, probes, proposals } from './store.js';

const NAMES = {
	map: 'Map',
	assets: 'Assets',
	gaps: 'Gaps',
	proposals: 'Proposals',
	probes: 'Probes',
	sensor: 'Sensor',
	fleet: 'Fleet',
	key: 'Your key',
};
const STATES = { live: 'live', connecting: 'connecting', lost: 'connection lost' };
const THEMES = [
	['', 'System colours'],
	['light', 'Light'],
	['dark', 'Dark'],
];

function Links() {
	const open = proposals.value.list.filter(({ ot }) => ot.proposal.status === 'open' && !ot.proposal.automatic).length;
	const here = route.value.view;
	const several = about.value?.sensors.length > 1;
	const names = Object.entries(NAMES).filter(([view]) => view !== 'fleet' || several);
	return (
		<nav aria-label="Views">
			<ul>
				{names.map(([view, name]) => (
					<li key={view}>
						<a href={writeRoute({ view })} aria-current={here === view ? 'page' : undefined}>
							<span data-name={name}>{name}</span>
							{view === 'proposals' && open > 0 && (
								<span class="count">
									{open}
									<span class="unseen"> to decide</span>
								</span>
							)}
						</a>
					</li>
				))}
			</ul>
		</nav>
	);
}

function Stop() {
	const [busy, setBusy] = useState(false);
	const stopped = probingState(probes.value.commands);
	const stop = async () => {
		setBusy(true);
		try {
			await send({ command: 'stop' });
			announce('The order to stop all probing is sent');
		} catch (error) {
			announce(`Not stopped: ${error.message}`);
			alertAtOnce(error);
		} finally {
			setBusy(false);
		}
	};
	return (
		<button
			type="button"
			class="stop"
			data-test="stop"
			disabled={busy || Boolean(stopped)}
			onClick={stop}
			title="Ends every probe at once and lets none begin. Needs no key; to go on needs a signature."
		>
			{stopped ? 'Probing stopped' : 'Stop probing'}
		</button>
	);
}

// A stop that did not go through must not look like one that did.
function alertAtOnce(error) {
	window.alert(
		`Probing was NOT stopped: ${error.message}.\n\nOn the sensor's machine, the file stop-probing in its state folder does the same.`,
	);
}

function Sensors() {
	const names = about.value?.sensors ?? [];
	if (names.length < 2) return sensor.value ? <b>{sensor.value}</b> : null;
	return (
		<select aria-label="Sensor" value={sensor.value} onChange={(event) => chooseSensor(event.currentTarget.value)}>
			{names.map((name) => (
				<option key={name}>{name}</option>
			))}
		</select>
	);
}

export function Bar() {
	const { state } = connection.value;
	return (
		<header class="bar">
			<div class="bar-name">
				<svg viewBox="0 0 16 16" aria-hidden="true">
					<path d="M1 8q7-9 14 0q-7 9-14 0" fill="none" stroke="currentColor" stroke-width="1.4" />
					<circle cx="10" cy="8" r="2.3" fill="currentColor" />
				</svg>
				askance
			</div>
			<Links />
			<div class="bar-end">
				<Sensors />
				<span class="state" data-state={state} data-test="connection">
					{STATES[state]}
				</span>
				<select aria-label="Colours" value={theme.value} onChange={(event) => setTheme(event.currentTarget.value)}>
					{THEMES.map(([value, name]) => (
						<option key={value} value={value}>
							{name}
						</option>
					))}
				</select>
				<Stop />
			</div>
		</header>
	);
}
