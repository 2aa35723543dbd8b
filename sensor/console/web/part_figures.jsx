// Figures: tiles of one each, tables of a few lines, counters that should stay at nought.
import { Chip } from './part_words.jsx';
import { number } from './text.js';

// Each tile is [name, value, what more there is to say of it]; the children are tiles of another make.
export function Tiles({ tiles, wide, children }) {
	return (
		<dl class={wide ? 'tiles wide' : 'tiles'}>
			{tiles.map(([name, value, more]) => (
				<div class="tile" key={name}>
					<dt>{name}</dt>
					<dd>
						{value} <small>{more}</small>
					</dd>
				</div>
			))}
			{children}
		</dl>
	);
}

// A table that is read as a whole; its rows are the children.
export function Lines({ heads, children }) {
	return (
		<table class="lines">
			{heads && (
				<thead>
					<tr>
						{heads.map((head) => (
							<th key={head}>{head}</th>
						))}
					</tr>
				</thead>
			)}
			<tbody>{children}</tbody>
		</table>
	);
}

export function Trouble({ count, tone = 'warn', none = '0' }) {
	return count ? (
		<Chip tone={tone} mark="!">
			{number(count)}
		</Chip>
	) : (
		none
	);
}
