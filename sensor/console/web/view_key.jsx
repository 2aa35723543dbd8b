// The analyst's key: made here or brought from `askance keygen`, kept under a passphrase in this browser alone.
import { useEffect, useState } from 'preact/hooks';
import { announce, Chip } from './part_words.jsx';
import { openFile, writeFile } from './key_work.js';
import { readKeyFile } from './sign_key_file.js';
import { forgetKey, generateKey, importSeed, keyHindrance, nameIsGood, publicLine, seedOf } from './sign_key.js';
import { isOpen, kept, shutKey, startKey } from './signer.jsx';
import { fromBase64 } from './sign_bytes.js';

const PASSPHRASE_LEAST = 12;

function Field({ label, hint, ...input }) {
	return (
		<label class="field">
			<span>{label}</span>
			<input {...input} />
			{hint && <span class="hint">{hint}</span>}
		</label>
	);
}

function Name({ value, onValue }) {
	return (
		<Field
			label="Your name, as analysts.yaml has it"
			type="text"
			autocomplete="username"
			required
			maxLength={31}
			value={value}
			onInput={(event) => onValue(event.currentTarget.value)}
			data-test="key-name"
			hint="1 to 31 letters, digits, '.', '_' or '-'"
		/>
	);
}

function Passphrases({ first, again, onFirst, onAgain }) {
	return (
		<>
			<Field
				label="New passphrase for this browser"
				type="password"
				autocomplete="new-password"
				required
				minLength={PASSPHRASE_LEAST}
				value={first}
				onInput={(event) => onFirst(event.currentTarget.value)}
				data-test="key-passphrase"
				hint={`At least ${PASSPHRASE_LEAST} characters. Nobody can bring it back.`}
			/>
			<Field
				label="Once more"
				type="password"
				autocomplete="new-password"
				required
				value={again}
				onInput={(event) => onAgain(event.currentTarget.value)}
				data-test="key-passphrase-again"
			/>
		</>
	);
}

function wrongWith({ name, first, again }) {
	if (!nameIsGood(name)) return "a name is 1 to 31 letters, digits, '.', '_' or '-'";
	if (first.length < PASSPHRASE_LEAST) return `the passphrase needs at least ${PASSPHRASE_LEAST} characters`;
	return first === again ? '' : 'the two passphrases differ';
}

// State of a form that does one thing at a time and says why it did not.
function useWork() {
	const [state, setState] = useState({ busy: '', wrong: '' });
	const run = async (busy, work) => {
		setState({ busy, wrong: '' });
		try {
			await work((words) => setState({ busy: words, wrong: '' }));
			setState({ busy: '', wrong: '' });
		} catch (error) {
			setState({ busy: '', wrong: error.message });
		}
	};
	return [state, run];
}

async function keepNew(make) {
	kept.value = await make();
	shutKey();
	// Without this a browser in need of room may throw the key away.
	await navigator.storage?.persist?.().catch(() => {});
	announce('The key is kept in this browser');
}

function Generate() {
	const [name, setName] = useState('');
	const [first, setFirst] = useState('');
	const [again, setAgain] = useState('');
	const [state, run] = useWork();
	const submit = (event) => {
		event.preventDefault();
		run('Making the key…', async () => {
			const wrong = wrongWith({ name, first, again });
			if (wrong) throw new Error(wrong);
			await keepNew(() => generateKey(name, first));
		});
	};
	return (
		<form class="card form" onSubmit={submit} aria-label="Make a key">
			<h2>Make a key</h2>
			<Name value={name} onValue={setName} />
			<Passphrases first={first} again={again} onFirst={setFirst} onAgain={setAgain} />
			<p class="wrong" role="alert">
				{state.wrong}
			</p>
			<div class="row">
				<button type="submit" class="first" disabled={state.busy !== ''} data-test="key-generate">
					{state.busy || 'Make the key'}
				</button>
			</div>
		</form>
	);
}

