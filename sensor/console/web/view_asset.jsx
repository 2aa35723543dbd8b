// Everything known of one asset, beside whatever view is open: each value with who said it, in which frame, and when.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.js';
import { AssetSections } from './asset_sections.jsx';
import { assetName } from './asset_words.js';
import { useFocusBack } from './focus.js';
import { onEvent } from './live.js';
import { Wire } from './part_words.jsx';
import { go, route } from './route.js';
import { assets } from './store.js';
import { words } from './text.js';

const REFRESH_MS = 1000;

// The document and its history; again whenever the sensor tells something of this asset, or its summary is another.
function useAsset(id, summary) {
	const [state, setState] = useState({ id, document: null, events: null, error: '' });
	const again = useRef(() => {});

	useEffect(() => {
		let over = false;
		let timer = 0;
		const fetchAll = async () => {
			timer = 0;
			const [document, past] = await Promise.allSettled([ask('asset', { id }), ask('history', { id })]);
			if (over) return;
			setState({
				id,
				document: document.value ?? null,
				events: past.value?.events ?? [],
				error: document.reason?.message ?? '',
			});
		};
		again.current = () => {
			timer ||= setTimeout(fetchAll, REFRESH_MS);
		};
		fetchAll();
		const end = onEvent((_, { ot }) => {
			if (ot?.asset?.id === id || ot?.fact?.asset === id) again.current();
		});
		return () => {
			over = true;
			clearTimeout(timer);
			end();
		};
	}, [id]);
	useEffect(() => {
		if (state.document) again.current();
	}, [summary]);
	return state.id === id ? state : { id, document: null, events: null, error: '' };
}

export function AssetPanel({ id }) {
	const heading = useRef(null);
	const known = assets.value.byId.get(id);
	const { document, events, error } = useAsset(id, known);
	const close = () => {
		const { view, item, query } = route.value;
		go({ view, item, query: { ...query, asset: '' } });
	};

	useFocusBack();
	useEffect(() => heading.current?.focus(), [id]);
	return (
		<aside
			class="panel"
			aria-labelledby="asset-name"
			data-test="asset-panel"
			onKeyDown={(event) => event.key === 'Escape' && close()}
		>
			<header>
				<div>
					<h2 id="asset-name" ref={heading} tabIndex={-1}>
						<Wire value={known ? assetName(known) : id} />
					</h2>
					<p class="hint">
						{known && (
							<Wire value={[words(known.class) || 'class not known', known.ip[0] ?? known.mac[0]].join(' · ')} />
						)}
					</p>
				</div>
				<button type="button" class="plain" aria-label="Close" onClick={close}>
					✕
				</button>
			</header>
			<div class="panel-body" tabIndex={0} role="group" aria-label="About this asset">
				{error && <p class="wrong">{error}</p>}
				{!document && !error && <p class="hint">Asking the sensor…</p>}
				{document && <AssetSections document={document} events={events} />}
			</div>
		</aside>
	);
}
