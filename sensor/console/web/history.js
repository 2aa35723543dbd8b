// One event of an asset as a sentence.
import { words } from './text.js';

function aboutValue(change) {
	const where = change.subject ? ` of ${change.subject}` : '';
	const before = change.previous ? `, before “${change.previous}”` : '';
	return `${words(change.name)}${where} “${change.value}” by ${change.protocol || 'many'}${before}`;
}

const SENTENCES = {
	'asset-observed': () => 'first heard',
	'asset-changed': (ot) => (ot.change?.value ? `changed: ${aboutValue(ot.change)}` : 'changed'),
	'asset-conflict': (ot) => {
		if (ot.change?.ip) return `conflict: ${ot.change.ip} is also claimed by ${ot.change.claimed_by}`;
		return ot.change?.value ? `conflict: ${aboutValue(ot.change)}` : 'conflict';
	},
	'asset-merged': (ot) => `joined with ${ot.change?.merged ?? 'another'}`,
	'asset-split': (ot) => `split from ${ot.change?.split_from ?? 'another'}`,
	'gap-open': (ot) => `gap: ${words(ot.gap.kind)} of ${ot.gap.subject}; ${ot.gap.verdict ?? ''} ${ot.gap.why ?? ''}`,
	'gap-closed': (ot) => `gap filled: ${words(ot.gap.kind)} of ${ot.gap.subject}`,
	'probe-proposed': (ot) => `probe ${ot.proposal.rule} proposed`,
	'proposal-expired': () => 'the proposal expired',
	'proposal-superseded': () => 'the proposal gave way to another',
	'approval-signed': (ot) => `signed by ${ot.command.analyst}`,
	'approval-denied': (ot) => `denied by ${ot.command.analyst}${ot.command.reason ? `: ${ot.command.reason}` : ''}`,
	'approval-revoked': (ot) => `revoked by ${ot.command.analyst}`,
	'approval-refused': (ot) => `command ${ot.command.name} refused: ${ot.command.reason ?? ''}`,
	'probe-planned': (ot) => `probe ${ot.proposal.text.rule} begins`,
	'probe-refused': (ot) => `the prober refused: ${ot.probe.why ?? ot.probe.refusal}`,
	'probe-ended': (ot) => `probe ended: ${ot.probe.end}, ${ot.probe.packets} packets out, ${ot.probe.replies} replies`,
	'fact-stated': (ot) =>
		`${ot.command.analyst} states: ${ot.command.name}${ot.fact?.name ? ` ${words(ot.fact.name)}` : ''}${ot.fact?.value ? ` “${ot.fact.value}”` : ''}`,
	'target-degraded': (ot) => `alarm: ${ot.watch.evidence}`,
	'quarantine-released': () => 'quarantine ended',
};

// "protocol s7comm, port 102": of an object whose form this page does not know.
function members(object) {
	return Object.entries(object)
		.filter(([, value]) => typeof value !== 'object')
		.map(([key, value]) => `${words(key)} ${value}`)
		.join(', ');
}

export function history(document) {
	const { action, dataset } = document.event;
	try {
		if (SENTENCES[action]) return SENTENCES[action](document.ot);
	} catch {
		// A newer sensor may leave out what an older one told; its action's name still says something.
	}
	const { attr, service, change } = document.ot ?? {};
	if (attr?.value)
		return `${words(attr.name)}${attr.subject ? ` of ${attr.subject}` : ''} “${attr.value}” by ${attr.protocol || 'many'} (${attr.source})`;
	const name = words(action ?? dataset).replaceAll('-', ' ');
	if (service?.protocol)
		return `${name}: ${service.protocol} ${service.transport}${service.port ? `/${service.port}` : ''}`;
	return change ? `${name}: ${members(change)}` : name;
}
