// One device of the fleet: what each witness says of it, why they are one, and how to part or join them.
import { useEffect, useRef } from 'preact/hooks';
import { command, deviceName } from './fleet.js';
import { useFocusBack } from './focus.js';
import { Time, Wire } from './part_words.jsx';
import { go } from './route.js';
import { chooseSensor } from './store.js';
import { plural, words } from './text.js';

const FACTS = ['zone', 'ip', 'mac', 'class', 'vendor', 'product', 'order_code', 'firmware'];

// The page has no right to decide: it says what to type where that right is.
export function Command({ action, a, b }) {
	const text = command(action, a, b);
	return text ? <code class="command">{text}</code> : null;
}

function Witness({ witness, differs }) {
	const open = () => {
		chooseSensor(witness.sensor);
		go({ view: 'assets', query: { asset: witness.id } });
	};
	return (
		<section class="card">
			<header class="row">
				<h3>
					<Wire value={witness.sensor} />
				</h3>
				<button type="button" class="link" onClick={open}>
					open its asset
				</button>
			</header>
			<dl class="facts">
				{FACTS.filter((name) => witness[name]?.length).map((name) => (
					<>
						<dt>
							{words(name)}
							{differs.includes(name) && <b title="the witnesses differ"> ≠</b>}
						</dt>
						<dd>
							<Wire value={[witness[name]].flat().join(', ')} most={300} />
						</dd>
					</>
				))}
				<dt>heard</dt>
				<dd>
					<Time at={witness.first_seen} /> to <Time at={witness.last_seen} />
				</dd>
			</dl>
		</section>
	);
}

function Bond({ bond }) {
	return (
		<li>
			<Wire value={`${bond.a}, ${bond.b}`} />: {bond.by === 'analyst' && 'decided by '}
			<Wire value={bond.reason} most={300} />
			<Command action={bond.by === 'analyst' ? 'undo' : 'split'} a={bond.a} b={bond.b} />
		</li>
	);
}

function Sections({ device }) {
	return (
		<div class="panel-body" tabIndex={0} role="group" aria-label="What is known of it">
			<section>
				<h3>Heard by {plural(device.witnesses.length, 'witness', 'witnesses')}</h3>
				{device.witnesses.map((witness) => (
					<Witness key={`${witness.sensor}/${witness.id}`} witness={witness} differs={device.differs ?? []} />
				))}
			</section>
			<section data-test="fleet-bonds">
				<h3>Why this is one device</h3>
				{device.merged.length === 0 && <p class="hint">One asset of one sensor: nothing was joined.</p>}
				<ul class="plain-list">
					{device.merged.map((bond) => (
						<Bond key={`${bond.a} ${bond.b}`} bond={bond} />
					))}
				</ul>
			</section>
		</div>
	);
}

export function DevicePanel({ device, onClose }) {
	const heading = useRef(null);
	useFocusBack();
	useEffect(() => heading.current?.focus(), [device?.id]);
	return (
		<aside
			class="panel"
			aria-labelledby="device-name"
			data-test="device-panel"
			onKeyDown={(event) => event.key === 'Escape' && onClose()}
		>
			<header>
				<div>
					<h2 id="device-name" ref={heading} tabIndex={-1}>
						{device ? <Wire value={deviceName(device)} most={120} /> : 'No longer a device of its own'}
					</h2>
				</div>
				<button type="button" class="plain" aria-label="Close" onClick={onClose}>
					✕
				</button>
			</header>
			{device && <Sections device={device} />}
		</aside>
	);
}
