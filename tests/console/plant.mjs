// A lab of real devices: an analyst's whole way, from a key of her own to what a probe brought; then each view.
import { atView, check, end, live, look, lookAtAll, open, outside, shot, skip, start, tested, views } from './browser.mjs';

const PASSPHRASE = 'a long passphrase of hers';
const run = await start();
const { page } = run;

const outcome = async (state, ms = 30000) => {
	await page.waitForFunction((wanted) => [...document.querySelectorAll('[data-test="outcome"]')].some((one) => one.dataset.state === wanted), state, { timeout: ms });
};
const status = async (id) => (await outside('proposal', { id })).status;

async function makeKey() {
	await open(page, 'key');
	await atView(page, 'Your key');
	await live(page);
	await tested(page, 'key-name').first().fill('cyd');
	await tested(page, 'key-passphrase').first().fill(PASSPHRASE);
	await tested(page, 'key-passphrase-again').first().fill(PASSPHRASE);
	await tested(page, 'key-generate').click();
	const line = await tested(page, 'key-public-line').innerText();
	check('a key is made in the browser, and its public line shown', /name: cyd/.test(line) && /key: "?[A-Za-z0-9+/=_-]{40,}/.test(line), line);
	const kept = await page.evaluate(async () => {
		const found = [];
		for (const { name } of await indexedDB.databases()) {
			const db = await new Promise((resolve) => (indexedDB.open(name).onsuccess = (event) => resolve(event.target.result)));
			for (const store of db.objectStoreNames) {
				const all = await new Promise((resolve) => (db.transaction(store).objectStore(store).getAll().onsuccess = (event) => resolve(event.target.result)));
				found.push(...all);
			}
			db.close();
		}
		return JSON.stringify(found, (key, value) => (value instanceof Uint8Array || value instanceof ArrayBuffer ? `bytes ${value.byteLength}` : value instanceof CryptoKey ? `key ${value.extractable}` : value));
	});
	check('what is kept of it is sealed', kept.length > 2 && !kept.includes('key true') && !/"(d|seed|secret|privateKey)":"[A-Za-z0-9_+/=-]{40,}"/.test(kept), kept.slice(0, 200));
	await outside('analyst', { line });
}

async function openProposal(id) {
	await page.evaluate((hash) => (location.hash = hash), `#/proposals/${id}`);
	await tested(page, 'approve').waitFor();
	await page.waitForFunction(() => document.querySelector('[data-test="digest"]')?.dataset.state, null, { timeout: 15000 });
}

// The keyboard alone, up to the signature: nothing is signed before she says so twice.
async function approve(proposal) {
	await openProposal(proposal.id);
	check('the bytes shown are those of the text: the digest is made here', (await tested(page, 'digest').getAttribute('data-state')) === 'same');
	const shown = (await page.locator('main').innerText()).replace(/\s+/g, '');
	check('every byte is shown', proposal.messages.every((one) => shown.includes(one.hex)), proposal.messages.length);
	const others = await page.locator('[data-test="not-chosen"] li').allInnerTexts();
	check('the rules that were not chosen stand there, with why', proposal.others.length > 0 && proposal.others.every(({ rule, why }, i) => others[i].includes(rule) && others[i].includes(why)), others.join('; '));
	await tested(page, 'recent').first().waitFor();
	check("the target's traffic of now is drawn over what is usual", (await tested(page, 'recent').first().locator('polyline').count()) === 2);
	await shot(page, 'plant-proposal');
	await tested(page, 'approve').focus();
	await page.keyboard.press('Enter');
	await tested(page, 'passphrase').waitFor();
	check('Enter on the button asks for the passphrase, and has sent nothing', (await outside('commands')).count === 0);
	await page.keyboard.press('Escape');
	await tested(page, 'passphrase').waitFor({ state: 'detached' });
	check('Escape signs nothing', (await outside('commands')).count === 0 && (await status(proposal.id)) === 'open');
	await tested(page, 'approve').focus();
	await page.keyboard.press('Enter');
	await page.keyboard.type('another passphrase');
	await page.keyboard.press('Enter');
	await page.waitForFunction(() => [...document.querySelectorAll('dialog .wrong, [role="dialog"] .wrong')].some((one) => one.textContent.trim()));
	check('a wrong passphrase signs nothing, and says so', (await outside('commands')).count === 0);
	await tested(page, 'passphrase').fill(PASSPHRASE);
	await page.keyboard.press('Enter');
	await outcome('taken');
	check('the sensor took the signature of the browser', ['approved', 'running', 'spent'].includes(await status(proposal.id)), await status(proposal.id));
}

async function reply(proposal) {
	const told = await outside('reply', { id: proposal.id, ip: proposal.ip });
	check('the prober asked, once, with these bytes', told.sent, told.why);
	check('and the device answered', told.end === 'complete', told.end);
	await page.evaluate((hash) => (location.hash = hash), `#/assets?asset=${told.asset}`);
	await tested(page, 'asset-panel').waitFor();
	for (const { name, value } of told.gained) await tested(page, 'asset-panel').getByText(value, { exact: false }).first().waitFor({ timeout: 15000 });
	check('its answer stands in the asset, by itself', told.gained.length > 0, told.gained.map((one) => `${one.name}: ${one.value}`).join(', '));
	check('as said by a probe', /probe/.test(await tested(page, 'asset-panel').innerText()));
	await shot(page, 'plant-asset');
}

async function deny(proposal) {
	await openProposal(proposal.id);
	await tested(page, 'deny').click();
	// The key is still open: no passphrase is asked for within ten minutes.
	await outcome('taken');
	check('a denial is taken', (await status(proposal.id)) === 'denied', await status(proposal.id));
}

// What is approved and not yet asked: while probing is stopped it waits, and can be taken back.
async function revoke() {
	const proposal = await outside('another');
	await openProposal(proposal.id);
	await tested(page, 'approve').click();
	await outcome('taken');
	await tested(page, 'revoke').click();
	await page.waitForFunction(() => !document.querySelector('[data-test="revoke"]'));
	check('an approval is taken back', (await status(proposal.id)) === 'revoked', await status(proposal.id));
}

// A device that a question kills: the page shows what became of it, and a signature ends its quarantine.
async function release() {
	const proposal = await outside('frail_one');
	await openProposal(proposal.id);
	await tested(page, 'approve').click();
	await outcome('taken');
	const { evidence, of } = await outside('quarantined');
	await look(page, 'probes', 'Probes', 'light');
	await page.locator('.alarm').getByText(evidence).waitFor();
	check('the alarm of a device that is harmed stands on the page', of, evidence);
	await shot(page, 'plant-alarm');
	await tested(page, 'release').click();
	check('a signature ends its quarantine', (await outside('released')).by === 'cyd');
	await page.locator('.alarm').waitFor({ state: 'detached' });
	check('and the alarm is gone from the page', true);
}

async function stop() {
	await look(page, 'map', 'Map', 'light');
	await tested(page, 'stop').click();
	const told = await outside('stopped');
	check('the stop button ends all probing, at once and without a key', told.stopped, told.why);
	await page.getByText('Probing stopped').first().waitFor();
	await revoke();
	await look(page, 'probes', 'Probes', 'light');
	await tested(page, 'resume').first().click();
	await outcome('taken').catch(() => {});
	const after = await outside('resumed');
	check('a signature lets it go on', after.resumed, after.why);
}

// From the top of the page with Tab alone: everything that can be used is reached, in order, and can be seen to be.
async function keyboard() {
	for (const [view, name] of views) {
		await look(page, view, name, 'light');
		await page.evaluate(() => document.activeElement?.blur());
		await page.evaluate(() => getSelection().removeAllRanges());
		const met = [];
		for (let i = 0, ends = 0; i < 80 && ends < 2; i++) {
			await page.keyboard.press('Tab');
			const here = await page.evaluate(() => {
				const one = document.activeElement;
				if (!one || one === document.body) return null;
				const box = one.getBoundingClientRect();
				const style = getComputedStyle(one);
				const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
				window.order ??= [];
				const again = window.order.includes(one);
				window.order.push(one);
				return { name: `${one.tagName} ${one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 30)}`, top: box.top, left: box.left, size: box.width * box.height, ring, again };
			});
			if (here?.again) break;
			if (here) met.push(here);
			else ends++;
		}
		await page.evaluate(() => (window.order = []));
		const bare = met.filter((one) => !one.ring || one.size === 0);
		check(`${name}: Tab reaches ${met.length} places, each seen to have the focus`, met.length >= 9 && bare.length === 0, bare.map((one) => one.name).join('; '));
	}
}

await makeKey();
const { proposals, recent, faults } = await outside('proposals');
if (proposals.length < 2) {
	check('the sensor proposes', false, `${proposals.length} proposals`);
} else {
	check('a proposal shows how its target is now, and not only when it was made', recent[0] > 5, recent);
	check('the documents of proposals validate', faults === '', faults);
	await approve(proposals[0]);
	await reply(proposals[0]);
	await deny(proposals[1]);
	await release();
}
await stop();
await keyboard();
await lookAtAll(page, 'plant', [...views, ...(proposals[0] ? [[`proposals/${proposals[0].id}`, /./]] : [])]);
await end(run, 'plant');
