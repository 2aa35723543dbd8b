// Opens and seals key files beside the page: what a passphrase costs takes seconds, in which the page must not stand still.
import { openKeyFile, writeKeyFile } from './sign_key_file.js';

const WORK = {
	open: ({ file, passphrase }, progress) => openKeyFile(file, passphrase, progress),
	write: ({ seed, publicKey, passphrase }, progress) => writeKeyFile(seed, publicKey, passphrase, progress),
};

self.onmessage = async ({ data }) => {
	try {
		const result = await WORK[data.what](data, (share) => self.postMessage({ progress: share }));
		self.postMessage({ result });
	} catch (error) {
		self.postMessage({ error: error.message });
	}
};
