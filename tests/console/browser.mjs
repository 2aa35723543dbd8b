// A browser for the tests, and the way to the program that started it: lines of JSON, its answers likewise.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { createRequire } from 'node:module';

const [, , packages, url, shots] = process.argv;
const require = createRequire(path.join(packages, 'package.json'));
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const input = readline.createInterface({ input: process.stdin });
const lines = input[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

export const check = (name, ok, figure = '') => say({ check: name, ok: Boolean(ok), figure: typeof figure === 'string' ? figure : JSON.stringify(figure) });
export const skip = (name, why) => say({ skip: name, why });

// Something that only the program outside can do; resolves with its answer.
export async function outside(what, more = {}) {
	say({ do: what, ...more });
	const { value } = await lines.next();
	return JSON.parse(value);
}

export const views = [
	['map', 'Map'],
	['assets', 'Assets'],
	['gaps', 'Gaps'],
	['proposals', 'Proposals'],
	['probes', 'Probes'],
	['sensor', 'Sensor'],
	['key', 'Your key'],
];
// Of a console with more than one sensor.
export const fleetView = ['fleet', 'Fleet'];
export const themes = ['light', 'dark'];

// What the page would rather not have said: kept in the page itself, for each load of it.
function watch() {
	window.seen = { policy: [], shift: 0 };
	document.addEventListener('securitypolicyviolation', (event) => window.seen.policy.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
	new PerformanceObserver((list) => {
		for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
	}).observe({ type: 'layout-shift', buffered: true });
}

export async function start() {
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
	});
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
	const faults = [];
	const elsewhere = [];
	await context.addInitScript(watch);
	const page = await context.newPage();
	page.on('pageerror', (error) => faults.push(String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text())) faults.push(message.text());
	});
	page.on('request', (request) => {
		if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) elsewhere.push(request.url());
	});
	page.on('dialog', (dialog) => {
		faults.push(`a dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.setDefaultTimeout(60000);
	return { browser, context, page, faults, elsewhere };
}

export async function open(page, hash) {
	await page.goto(`${url}/#/${hash}`);
}

export const atView = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
export const tested = (page, name) => page.locator(`[data-test="${name}"]`);
export const live = (page) => page.locator('[data-test="connection"][data-state="live"]').waitFor();

export async function look(page, view, name, theme) {
	await page.emulateMedia({ colorScheme: theme });
	await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
	await atView(page, name);
	await page.waitForTimeout(600);
}

export const shot = (page, name) => page.screenshot({ path: path.join(shots, `${name}.png`) });

// The findings that keep somebody from using it, as "rule: element".
export async function barriers(page) {
	const found = await page.evaluate(
		async (source) => {
			if (!window.axe) (0, eval)(source);
			const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
			return violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => `${one.id} (${one.nodes.length}): ${one.nodes[0].target.join(' ')} ${one.nodes[0].any[0]?.message ?? ''}`);
		},
		axe,
	);
	return found;
}

// Each view in both themes: a picture, and nobody kept out.
export async function lookAtAll(page, prefix, list = views) {
	for (const [view, name] of list)
		for (const theme of themes) {
			await look(page, view, name, theme);
			await shot(page, `${prefix}-${view.replace(/\/.*/, '-one')}-${theme}`);
			const found = await barriers(page);
			check(`${prefix} ${view.replace(/\/.*/, ', one of them')}, ${theme}: axe finds nothing serious`, found.length === 0, found.join('; '));
		}
}

export async function end({ browser, page, faults, elsewhere }, prefix) {
	const seen = await page.evaluate(() => window.seen);
	check(`${prefix}: no report of the policy`, seen.policy.length === 0, seen.policy.slice(0, 3).join('; '));
	check(`${prefix}: no error in the page`, faults.length === 0, faults.slice(0, 3).join('; ').slice(0, 400));
	check(`${prefix}: nothing was asked elsewhere`, elsewhere.length === 0, elsewhere.slice(0, 3).join(' '));
	await browser.close();
	input.close();
}
