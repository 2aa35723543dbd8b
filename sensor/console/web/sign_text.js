// The texts that analysts sign, and the hash over what would be sent. Each must be, byte for byte, what the sensor
// makes of the same fields: approval_text() and command_text() of active/guard, plan_digest() of active/ruleset.
import { hex, sha256, utf8 } from './sign_bytes.js';

// Rooms as in approval.h and command.h: bytes of UTF-8, with the zero at the end.
const ROOM = { name: 64, rule: 48, class: 32, parameters: 768, path: 96, why: 200, attribute: 24, value: 384 };
const TIME_MOST_MS = 4611686018427; // a day of 2116: the sensor knows no later one
const TIME_MOST_S = 4611686018;
const APPROVAL_SECONDS = 30 * 86400;
const USES_MOST = 10;
const COMMANDS = ['deny', 'revoke', 'stop', 'resume', 'release'];
const NAMES_NOTHING = ['stop', 'resume'];
const FACTS = ['set', 'merge', 'split', 'accept', 'ignore', 'undo'];

// Control characters, ends of lines, and marks that turn the direction of writing, as text_is_clean() sees them.
const STEERS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Cs}/u;

export class Unsound extends Error {}

function refuse(field) {
	throw new Unsound(`'${field}' is missing or out of its range`);
}

function clean(field, value, room) {
	if (typeof value !== 'string' || STEERS.test(value) || utf8(value).length >= room) refuse(field);
	return value;
}

function matching(field, value, pattern, room = 128) {
	if (!pattern.test(clean(field, value, room))) refuse(field);
	return value;
}

function whole(field, value, least, most) {
	if (!Number.isInteger(value) || value < least || value > most) refuse(field);
	return value;
}

function oneOf(field, value, known) {
	if (!known.includes(value)) refuse(field);
	return value;
}

// Of what an address means there is one text; a second one of the same would be signed in vain.
function targetIp(value) {
	if (value === '') return value;
	const v4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
	const v6 = /^(?=.*:)[0-9a-f:]+(?:[0-9.]+)?$/;
	if (typeof value !== 'string' || !(v4.test(value) || v6.test(value))) refuse('target_ip');
	return value;
}

function checkTarget(text) {
	targetIp(text.target_ip);
	matching('target_mac', text.target_mac, /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
	if (text.transport === 'ethernet') {
		whole('port', text.port, 0, 0);
		if (text.target_mac === '00:00:00:00:00:00') refuse('target_mac');
	} else {
		whole('port', text.port, 1, 65535);
		if (!text.target_ip) refuse('target_ip');
	}
}

function checkTimes(times) {
	whole('not_before', times.not_before, 0, TIME_MOST_S);
	whole('not_after', times.not_after, times.not_before + 1, TIME_MOST_S);
	if (times.not_after - times.not_before > APPROVAL_SECONDS) refuse('not_after');
	whole('uses', times.uses, 1, USES_MOST);
}

const seconds = (s) => `${new Date(s * 1000).toISOString().slice(0, 19)}Z`;

// `text` is ot.proposal.text of the document; times is {not_before, not_after, uses}, in seconds since 1970.
export function approvalText(id, text, times) {
	matching('id', id, /^[0-9a-f]{32}$/);
	matching('sensor', text.sensor, /^[A-Za-z0-9_.-]+$/, ROOM.name);
	clean('zone', text.zone, ROOM.name);
	clean('class', text.class, ROOM.class);
	clean('maker', text.maker, ROOM.name);
	clean('path', text.path, ROOM.path);
	clean('parameters', text.parameters, ROOM.parameters);
	matching('rule', text.rule, /^[a-z0-9_-]+$/, ROOM.rule);
	matching('rule_sha256', text.rule_sha256, /^[0-9a-f]{64}$/);
	matching('plan_sha256', text.plan_sha256, /^[0-9a-f]{64}$/);
	const vlan = [0, 1].map((i) => whole('vlan', text.vlan?.[i], 0, 4095));
	oneOf('transport', text.transport, ['ethernet', 'udp', 'tcp']);
	checkTarget(text);
	checkTimes(times);
	return [
		'askance approval 1',
		`id: ${id}`,
		`sensor: ${text.sensor}`,
		`zone: ${text.zone}`,
		`vlan: ${vlan[0]}.${vlan[1]}`,
		`target mac: ${text.target_mac}`,
		`target ip: ${text.target_ip}`,
		`transport: ${text.transport}`,
		`port: ${text.port}`,
		`path: ${text.path}`,
		`class: ${text.class}`,
		`maker: ${text.maker}`,
		`rule: ${text.rule}`,
		`rule sha256: ${text.rule_sha256}`,
		`parameters: ${text.parameters}`,
		`plan sha256: ${text.plan_sha256}`,
		`not before: ${seconds(times.not_before)}`,
		`not after: ${seconds(times.not_after)}`,
		`uses: ${times.uses}`,
		'',
	].join('\n');
}

// What an analyst states of a device has three lines more; only some have anything in them.
function factLines(command, { attribute = '', path = '', value = '' }) {
	clean('attribute', attribute, ROOM.attribute);
	clean('of', path, ROOM.path);
	clean('value', value, ROOM.value);
	if ((attribute !== '') !== (command === 'set')) refuse('attribute');
	if ((value !== '') !== ['set', 'merge', 'split'].includes(command)) refuse('value');
	if (path && command !== 'set') refuse('of');
	return FACTS.includes(command) ? `attribute: ${attribute}\nof: ${path}\nvalue: ${value}\n` : '';
}

// {command, sensor, subject, why, time_ms, attribute, path, value}; subject is the id of a proposal or asset or the number
// of a fact, empty for stop and resume; the last three are of facts alone.
export function commandText({ command, sensor, subject, why, time_ms, ...fact }) {
	oneOf('command', command, [...COMMANDS, ...FACTS]);
	matching('sensor', sensor, /./, ROOM.name);
	clean('subject', subject, ROOM.name);
	clean('why', why, ROOM.why);
	whole('time_ms', time_ms, 0, TIME_MOST_MS);
	if ((subject === '') !== NAMES_NOTHING.includes(command)) refuse('subject');
	const time = new Date(time_ms).toISOString();
	return `askance command 1\ncommand: ${command}\nsensor: ${sensor}\nsubject: ${subject}\n${factLines(command, fact)}why: ${why}\ntime: ${time}\n`;
}

// The hash over everything that would be sent, in hex: what approvals name as plan sha256.
export async function planDigest(rule, messages) {
	matching('rule', rule, /^[a-z0-9_-]+$/, ROOM.rule);
	const lines = messages.map((message) => {
		whole('step_number', message.step_number, 1, 65535);
		whole('round', message.round, 1, 65535);
		if (typeof message.hex !== 'string' || !/^(?:[0-9a-f]{2}|\{[^{}\n]+\})*$/.test(message.hex)) refuse('hex');
		return `${message.step_number}.${message.round} ${message.hex}\n`;
	});
	return hex(await sha256(utf8(`askance plan 1 ${rule}\n${lines.join('')}`)));
}