function Import() {
	const [name, setName] = useState('');
	const [file, setFile] = useState(null);
	const [old, setOld] = useState('');
	const [first, setFirst] = useState('');
	const [again, setAgain] = useState('');
	const [state, run] = useWork();
	const submit = (event) => {
		event.preventDefault();
		run('Opening the file…', async (say) => {
			const wrong = wrongWith({ name, first, again });
			if (wrong) throw new Error(wrong);
			if (!file) throw new Error('choose the key file first');
			const read = readKeyFile(await file.text());
			const seed = await openFile(read, old, (share) => say(`Opening the file, ${Math.round(share * 100)} %…`));
			try {
				await keepNew(() => importSeed(name, seed, read.publicKey, first));
			} finally {
				seed.fill(0);
			}
		});
	};
	return (
		<form class="card form" onSubmit={submit} aria-label="Bring a key">
			<h2>Bring a key from askance keygen</h2>
			<Name value={name} onValue={setName} />
			<Field
				label="Key file"
				type="file"
				required
				onChange={(event) => setFile(event.currentTarget.files[0] ?? null)}
				data-test="key-file"
				hint="Usually ~/.askance/key. It is read here and goes nowhere."
			/>
			<Field
				label="Passphrase of the file"
				type="password"
				autocomplete="off"
				value={old}
				onInput={(event) => setOld(event.currentTarget.value)}
				data-test="key-file-passphrase"
				hint="Empty when it has none"
			/>
			<Passphrases first={first} again={again} onFirst={setFirst} onAgain={setAgain} />
			<p class="wrong" role="alert">
				{state.wrong}
			</p>
			<div class="row">
				<button type="submit" class="first" disabled={state.busy !== ''} data-test="key-import">
					{state.busy || 'Bring the key'}
				</button>
			</div>
		</form>
	);
}

// The file leaves by a download: the page itself can write nowhere.
function save(name, text) {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
	link.download = `askance-key-${name}`;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function Copy() {
	const [passphrase, setPassphrase] = useState('');
	const [state, run] = useWork();
	const submit = (event) => {
		event.preventDefault();
		run('Sealing the copy…', async (say) => {
			const seed = await seedOf(kept.value, passphrase);
			try {
				save(
					kept.value.name,
					await writeFile(seed, fromBase64(kept.value.publicKey), passphrase, (share) =>
						say(`Sealing the copy, ${Math.round(share * 100)} %…`),
					),
				);
			} finally {
				seed.fill(0);
			}
			setPassphrase('');
		});
	};
	return (
		<form class="card form" onSubmit={submit} aria-label="Save a copy">
			<h2>Save a copy</h2>
			<p class="hint">
				A key file as `askance approve --key` takes it, sealed with the same passphrase. A browser's data can be lost.
			</p>
			<Field
				label="Passphrase"
				type="password"
				autocomplete="current-password"
				required
				value={passphrase}
				onInput={(event) => setPassphrase(event.currentTarget.value)}
				data-test="key-copy-passphrase"
			/>
			<p class="wrong" role="alert">
				{state.wrong}
			</p>
			<div class="row">
				<button type="submit" disabled={state.busy !== ''} data-test="key-copy">
					{state.busy || 'Save the key file'}
				</button>
			</div>
		</form>
	);
}

function Kept() {
	const [sure, setSure] = useState(false);
	const forget = async () => {
		await forgetKey();
		shutKey();
		await startKey();
		announce('The key is gone from this browser');
	};
	return (
		<section class="card choices">
			<h2>The key of {kept.value.name}</h2>
			<p>
				<Chip tone={isOpen.value ? 'warn' : 'good'}>{isOpen.value ? 'open, for ten minutes at most' : 'shut'}</Chip>
			</p>
			<p>
				The line for <code>rules/policy/analysts.yaml</code> on the sensor, with the risks that are to be yours. Only
				there it gives any right.
			</p>
			<pre class="key-line" data-test="key-public-line" tabIndex={0}>
				{publicLine(kept.value)}
			</pre>
			<div class="row">
				<button
					type="button"
					onClick={() => navigator.clipboard.writeText(`${publicLine(kept.value)}\n`).then(() => announce('Copied'))}
				>
					Copy the line
				</button>
				{isOpen.value && (
					<button type="button" onClick={shutKey}>
						Shut the key
					</button>
				)}
				<button
					type="button"
					class="stop"
					data-test="key-forget"
					onClick={() => (sure ? forget() : setSure(true))}
					onBlur={() => setSure(false)}
				>
					{sure ? 'Really forget it?' : 'Forget the key'}
				</button>
			</div>
		</section>
	);
}

export function Key() {
	const [hindrance, setHindrance] = useState('');
	useEffect(() => {
		keyHindrance().then(setHindrance);
	}, []);
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Your key</h1>
				<span class="note">
					It signs in this browser and never leaves it: neither the console nor Redis can sign for you
				</span>
			</header>
			<div class="page two">
				{hindrance && <p class="wrong">{hindrance}</p>}
				{!hindrance && kept.value && (
					<>
						<Kept />
						<Copy />
					</>
				)}
				{!hindrance && !kept.value && (
					<>
						<Generate />
						<Import />
					</>
				)}
			</div>
		</>
	);
}
