// What analysts state of one device: whether it belongs here, values that nobody told, what is one device and what is two.
// Each fact is signed, stands beside what is heard, and can be taken back.
import { useState } from 'preact/hooks';
import { decide } from './command.js';
import { Outcome, useOutcome } from './part_outcome.jsx';
import { Chip, Time, Wire } from './part_words.jsx';
import { kept } from './signer.jsx';
import { words } from './text.js';

// As analyst_may_set() of sensor/hub: what a device is, and not where it is or how it is reached.
const SETTABLE =
	'vendor product order_code firmware hardware serial software os name hostname location contact description role device_class'.split(
		' ',
	);

const SENTENCES = {
	set: (fact) => `${words(fact.name)}${fact.subject ? ` of ${fact.subject}` : ''} is “${fact.value}”`,
	merge: (fact) => `it is one device with ${fact.value}`,
	split: (fact) => `${fact.value} is a device of its own`,
	accept: () => 'it belongs here',
	ignore: () => "it is nobody's business: it is never asked anything",
};

function Stated({ facts, busy, run }) {
	return facts.map((fact) => (
		<div class="row fact" key={fact.id}>
			<span>
				<Wire value={(SENTENCES[fact.kind] ?? (() => fact.kind))(fact)} />
				<span class="hint">
					{' '}
					<Wire value={fact.analyst} />, <Time at={fact.time} />
					{fact.why && (
						<>
							: <Wire value={fact.why} />
						</>
					)}
				</span>
			</span>
			<button
				type="button"
				disabled={busy}
				data-test="fact-undo"
				onClick={() => run(() => decide('undo', String(fact.id)))}
			>
				Take back
			</button>
		</div>
	));
}

// A field, a value, a button: for everything that is said with one value.
function Say({ label, button, test, busy, children, onSay }) {
	const submit = (event) => {
		event.preventDefault();
		onSay();
	};
	return (
		<form class="row fact-form" onSubmit={submit} aria-label={label}>
			{children}
			<button type="submit" disabled={busy} data-test={test}>
				{button}
			</button>
		</form>
	);
}

function SetValue({ id, paths, why, busy, run }) {
	const [attribute, setAttribute] = useState('serial');
	const [path, setPath] = useState('');
	const [value, setValue] = useState('');
	return (
		<Say
			label="State a value"
			button="State the value"
			test="fact-set"
			busy={busy}
			onSay={() => run(() => decide('set', id, why, { attribute, path, value }))}
		>
			<select
				aria-label="Attribute"
				value={attribute}
				onChange={(event) => setAttribute(event.currentTarget.value)}
				data-test="fact-attribute"
			>
				{SETTABLE.map((name) => (
					<option key={name} value={name}>
						{words(name)}
					</option>
				))}
			</select>
			{paths.length > 0 && (
				<select aria-label="Of" value={path} onChange={(event) => setPath(event.currentTarget.value)}>
					<option value="">the device itself</option>
					{paths.map((one) => (
						<option key={one} value={one}>
							<Wire value={one} />
						</option>
					))}
				</select>
			)}
			<input
				type="text"
				aria-label="Value"
				placeholder="Value"
				required
				maxLength={300}
				value={value}
				onInput={(event) => setValue(event.currentTarget.value)}
				data-test="fact-value"
			/>
		</Say>
	);
}

function MergeSplit({ asset, why, busy, run }) {
	const addresses = [...asset.ip, ...asset.mac];
	const [other, setOther] = useState('');
	const [address, setAddress] = useState(addresses[0] ?? '');
	return (
		<details>
			<summary>Two devices that are one, one that is two</summary>
			<Say
				label="Merge"
				button="Are one device"
				test="fact-merge"
				busy={busy}
				onSay={() => run(() => decide('merge', asset.id, why, { value: other }))}
			>
				<span>This and</span>
				<input
					type="text"
					aria-label="Id of the other asset"
					placeholder="a-0011223344556677"
					pattern="a-[0-9a-f]{16}"
					required
					value={other}
					onInput={(event) => setOther(event.currentTarget.value.trim())}
				/>
			</Say>
			{addresses.length > 1 && (
				<Say
					label="Split"
					button="Is a device of its own"
					test="fact-split"
					busy={busy}
					onSay={() => run(() => decide('split', asset.id, why, { value: address }))}
				>
					<select aria-label="Address" value={address} onChange={(event) => setAddress(event.currentTarget.value)}>
						{addresses.map((one) => (
							<option key={one}>{one}</option>
						))}
					</select>
				</Say>
			)}
		</details>
	);
}

export function Facts({ document }) {
	const { asset, facts = [], subassets } = document.ot;
	const [why, setWhy] = useState('');
	const [outcome, run] = useOutcome();
	const busy = outcome.state === 'waiting' || !kept.value;
	const stand = (command) => run(() => decide(command, asset.id, why));
	return (
		<section aria-labelledby="asset-facts" class="facts-said" data-test="facts">
			<h3 id="asset-facts">
				What analysts state
				{asset.standing && <Chip tone={asset.standing === 'accepted' ? 'good' : undefined}>{asset.standing}</Chip>}
			</h3>
			<Stated facts={facts} busy={busy} run={run} />
			{!kept.value && (
				<p class="hint">
					To state something here needs <a href="#/key">a key in this browser</a>.
				</p>
			)}
			{kept.value && (
				<>
					<div class="row">
						<button
							type="button"
							disabled={busy || asset.standing === 'accepted'}
							data-test="fact-accept"
							onClick={() => stand('accept')}
						>
							It belongs here
						</button>
						<button
							type="button"
							disabled={busy || asset.standing === 'ignored'}
							data-test="fact-ignore"
							onClick={() => stand('ignore')}
						>
							Never ask it anything
						</button>
						<input
							type="text"
							aria-label="Reason, for the record"
							placeholder="Reason, for the record"
							maxLength={190}
							value={why}
							onInput={(event) => setWhy(event.currentTarget.value)}
						/>
					</div>
					<SetValue id={asset.id} paths={subassets.map((sub) => sub.path)} why={why} busy={busy} run={run} />
					<MergeSplit asset={asset} why={why} busy={busy} run={run} />
				</>
			)}
			<Outcome outcome={outcome} />
		</section>
	);
}
