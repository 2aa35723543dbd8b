// The page: its bar, the view that the address names, and what is open beside it.
import './app.css';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { Bar } from './bar.jsx';
import { Announcer, announce } from './part_words.jsx';
import { connection } from './live.js';
import { startPalette } from './palette.js';
import { followRoute, route } from './route.js';
import { startKey, Unlock } from './signer.jsx';
import { StatusBar } from './status_bar.jsx';
import { startStore } from './store.js';
import { Assets } from './view_assets.jsx';
import { AssetPanel } from './view_asset.jsx';
import { Fleet } from './view_fleet.jsx';
import { Gaps } from './view_gaps.jsx';
import { Key } from './view_key.jsx';
import { PlantMap } from './view_map.jsx';
import { Probes } from './view_probes.jsx';
import { Proposal } from './view_proposal.jsx';
import { Proposals } from './view_proposals.jsx';
import { Sensor } from './view_sensor.jsx';

const VIEWS = {
	map: PlantMap,
	assets: Assets,
	gaps: Gaps,
	proposals: Proposals,
	probes: Probes,
	sensor: Sensor,
	fleet: Fleet,
	key: Key,
};

// A new view begins at its heading, for the keyboard and for whoever listens.
function useHeadingFocus(view, item) {
	useEffect(() => {
		const heading = document.querySelector('main h1');
		document.title = `${heading?.textContent ?? 'askance'} – askance`;
		if (useHeadingFocus.before && !document.querySelector('.panel')) heading?.focus();
		useHeadingFocus.before = true;
	}, [view, item]);
}

function App() {
	const { view, item, query } = route.value;
	const View = view === 'proposals' && item ? Proposal : VIEWS[view];
	const { state } = connection.value;

	useHeadingFocus(view, item);
	useEffect(() => {
		if (state === 'lost') announce('Connection to the sensor lost');
		if (state === 'live') announce('Connected, live');
	}, [state]);
	return (
		<>
			<a class="skip" href="#content" onClick={skip}>
				Skip to the content
			</a>
			<Bar />
			<div class="stage">
				<main id="content" tabIndex={-1}>
					<View key={`${view} ${item}`} item={item} />
				</main>
				{query.asset && <AssetPanel id={query.asset} />}
			</div>
			<StatusBar />
			<Unlock />
			<Announcer />
		</>
	);
}

// The part after '#' is the route: the link must not change it.
function skip(event) {
	event.preventDefault();
	document.querySelector('main').focus();
}

startPalette();
followRoute();
startKey();
startStore();
render(<App />, document.body);
