// A consumer group's reader with an npm client, as a SIEM's collector would be: what it was given and did not
// acknowledge before its end is claimed by its successor. Used by tests/system/consumers.
// usage: node consumer.js redis|ioredis SOCKET KEY GROUP NAME PASSWORD OUT CRASH_AFTER
//   OUT           the bodies are appended to this file, a line each
//   CRASH_AFTER   so many entries were taken: ends by SIGKILL between storing and acknowledging; 0: ends when idle
"use strict";
const fs = require("node:fs");
const [library, socket, key, group, name, password, out, crashAfter] = process.argv.slice(2);
const BATCH = "100", IDLE_MS = "1000", BLOCK_MS = "500";

async function connect() {
	if (library === "redis") {
		const client = require("redis").createClient({ socket: { path: socket }, username: "siem", password, disableClientInfo: true });
		client.on("error", (error) => { console.error(error.message); process.exit(2); });
		await client.connect();
		return (...words) => client.sendCommand(words);
	}
	const Redis = require("ioredis");
	// Its check whether the server is ready wants INFO, which a consumer has no right to.
	const client = new Redis({ path: socket, username: "siem", password, enableReadyCheck: false, disableClientInfo: true });
	client.on("error", (error) => { console.error(error.message); process.exit(2); });
	return (...words) => client.call(...words);
}

let taken = 0;

async function take(ask, entries) {
	for (const [, fields] of entries)
		fs.appendFileSync(out, fields[fields.indexOf("body") + 1] + "\n");
	taken += entries.length;
	if (Number(crashAfter) && taken >= Number(crashAfter))
		process.kill(process.pid, "SIGKILL");
	if (entries.length)
		await ask("XACK", key, group, ...entries.map(([id]) => id));
}

async function main() {
	const ask = await connect();
	let from = "0-0";
	// First what a predecessor was given and left.
	do {
		const [next, entries] = await ask("XAUTOCLAIM", key, group, name, IDLE_MS, from, "COUNT", BATCH);
		await take(ask, entries);
		from = next;
	} while (from !== "0-0");
	for (;;) {
		const answer = await ask("XREADGROUP", "GROUP", group, name, "COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS", key, ">");
		if (!answer)
			process.exit(0);
		await take(ask, answer[0][1]);
	}
}

main().catch((error) => { console.error(error.message); process.exit(1); });
