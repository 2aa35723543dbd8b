// What the tests share: the page's modules, and the sensor's own words on the same things.
import { spawnSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';

// Node 18 has them, but not by these names.
globalThis.crypto ??= webcrypto;

const { ASKANCE_BUILD, ASKANCE_ROOT, ASKANCE_WEB } = process.env;

export const root = ASKANCE_ROOT;
export const build = ASKANCE_BUILD;
export const page = (name) => import(`${ASKANCE_WEB}/${name}`);

export function run(program, words, input = '') {
	const done = spawnSync(`${build}/${program}`, words, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
	if (done.error) throw done.error;
	return done;
}

export function oracle(words, input = '') {
	const done = run('tests/console/oracle', words, input);
	if (done.status !== 0) throw new Error(`oracle ${words.join(' ')}: ${done.stderr}`);
	return done.stdout.trimEnd().split('\n');
}

export const oracleTexts = (questions) =>
	oracle(['texts'], `${questions.map((q) => JSON.stringify(q)).join('\n')}\n`).map((line) => JSON.parse(line));

// The same numbers at each run: what failed fails again.
export function dice(seed) {
	let state = seed >>> 0;
	const next = (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
	return { next, one: (list) => list[next(list.length)] };
}
