// A null between two points that are further apart than `most` seconds, so that a plot's line breaks there.
export function withGaps(times, rows, most) {
	const at = [];
	const series = rows.map(() => []);
	times.forEach((time, i) => {
		if (i > 0 && time - times[i - 1] > most) {
			at.push((times[i - 1] + time) / 2);
			series.forEach((one) => one.push(null));
		}
		at.push(time);
		series.forEach((one, k) => one.push(rows[k][i] ?? null));
	});
	return [at, ...series];
}
