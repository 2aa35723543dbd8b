// Nothing that a device says may act on the page, hide in it, or pass for something else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './support.mjs';

const { bytes, cut, number, percent, plural, visible } = await page('text.js');
const { ascii, hexLines, tokens } = await page('hex.js');
const { readRoute, writeRoute } = await page('route.js');
const { moment, relative, span } = await page('time.js');

test('unseen characters are written out', () => {
	assert.equal(visible('plc\u202egpj.exe'), 'plc‹U+202E›gpj.exe');
	assert.equal(visible('a\u0000b\u001b[31mc'), 'a‹U+0000›b‹U+001B›[31mc');
	assert.equal(visible('zero\u200bwidth\ufeff\u2066'), 'zero‹U+200B›width‹U+FEFF›‹U+2066›');
	assert.equal(visible('\u{e0041}tag\ud800half'), '‹U+E0041›tag‹U+D800›half');
	assert.equal(visible('Müller 控制器 שלום 🛠'), 'Müller 控制器 שלום 🛠');
	assert.equal(visible(undefined), '');
	for (let code = 0; code < 0x20; code++) assert.match(visible(String.fromCharCode(code)), /^‹U\+00/);
});

test('long names are cut between characters', () => {
	assert.equal(cut('abcdef', 6), 'abcdef');
	assert.equal(cut('abcdefg', 6), 'abcde…');
	assert.equal(cut('🛠'.repeat(9), 4), '🛠🛠🛠…');
});

test('numbers and times for people', () => {
	assert.equal(number(1234567.89), '1,234,567.9');
	assert.equal(number(undefined), '–');
	assert.equal(percent(0.785), '79 %');
	assert.equal(bytes(1536), '1.5 KiB');
	assert.equal(bytes(0), '0 B');
	assert.equal(plural(1, 'packet'), '1 packet');
	assert.equal(plural(2000, 'byte'), '2,000 bytes');
	assert.equal(moment('2026-11-22T04:43:38.391705Z'), '2026-11-22 04:43:38');
	assert.equal(moment('yesterday'), '–');
	assert.equal(span(7260), '2 h');
	assert.equal(relative('2026-11-22T00:00:00.000000Z', Date.parse('2026-11-22T00:10:00Z')), '10 min ago');
});

test('hex: every byte once, holes by their names, no places behind them', () => {
	const hex = `${'0a'.repeat(15)}{object}41`;
	assert.equal(tokens(hex).join(''), hex);
	const [first, second] = hexLines(`${hex}ff`);
	assert.equal(first.place, '0000');
	assert.equal(first.tokens.length, 16);
	assert.equal(second.place.trim(), '+');
	assert.equal([...first.tokens, ...second.tokens].join(''), `${hex}ff`);
	assert.equal(ascii('41'), 'A');
	assert.equal(ascii('0a'), '·');
	assert.equal(ascii('7f'), '·');
});

test('routes: read and written alike, and whatever is typed', () => {
	for (const route of [
		{ view: 'map', item: '', query: {} },
		{ view: 'proposals', item: '236d', query: { asset: 'a-1' } },
		{ view: 'assets', item: 'a/b?c#d', query: {} },
	])
		assert.deepEqual(readRoute(writeRoute(route)), route);
	assert.equal(readRoute('#/nowhere').view, 'map');
	assert.equal(readRoute('').view, 'map');
	assert.equal(readRoute('#/assets/%E0%A4%A').item, '');
	assert.equal(readRoute('#/__proto__').view, 'map');
});
