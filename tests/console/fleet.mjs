// Two sensors that hear the same devices: shown once, with why; an analyst's word shows by itself, and so does its end.
import { atView, check, end, fleetView, live, lookAtAll, open, outside, shot, start, tested } from './browser.mjs';

const run = await start();
const { page } = run;
const { one, other, device, hostile } = await outside('names');

const rows = () => page.locator('[role="grid"] .table-row');
const filter = (text) => tested(page, 'table-filter').first().fill(text);
const countOf = (count) => page.waitForFunction((n) => document.querySelectorAll('[role="grid"] .table-row').length === n, count);

async function found() {
	await open(page, 'map');
	await live(page);
	await page.getByRole('link', { name: 'Fleet' }).click();
	await atView(page, 'Fleet');
	await filter(`${device} plant-2`);
	await countOf(1);
	check('a device that both sensors hear is one row', (await rows().first().innerText()).includes('plant-1, plant-2'));
}

// By keyboard alone; what to type stands there, for the page has no right to decide.
async function reasons() {
	await rows().first().focus();
	await page.keyboard.press('Enter');
	await tested(page, 'device-panel').waitFor();
	const words = await tested(page, 'fleet-bonds').innerText();
	check('its panel tells why it is one, and how to part it', /: (MAC|serial number) /.test(words) && words.includes(`askance fleet split ${one} ${other}`), words.replace(/\s+/g, ' ').slice(0, 160));
	const witnesses = await tested(page, 'device-panel').locator('.card').count();
	check('and what each witness says', witnesses === 2, witnesses);
	await shot(page, 'fleet-device');
	await page.keyboard.press('Escape');
	await tested(page, 'device-panel').waitFor({ state: 'detached' });
	check('Escape closes it, and the focus is where it was', await page.evaluate(() => document.activeElement.matches('.table-row')));
}

async function decisions() {
	await outside('split');
	await filter(device);
	await countOf(2);
	const said = await tested(page, 'fleet-decisions').innerText();
	check("an analyst's word parts them, and is shown with who and why", said.includes('a.lang') && said.includes('onerror') && !said.includes('\u202e'), said.replace(/\s+/g, ' ').slice(0, 160));
	check('with the way back', said.includes(`askance fleet undo ${one} ${other}`));
	await shot(page, 'fleet-decided');
	await outside('undo');
	await countOf(1);
	check('undone, the fleet joins them again', (await tested(page, 'fleet-decisions').innerText()).includes('left to the fleet again'));
	await filter('');
}

async function hostileNames() {
	for (const id of hostile) {
		await page.evaluate((hash) => (location.hash = hash), `#/fleet?device=${encodeURIComponent(id)}`);
		await tested(page, 'device-panel').locator('.card').first().waitFor();
	}
	const state = await page.evaluate(() => ({ hurt: window.hurt ?? null, images: document.images.length, scripts: document.scripts.length, wide: document.documentElement.scrollWidth - innerWidth, turned: document.body.innerText.includes('\u202e') }));
	check(`${hostile.length} devices of hostile names: shown, and do nothing`, !state.hurt && state.images === 0 && state.scripts === 1 && state.wide <= 0 && !state.turned, state);
}

// From a witness to the asset as that sensor knows it.
async function toAsset() {
	await tested(page, 'device-panel').getByRole('button', { name: 'open its asset' }).last().click();
	await tested(page, 'asset-panel').waitFor();
	check("a witness leads to its sensor's asset", (await page.getByLabel('Sensor', { exact: true }).inputValue()) === 'plant-2');
}

await found();
await reasons();
await decisions();
await hostileNames();
await toAsset();
await lookAtAll(page, 'fleet', [fleetView]);
await end(run, 'fleet');
