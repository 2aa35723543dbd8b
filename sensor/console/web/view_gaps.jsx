// What isn't known, what would fill it, and why that may not be asked.
import { useMemo, useState } from 'preact/hooks';
import { assetName } from './asset_words.js';
import { Tiles } from './part_figures.jsx';
import { Table } from './part_table.jsx';
import { Known, Risk, Verdict, Wire } from './part_words.jsx';
import { openAsset } from './route.js';
import { assets, gaps } from './store.js';
import { number, percent, plural, words } from './text.js';

const CELL = 90;
const VERDICTS = [
	['', 'Every verdict'],
	['proposed', 'Proposed: an analyst may sign'],
	['forbidden', 'Forbidden'],
	['none', 'No rule fills it'],
];

const nameOf = (gap) => {
	const asset = assets.value.byId.get(gap.asset);
	return asset ? assetName(asset) : gap.ip?.[0] || gap.asset;
};

const columns = [
	{
		key: 'asset',
		title: 'Asset',
		min: 150,
		grow: 2,
		sort: nameOf,
		cell: (g) => <Wire value={nameOf(g)} most={CELL} />,
	},
	{
		key: 'class',
		title: 'Class',
		min: 110,
		grow: 1,
		sort: (g) => g.class,
		cell: (g) => <Wire value={words(g.class) || 'unknown'} />,
	},
	{
		key: 'known',
		title: 'Known',
		min: 124,
		sort: (g) => g.completeness,
		cell: (g) => <Known share={g.completeness} />,
	},
	{ key: 'kind', title: 'Gap', min: 104, sort: (g) => g.kind, cell: (g) => words(g.kind) },
	{
		key: 'subject',
		title: 'Where',
		min: 130,
		grow: 1,
		mono: true,
		sort: (g) => g.subject,
		cell: (g) => <Wire value={g.subject} most={CELL} />,
	},
	{
		key: 'lacks',
		title: 'Lacks',
		min: 150,
		grow: 2,
		sort: (g) => g.lacks.join(),
		cell: (g) => g.lacks.map(words).join(', ') || '–',
	},
	{
		key: 'rule',
		title: 'Filled by',
		min: 120,
		grow: 1,
		mono: true,
		sort: (g) => g.rule,
		cell: (g) => <Wire value={g.rule ?? '–'} />,
	},
	{
		key: 'risk',
		title: 'Risk',
		min: 90,
		sort: (g) => ['low', 'medium', 'high', 'custom'].indexOf(g.risk),
		cell: (g) => <Risk risk={g.risk} />,
	},
	{ key: 'verdict', title: 'Verdict', min: 118, sort: (g) => g.verdict, cell: (g) => <Verdict verdict={g.verdict} /> },
	{ key: 'why', title: 'Why', min: 240, grow: 4, sort: (g) => g.why, cell: (g) => <Wire value={g.why} most={200} /> },
];

function Numbers({ list, all }) {
	const mean = all.length ? all.reduce((sum, asset) => sum + asset.completeness, 0) / all.length : NaN;
	const count = (verdict) => list.filter((gap) => gap.verdict === verdict).length;
	const tiles = [
		['Known of all assets', percent(mean), `of CISA's list, ${plural(all.length, 'asset')}`],
		['Assets without a gap', number(all.filter((asset) => !asset.gaps).length), ''],
		['Gaps', number(list.length), ''],
		['A probe could fill', number(count('proposed')), 'when signed'],
		['Forbidden', number(count('forbidden')), 'by rule or policy'],
		['Without a rule', number(count('none')), ''],
	];
	return <Tiles tiles={tiles} />;
}

function matches(gap, text) {
	const all = [nameOf(gap), ...(gap.ip ?? []), gap.class, gap.kind, gap.subject, gap.rule, gap.why, ...gap.lacks]
		.join('\n')
		.toLowerCase();
	return text.split(/\s+/).every((word) => all.includes(word));
}

export function Gaps() {
	const { list, loaded } = gaps.value;
	const all = useMemo(() => [...assets.value.byId.values()], [assets.value]);
	const [verdict, setVerdict] = useState('');
	const [text, setText] = useState('');
	const rows = useMemo(
		() => list.filter((gap) => (!verdict || gap.verdict === verdict) && (!text || matches(gap, text.toLowerCase()))),
		[list, verdict, text, all],
	);
	return (
		<>
			<header>
				<h1 tabIndex={-1}>Gaps</h1>
				<span class="note">What the picture should hold and doesn't</span>
				<div class="tools">
					<input
						type="search"
						aria-label="Filter gaps by any word"
						placeholder="Asset, attribute, rule…"
						value={text}
						onInput={(event) => setText(event.currentTarget.value)}
						data-test="table-filter"
					/>
					<select aria-label="Verdict" value={verdict} onChange={(event) => setVerdict(event.currentTarget.value)}>
						{VERDICTS.map(([value, name]) => (
							<option key={value} value={value}>
								{name}
							</option>
						))}
					</select>
				</div>
			</header>
			<div class="split">
				<Numbers list={list} all={all} />
				<Table
					label="Gaps"
					columns={columns}
					rows={rows}
					rowId={(gap) => `${gap.asset} ${gap.kind} ${gap.subject}`}
					onOpen={(gap) => openAsset(gap.asset)}
					order={{ key: 'verdict', descending: true }}
					empty={loaded ? 'No gap fits the filter.' : 'Asking the sensor…'}
				/>
			</div>
		</>
	);
}
