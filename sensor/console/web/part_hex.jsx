// A message byte for byte: place, hex, and what of it is text.
import { ascii, hexLines } from './hex.js';

export function Hex({ hex, label }) {
	return (
		<div class="hex" role="group" aria-label={label} tabIndex={0}>
			{hexLines(hex).map(({ place, tokens: line }, i) => (
				<>
					<span class="at" aria-hidden="true" key={i}>
						{place}
					</span>
					<span>
						{line.map((token, k) => (
							<>
								{k > 0 && (k === 8 ? '  ' : ' ')}
								{token.length > 2 ? <mark>{token}</mark> : token}
							</>
						))}
					</span>
					<span class="ascii" aria-hidden="true">
						{line.map(ascii).join('')}
					</span>
				</>
			))}
		</div>
	);
}
