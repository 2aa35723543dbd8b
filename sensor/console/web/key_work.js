// Work on key files, done by the worker. A worker does one thing and ends: its memory goes with it.

function inWorker(order, progress) {
	return new Promise((resolve, reject) => {
		const worker = new Worker('sign_key_worker.js', { type: 'module' });
		const end = (settle, value) => {
			worker.terminate();
			settle(value);
		};
		worker.onerror = () => end(reject, new Error('the browser could not do it; it needs 256 MiB of memory'));
		worker.onmessage = ({ data }) => {
			if (data.progress !== undefined) progress(data.progress);
			else if (data.error !== undefined) end(reject, new Error(data.error));
			else end(resolve, data.result);
		};
		worker.postMessage(order);
	});
}

// As openKeyFile() and writeKeyFile() of sign_key_file.js.
export const openFile = (file, passphrase, progress) => inWorker({ what: 'open', file, passphrase }, progress);
export const writeFile = (seed, publicKey, passphrase, progress) =>
	inWorker({ what: 'write', seed, publicKey, passphrase }, progress);
