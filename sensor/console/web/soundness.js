// Whether a proposal may be signed here: its bytes are made into their hash anew and held against what is signed.
import { planDigest } from './sign_text.js';

// {digest, same, why}: the hash of the bytes shown, whether it is the one in the text to sign, and why not to sign ('' when sound).
export async function soundness(document) {
	const p = document.ot.proposal;
	const { text, messages } = p;
	let digest;
	if (p.messages_not_listed)
		return {
			digest: '',
			same: false,
			why: 'not all messages are shown; `askance approve` on your machine makes all of them from your rules',
		};
	try {
		digest = await planDigest(text.rule, messages);
	} catch (error) {
		return { digest: '', same: false, why: `the bytes can't be checked: ${error.message}` };
	}
	const same = digest === text.plan_sha256;
	if (!same)
		return {
			digest,
			same,
			why: 'the bytes shown are not those that the signature would be for; tell the sensor’s owner',
		};
	if (p.rule !== text.rule) return { digest, same, why: 'the proposal names another rule than the text to sign' };
	return { digest, same, why: '' };
}
