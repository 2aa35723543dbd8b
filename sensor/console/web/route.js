// The address after '#': which view, which item of it, and what is open beside it.
import { signal } from '@preact/signals';

export const VIEWS = ['map', 'assets', 'gaps', 'proposals', 'probes', 'sensor', 'fleet', 'key'];

// "#/proposals/236d?asset=a-1" is {view: 'proposals', item: '236d', query: {asset: 'a-1'}}.
export function readRoute(hash) {
	const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
	const [view, item = ''] = path.split('/');
	const known = VIEWS.includes(view) ? view : 'map';
	let named = '';
	try {
		named = decodeURIComponent(item);
	} catch {
		// A broken escape in a link that somebody typed names nothing.
	}
	return { view: known, item: named, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function writeRoute({ view, item = '', query = {} }) {
	const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
	return `#/${view}${item ? `/${encodeURIComponent(item)}` : ''}${words ? `?${words}` : ''}`;
}

export const route = signal(readRoute(globalThis.location?.hash ?? ''));

export function followRoute() {
	window.addEventListener('hashchange', () => (route.value = readRoute(location.hash)));
}

export function go(to) {
	location.hash = writeRoute(to);
}

// The asset's panel opens beside whatever is there.
export function assetLink(id) {
	const { view, item, query } = route.value;
	return writeRoute({ view, item, query: { ...query, asset: id } });
}

export function openAsset(id) {
	location.hash = assetLink(id);
}
