// Five thousand devices, some with hostile names; then a connection that is lost.
import { atView, check, end, live, look, lookAtAll, open, outside, shot, start, tested, views } from './browser.mjs';

const ASSETS = 5000;
const run = await start();
const { page } = run;
const measure = (name) => page.evaluate((n) => performance.getEntriesByName(n).at(-1)?.duration ?? null, name);
const figure = (ms) => (ms === null ? 'not measured' : `${Math.round(ms)} ms`);

async function firstPaint() {
	await open(page, 'assets');
	await atView(page, 'Assets');
	await page.waitForFunction(() => performance.getEntriesByName('askance:first-data').length > 0, null, { timeout: 30000 });
	const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null);
	const data = await measure('askance:first-data');
	check('first paint', paint !== null && paint < 3000, figure(paint));
	check(`first data of ${ASSETS} devices`, data !== null && data < 8000, figure(data));
	await live(page);
}

async function filter() {
	await tested(page, 'table-filter').first().fill('station-4321');
	await page.waitForFunction(() => performance.getEntriesByName('askance:filter').length > 0, null, { timeout: 10000 });
	await page.getByText('station-4321').first().waitFor();
	const took = await measure('askance:filter');
	check('a filter', took !== null && took < 1000, figure(took));
	await tested(page, 'table-filter').first().fill('');
}

async function map() {
	await look(page, 'map', 'Map', 'light');
	await page.waitForFunction(() => performance.getEntriesByName('askance:map-layout').length > 0, null, { timeout: 60000 });
	const took = await measure('askance:map-layout');
	check('a layout of the map', took !== null && took < 20000, figure(took));
	await shot(page, 'crowd-map');
}

// What a device calls itself is a text, wherever it is shown.
async function hostile() {
	const { ids } = await outside('hostile');
	for (const [kind, id] of Object.entries(ids)) {
		await page.evaluate((hash) => (location.hash = hash), `#/assets?asset=${id}`);
		await tested(page, 'asset-panel').waitFor();
		await page.waitForTimeout(300);
		const state = await page.evaluate(() => ({ hurt: window.hurt ?? null, images: document.images.length, scripts: document.scripts.length, wide: document.documentElement.scrollWidth - innerWidth, polluted: {}.polluted ?? null }));
		check(`a device named by ${kind}: shown, and does nothing`, !state.hurt && state.images === 0 && state.scripts === 1 && state.wide <= 0 && state.polluted === null, state);
		if (kind === 'right-to-left' || kind === 'long') await shot(page, `crowd-hostile-${kind}`);
	}
	const turned = await page.evaluate(() => document.body.innerText.includes('\u202e'));
	check('no mark that turns the direction of writing is shown bare', !turned);
	for (const [view, name] of views) {
		await look(page, view, name, 'light');
		check(`${name}: nothing ran`, (await page.evaluate(() => window.hurt ?? null)) === null);
	}
}

async function shift() {
	const moved = await page.evaluate(() => window.seen.shift);
	check('nothing jumps: layout shift', moved < 0.1, moved.toFixed(4));
}

// The bar tells whether the page hears the console, the line below whether the console hears Redis.
const signs = { console: '[data-test="connection"][data-state="lost"]', redis: '.status[data-tone="bad"]' };

async function lost(what) {
	await outside(`stop-${what}`);
	await page.locator(signs[what]).first().waitFor({ timeout: 60000 });
	check(`a lost ${what} is shown`, true, await page.locator('[data-test="status"]').first().innerText());
	await shot(page, `crowd-lost-${what}`);
	await outside(`start-${what}`);
	await page.locator(signs[what]).first().waitFor({ state: 'detached', timeout: 60000 });
	await live(page);
	const { name } = await outside('change');
	await look(page, 'assets', 'Assets', 'light');
	await tested(page, 'table-filter').first().fill(name);
	await page.getByText(name).first().waitFor({ timeout: 45000 });
	check(`after a lost ${what} it goes on by itself, without a reload, and shows what changed meanwhile`, (await page.evaluate(() => window.loaded)) === 'once');
	await tested(page, 'table-filter').first().fill('');
}

await firstPaint();
await filter();
await map();
await shift();
await hostile();
await lookAtAll(page, 'crowd', views.slice(0, 3));
await page.evaluate(() => (window.loaded = 'once'));
await lost('redis');
await lost('console');
await end(run, 'crowd');
