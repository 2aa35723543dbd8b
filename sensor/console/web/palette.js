// Colours of the style sheet for what is painted on a canvas, and the switch between dark and light.
import { signal } from '@preact/signals';

const KEEP = 'askance-theme';

// '' follows the system.
export const theme = signal('');
// Counts up when colours are others than before.
export const paletteVersion = signal(0);

const known = new Map();

// The colour of --NAME as it is now, as canvas takes it.
export function colour(name) {
	if (!known.has(name)) {
		const sample = document.createElement('span');
		sample.style.color = `var(--${name})`;
		document.body.append(sample);
		known.set(name, getComputedStyle(sample).color);
		sample.remove();
	}
	return known.get(name);
}

function change() {
	known.clear();
	paletteVersion.value++;
}

export function setTheme(name) {
	theme.value = name;
	if (name) document.documentElement.dataset.theme = name;
	else delete document.documentElement.dataset.theme;
	try {
		localStorage.setItem(KEEP, name);
	} catch {
		// A browser that keeps nothing still shows what was chosen.
	}
	change();
}

export function startPalette() {
	let kept = '';
	try {
		kept = localStorage.getItem(KEEP) ?? '';
	} catch {
		// As above.
	}
	if (kept === 'dark' || kept === 'light') setTheme(kept);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', change);
}
