// A table of any length: only the rows in sight are in the page. Sorted by its heads, walked with the arrow keys.
//
// columns: [{key, title, min, grow, end, mono, sort(row), cell(row)}]; widths in pixels and shares of the rest.
import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { plural } from './text.js';

const ROW_PX = 32;
const OVERSCAN = 8;
const PAGE_ROWS = 12;

function useWindow(scroller, count) {
	const [, again] = useReducer((n) => n + 1, 0);
	const options = {
		count,
		getScrollElement: () => scroller.current,
		estimateSize: () => ROW_PX,
		overscan: OVERSCAN,
		scrollPaddingStart: ROW_PX,
		observeElementRect,
		observeElementOffset,
		scrollToFn: elementScroll,
		onChange: () => again(),
	};
	const [virtual] = useState(() => new Virtualizer(options));
	virtual.setOptions({ ...virtual.options, ...options });
	useLayoutEffect(() => virtual._didMount(), [virtual]);
	useLayoutEffect(() => virtual._willUpdate());
	return virtual;
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a, b) {
	if (typeof a === 'number' && typeof b === 'number') return a - b;
	return collator.compare(String(a ?? ''), String(b ?? ''));
}

function sorted(rows, column, descending) {
	if (!column) return rows;
	const keyed = rows.map((row) => ({ row, key: column.sort(row) }));
	keyed.sort((a, b) => (descending ? compare(b.key, a.key) : compare(a.key, b.key)));
	return keyed.map(({ row }) => row);
}

function Head({ columns, template, order, onOrder }) {
	return (
		<div role="rowgroup" class="table-headgroup">
			<div role="row" aria-rowindex={1} class="table-head" style={{ gridTemplateColumns: template }}>
				{columns.map((column, i) => {
					const here = order.key === column.key;
					const way = here ? (order.descending ? 'descending' : 'ascending') : undefined;
					return (
						<div role="columnheader" aria-colindex={i + 1} aria-sort={way} data-end={column.end} key={column.key}>
							<button type="button" onClick={() => onOrder(column.key)}>
								<span>{column.title}</span>
								<span class="arrow" aria-hidden="true">
									{here ? (order.descending ? '▾' : '▴') : ''}
								</span>
							</button>
						</div>
					);
				})}
			</div>
		</div>
	);
}

function Row({ row, index, top, columns, template, active, selected, onOpen, onFocus }) {
	return (
		<div
			role="row"
			class="table-row"
			aria-rowindex={index + 2}
			aria-selected={selected}
			tabIndex={active ? 0 : -1}
			data-index={index}
			style={{ gridTemplateColumns: template, transform: `translateY(${top}px)` }}
			onClick={() => onOpen(row)}
			onFocus={() => onFocus(index)}
		>
			{columns.map((column, i) => (
				<span
					role="gridcell"
					aria-colindex={i + 1}
					key={column.key}
					data-end={column.end}
					class={column.mono ? 'mono' : undefined}
				>
					{column.cell(row)}
				</span>
			))}
		</div>
	);
}

function nextIndex(key, index, count) {
	const to = {
		ArrowDown: index + 1,
		ArrowUp: index - 1,
		PageDown: index + PAGE_ROWS,
		PageUp: index - PAGE_ROWS,
		Home: 0,
		End: count - 1,
	}[key];
	return to === undefined ? -1 : Math.max(0, Math.min(count - 1, to));
}

export function Table({ label, columns, rows, rowId, selected, onOpen, order: first, empty }) {
	const scroller = useRef(null);
	const wanted = useRef(-1); // row that gets the focus once it is in the page
	const [order, setOrder] = useState(first ?? { key: '', descending: false });
	const [active, setActive] = useState(0);
	const shown = useMemo(
		() =>
			sorted(
				rows,
				columns.find((c) => c.key === order.key),
				order.descending,
			),
		[rows, columns, order],
	);
	const virtual = useWindow(scroller, shown.length);
	const template = columns.map((c) => (c.grow ? `minmax(${c.min}px, ${c.grow}fr)` : `${c.min}px`)).join(' ');
	const least = columns.reduce((sum, c) => sum + c.min, 0);
	const focusable = Math.min(active, shown.length - 1);
	const items = virtual.getVirtualItems();
	const inSight = items.some((item) => item.index === focusable);

	const choose = (key) => setOrder((o) => ({ key, descending: o.key === key && !o.descending }));
	useEffect(() => {
		const row = wanted.current >= 0 && scroller.current?.querySelector(`[data-index="${wanted.current}"]`);
		if (!row) return;
		wanted.current = -1;
		row.focus({ preventScroll: true });
	});
	const walk = (event) => {
		if (!event.target.matches('[role=row]')) return;
		if (event.key === 'Enter' || event.key === ' ') {
			event.preventDefault();
			onOpen(shown[focusable]);
			return;
		}
		const to = nextIndex(event.key, focusable, shown.length);
		if (to < 0) return;
		event.preventDefault();
		wanted.current = to;
		setActive(to);
		virtual.scrollToIndex(to);
	};
	return (
		<div class="table">
			<span class="unseen" role="status">
				{plural(shown.length, 'row')}
			</span>
			<div class="table-scroll" ref={scroller}>
				<div
					class="table-inner"
					style={{ minWidth: `${least}px` }}
					role="grid"
					aria-label={label}
					aria-rowcount={shown.length + 1}
					aria-colcount={columns.length}
					onKeyDown={walk}
				>
					<Head columns={columns} template={template} order={order} onOrder={choose} />
					<div role="rowgroup" class="table-body" style={{ height: `${virtual.getTotalSize()}px` }}>
						{items.map((item, i) => (
							<Row
								key={rowId(shown[item.index])}
								row={shown[item.index]}
								index={item.index}
								top={item.start}
								columns={columns}
								template={template}
								active={inSight ? item.index === focusable : i === 0}
								selected={rowId(shown[item.index]) === selected}
								onOpen={onOpen}
								onFocus={setActive}
							/>
						))}
					</div>
				</div>
				{shown.length === 0 && <p class="table-empty">{empty}</p>}
			</div>
		</div>
	);
}
