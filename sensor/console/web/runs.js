// Probes as they went: the documents of one run brought together, and whether probing is stopped.

// The document that stopped all probing, when nobody has let it go on since; else null. `commands` is the newest first.
export function probingState(commands) {
	const last = commands.find(({ event }) => event.action === 'probing-stopped' || event.action === 'probing-resumed');
	return last?.event.action === 'probing-stopped' ? last : null;
}

const STAGES = { 'probe-planned': 'running', 'probe-refused': 'refused', 'probe-ended': 'ended' };

// [{run, stage, planned, last, target, rule, alarms}], the newest first. `probes` and `watch` are the newest first, too.
export function runsOf(probes, watch) {
	const runs = new Map();
	for (const document of probes) {
		const { run } = document.ot.probe;
		const before = runs.get(run);
		if (!before)
			runs.set(run, { run, stage: STAGES[document.event.action], last: document, planned: null, alarms: [] });
		if (document.event.action === 'probe-planned') runs.get(run).planned = document;
	}
	for (const document of watch) {
		if (document.event.action === 'target-degraded') runs.get(document.ot.watch.order)?.alarms.push(document);
	}
	return [...runs.values()];
}

// Devices in quarantine: the newest alarm of each that nobody has released since. `watch` is the newest first.
export function quarantined(watch) {
	const seen = new Set();
	return watch.filter((document) => {
		const { id } = document.ot.asset;
		if (seen.has(id)) return false;
		seen.add(id);
		return document.event.action === 'target-degraded';
	});
}
