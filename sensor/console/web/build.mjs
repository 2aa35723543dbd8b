// Bundles the console's page: node build.mjs OUTPUT-FOLDER. Packages go to OUTPUT-FOLDER-npm, never into the sources.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = dirname(fileURLToPath(import.meta.url));

function fail(sentence) {
	console.error(`console-web: ${sentence}`);
	process.exit(1);
}

// npm ci is slow and wants a network, so it runs only when the lock is not the one that was installed.
function installPackages(folder) {
	const lock = readFileSync(join(sources, 'package-lock.json'), 'utf8');
	const stamp = join(folder, 'installed-lock.json');
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
	mkdirSync(folder, { recursive: true });
	for (const name of ['package.json', 'package-lock.json']) cpSync(join(sources, name), join(folder, name));
	// esbuild's install script only checks its binary, which comes as a package of its own.
	const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	const npm = spawnSync('npm', words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
	if (npm.status !== 0)
		fail('npm could not install the packages that package-lock.json names; is its registry reachable?');
	writeFileSync(stamp, lock);
}

// The bundler looks for packages beside the files that import them: it is shown the sources through links.
function linkSources(folder) {
	const view = join(folder, 'view');
	rmSync(view, { recursive: true, force: true });
	mkdirSync(view);
	for (const name of readdirSync(sources))
		if (/\.(jsx?|css)$/.test(name)) symlinkSync(join(sources, name), join(view, name));
	return view;
}

async function bundle(folder, output) {
	const { build } = createRequire(join(folder, 'package.json'))('esbuild');
	const view = linkSources(folder);
	return build({
		entryPoints: [join(view, 'app.jsx'), join(view, 'sign_key_worker.js')],
		outdir: output,
		bundle: true,
		minify: true,
		format: 'esm',
		target: 'es2022',
		charset: 'utf8',
		jsx: 'automatic',
		jsxImportSource: 'preact',
		preserveSymlinks: true,
		legalComments: 'none',
		metafile: true,
		logLevel: 'warning',
	});
}

// Every package of which a byte is in the bundle, with the text of its licence.
function licences(folder, metafile) {
	const names = new Set();
	for (const input of Object.keys(metafile.inputs)) {
		const inside = relative(folder, resolve(input)).match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
		if (inside) names.add(inside[1]);
	}
	return [...names].sort().map((name) => {
		const home = join(folder, 'node_modules', name);
		const about = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
		const file = readdirSync(home).find((entry) => /^licen[cs]e/i.test(entry));
		if (!file) fail(`the package ${name} brings no licence text`);
		return `${name} ${about.version} (${about.license})\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`;
	});
}

if (process.argv.length !== 3) fail('usage: node build.mjs OUTPUT-FOLDER');
const output = resolve(process.argv[2]);
const packages = `${output}-npm`;
installPackages(packages);
mkdirSync(output, { recursive: true });
const { metafile } = await bundle(packages, output);
cpSync(join(sources, 'index.html'), join(output, 'index.html'));
const head = 'The console contains these works of others:\n\n';
writeFileSync(join(output, 'licences.txt'), head + licences(packages, metafile).join(`\n${'-'.repeat(72)}\n\n`));
