// The line at the foot of the page: how far what is shown can be trusted. It is always there, so that nothing moves when
// something is wrong.
import { connection } from './live.js';
import { Wire } from './part_words.jsx';
import { probingState } from './runs.js';
import { about, assets, newest, probes, redis, trouble } from './store.js';
import { plural } from './text.js';
import { moment } from './time.js';

const at = (ms) => `${moment(new Date(ms).toISOString())} UTC`;

// {tone, head, words} of the worst that there is to say.
function verdict() {
	const { state, since } = connection.value;
	if (state === 'lost')
		return { tone: 'bad', head: 'Connection lost.', words: `What is shown is as of ${at(since)}; trying again.` };
	if (trouble.value) return { tone: 'bad', head: 'Not up to date.', words: trouble.value };
	if (redis.value.state !== 'streaming')
		return {
			tone: 'bad',
			head: 'No word from the sensor.',
			words: `Redis is ${redis.value.state}. ${redis.value.advice}`,
		};
	if (state === 'connecting') return { tone: '', head: 'Connecting…', words: '' };
	return { tone: '', head: 'Live.', words: newest.value ? `Last event ${moment(newest.value)} UTC.` : '' };
}

export function StatusBar() {
	const { tone, head, words } = verdict();
	const stopped = probingState(probes.value.commands);
	return (
		<footer class="status" data-tone={tone}>
			<p role={tone === 'bad' ? 'alert' : undefined} data-test="status">
				<b>{head}</b> <Wire value={words} />
			</p>
			{stopped && (
				<p class="status-stopped">
					<b>Probing is stopped</b> since {moment(stopped['@timestamp'])} UTC
					{stopped.ot.command.analyst && (
						<>
							{' '}
							by <Wire value={stopped.ot.command.analyst} />
						</>
					)}
					. <a href="#/probes">Let it go on</a>
				</p>
			)}
			<p class="status-end">
				{about.value && !about.value.writable && 'For looking only. '}
				{about.value?.user && (
					<>
						<Wire value={about.value.user} />,{' '}
					</>
				)}
				{plural(assets.value.byId.size, 'asset')}
			</p>
		</footer>
	);
}
