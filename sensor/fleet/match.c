/*
 * Makes devices of witnesses: unions of pairs that identity.c finds alike, the surest bonds first. Pairs are
 * looked for among those that share a key (a serial, a MAC, an address of one zone), so that the work grows
 * with the fleet and not with its square.
 */
#include "sensor/fleet/parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_BACK = 48,     /* of those with one key, so many earlier ones are compared with each */
	SAME_SENSOR = 4,    /* a serial that one sensor finds at more assets is no serial */
};

struct key {
	uint64_t hash;
	uint32_t witness;
	enum bond by;       /* BOND_SERIAL, BOND_MAC or BOND_IP */
	const char *text;
};

struct keys {
	struct key *items;
	size_t count;
};

static uint64_t hash_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint64_t)(unsigned char)tolower((unsigned char)*text)) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Who configured no zone gave it no name either: "default" of two sensors are two. */
static bool is_unnamed(const char *zone)
{
	return strncmp(zone, "default", 7) == 0 && (zone[7] == 0 || zone[7] == '/');
}

static bool same_zone(const struct witness *a, const struct witness *b)
{
	const char *zone = witness_text(a, WITNESS_ZONE);

	return strcmp(zone, witness_text(b, WITNESS_ZONE)) == 0 && zone[0] && (a->sensor == b->sensor || !is_unnamed(zone));
}

static uint64_t hash_zone(const struct witness *w)
{
	const char *zone = witness_text(w, WITNESS_ZONE);

	return hash_text(is_unnamed(zone) ? w->sensor : UINT64_C(0xcbf29ce484222325), zone);
}

static void add_key(struct keys *k, const struct witness *w, enum bond by, uint64_t seed, const char *text)
{
	if (k->items)
		k->items[k->count] = (struct key){ hash_text(seed, text), w->index, by, text };
	k->count++;
}

/* Counts when k->items is NULL. */
static void add_keys(struct keys *k, const struct witness *w)
{
	for (const char *t = witness_text(w, WITNESS_SERIAL); *t; t = witness_next(t))
		if (identity_is_serial(identity_serial_value(t)))
			add_key(k, w, BOND_SERIAL, 1, identity_serial_value(t));
	for (const char *t = witness_text(w, WITNESS_MAC); *t; t = witness_next(t))
		if (identity_is_mac(t))
			add_key(k, w, BOND_MAC, 2, t);
	for (const char *t = witness_text(w, WITNESS_IP); *t; t = witness_next(t))
		add_key(k, w, BOND_IP, hash_zone(w), t);
}

static int order_keys(const void *x, const void *y)
{
	const struct key *a = x, *b = y;

	if (a->by != b->by)
		return a->by < b->by ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->witness < b->witness ? -1 : a->witness > b->witness;
}

static int gather_keys(const struct matching *m, struct keys *k)
{
	*k = (struct keys){ .items = NULL };
	for (size_t i = 0; i < m->count; i++)
		add_keys(k, m->witness[i]);
	k->items = malloc((k->count + 1) * sizeof *k->items);
	if (!k->items)
		return -1;
	k->count = 0;
	for (size_t i = 0; i < m->count; i++)
		add_keys(k, m->witness[i]);
	qsort(k->items, k->count, sizeof *k->items, order_keys);
	return 0;
}

static uint32_t find(struct matching *m, uint32_t i)
{
	while (m->root[i] != i)
		i = m->root[i] = m->root[m->root[i]];
	return i;
}

static const struct witness *named(struct fleet *f, const char *name)
{
	const char *slash = strchr(name, '/');
	struct member *m = fleet_member(f, name, (size_t)(slash - name), false);
	struct witness *w = NULL;

	if (m)
		HASH_FIND_STR(m->witnesses, slash + 1, w);
	return w;
}

/* Whether an analyst wants a witness of one kept apart from a witness of the other. */
static bool kept_apart(struct fleet *f, uint32_t a, uint32_t b)
{
	struct matching *m = &f->matching;

	if (!m->split[a] || !m->split[b])
		return false;
	for (size_t i = 0; i < f->decisions; i++) {
		const struct fleet_decision *d = &f->decision[i];
		const struct witness *x = d->action == DECISION_SPLIT ? named(f, d->a) : NULL, *y = x ? named(f, d->b) : NULL;

		if (y && ((find(m, x->index) == a && find(m, y->index) == b) || (find(m, x->index) == b && find(m, y->index) == a)))
			return true;
	}
	return false;
}

static void doubt(struct matching *m, const struct witness *a, const struct witness *b, struct likeness l)
{
	if (m->doubts < FLEET_DOUBTS)
		m->doubt[m->doubts++] = (struct fleet_pair){ a, b, l, NULL };
	else
		m->doubts_not_kept++;
}

static void join(struct matching *m, uint32_t a, uint32_t b, struct edge edge)
{
	uint32_t at = (uint32_t)m->edges++;

	if (m->size[a] < m->size[b]) {
		uint32_t t = a;

		a = b;
		b = t;
	}
	edge.next = m->edges_first[b];
	m->edge[at] = edge;
	if (m->edges_first[a] == NOBODY)
		m->edges_first[a] = at;
	else
		m->edge[m->edges_last[a]].next = at;
	m->edges_last[a] = m->edges_first[b] == NOBODY ? at : m->edges_last[b];
	m->next[m->last[a]] = b;
	m->last[a] = m->last[b];
	m->size[a] += m->size[b];
	m->root[b] = a;
	m->split[a] |= m->split[b];
	if (m->serial_of[a] == NOBODY)
		m->serial_of[a] = m->serial_of[b];
}

/* Joins the devices of two witnesses that are alike, unless something speaks against it. */
static void unite(struct fleet *f, const struct witness *x, const struct witness *y, struct likeness l, uint32_t decision)
{
	struct matching *m = &f->matching;
	uint32_t a = find(m, x->index), b = find(m, y->index);

	if (a == b)
		return;
	if (kept_apart(f, a, b))
		return;
	if (l.bond != BOND_ANALYST && m->serial_of[a] != NOBODY && m->serial_of[b] != NOBODY &&
	    identity_contradicts(m->witness[m->serial_of[a]], m->witness[m->serial_of[b]])) {
		l.bond = BOND_NONE;
		l.but = "the serial numbers of their devices differ";
		doubt(m, x, y, l);
		return;
	}
	join(m, a, b, (struct edge){ x->index, y->index, NOBODY, l.bond, decision });
}

static void apply_decisions(struct fleet *f)
{
	struct matching *m = &f->matching;

	for (size_t i = 0; i < f->decisions; i++) {
		const struct fleet_decision *d = &f->decision[i];
		const struct witness *x = d->action == DECISION_SPLIT ? named(f, d->a) : NULL, *y = x ? named(f, d->b) : NULL;

		if (y)
			m->split[x->index] = m->split[y->index] = true;
	}
	for (size_t i = 0; i < f->decisions; i++) {
		const struct fleet_decision *d = &f->decision[i];
		const struct witness *x = d->action == DECISION_MERGE ? named(f, d->a) : NULL, *y = x ? named(f, d->b) : NULL;

		if (y)
			unite(f, x, y, (struct likeness){ .bond = BOND_ANALYST }, (uint32_t)i);
	}
}

static struct likeness compare(const struct witness *a, const struct witness *b, const struct key *k)
{
	if (k->by == BOND_SERIAL)
		return identity_by_serial(a, b);
	if (k->by == BOND_MAC)
		return identity_by_mac(a, b, k->text, same_zone(a, b));
	return same_zone(a, b) ? identity_by_ip(a, b, k->text) : (struct likeness){ .what = NULL };
}

/* Keys [from, to) are alike. A router's MAC identifies nobody, whoever found out that it is one. */
static bool is_identity(const struct matching *m, const struct key *keys, size_t from, size_t to)
{
	unsigned together = 0;

	for (size_t i = from; i < to; i++) {
		const struct witness *w = m->witness[keys[i].witness];

		if (keys[i].by == BOND_MAC && w->forwards)
			return false;
		/* Witnesses are in the order of their sensors. */
		together = i > from && m->witness[keys[i - 1].witness]->sensor == w->sensor ? together + 1 : 1;
		if (keys[i].by == BOND_SERIAL && together > SAME_SENSOR)
			return false;
	}
	return true;
}

static void match_alike(struct fleet *f, const struct key *keys, size_t from, size_t to)
{
	struct matching *m = &f->matching;

	if (!is_identity(m, keys, from, to)) {
		for (size_t i = from; i < to && keys[i].by == BOND_SERIAL; i++)
			m->witness[keys[i].witness]->common_serial = true;
		return;
	}
	for (size_t i = from + 1; i < to; i++) {
		const struct witness *a = m->witness[keys[i].witness];
		size_t least = i - from > LOOK_BACK ? i - LOOK_BACK : from;

		for (size_t k = i; k-- > least;) {
			const struct witness *b = m->witness[keys[k].witness];
			struct likeness l;

			if (a == b || find(m, a->index) == find(m, b->index) || strcasecmp(keys[i].text, keys[k].text) != 0)
				continue;
			l = compare(b, a, &keys[k]);
			if (l.bond)
				unite(f, b, a, l, 0);
			else if (l.what && l.but)
				doubt(m, b, a, l);
		}
	}
}

static void match_keys(struct fleet *f, const struct keys *k)
{
	for (size_t from = 0, to; from < k->count; from = to) {
		for (to = from + 1; to < k->count && k->items[to].by == k->items[from].by && k->items[to].hash == k->items[from].hash;)
			to++;
		match_alike(f, k->items, from, to);
	}
}

/* A pair that is in doubt by its address may have become one by its serial meanwhile; and a pair is told once. */
static void settle_doubts(struct matching *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->doubts; i++) {
		struct fleet_pair *p = &m->doubt[i];
		bool told = find(m, p->a->index) == find(m, p->b->index);

		for (size_t k = 0; k < kept && !told; k++)
			told = m->doubt[k].a == p->a && m->doubt[k].b == p->b;
		if (!told)
			m->doubt[kept++] = *p;
	}
	m->doubts = kept;
}

static int by_sensor_and_id(const void *x, const void *y)
{
	const struct witness *a = *(struct witness *const *)x, *b = *(struct witness *const *)y;

	if (a->sensor != b->sensor)
		return a->sensor < b->sensor ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int by_index(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* The witnesses of each device in their order, and the devices in that of their first ones. */
static int list_devices(struct fleet *f)
{
	struct matching *m = &f->matching;
	uint32_t *of = malloc((m->count + 1) * sizeof *of);

	if (!of)
		return -1;
	for (uint32_t i = 0; i < m->count; i++) {
		size_t n = 0;

		if (m->root[i] != i)
			continue;
		for (uint32_t w = i; w != NOBODY; w = m->next[w])
			of[n++] = w;
		qsort(of, n, sizeof *of, by_index);
		for (size_t k = 0; k < n; k++)
			m->next[of[k]] = k + 1 < n ? of[k + 1] : NOBODY;
		m->device[m->devices++] = of[0];
		if (n == 1)
			f->member[m->witness[i]->sensor]->sensor.alone++;
	}
	qsort(m->device, m->devices, sizeof *m->device, by_index);
	free(of);
	return 0;
}

static bool make_arrays(struct matching *m, size_t count)
{
	uint32_t **arrays[] = { &m->root, &m->next, &m->last, &m->size, &m->serial_of, &m->edges_first, &m->edges_last, &m->device };
	bool made = true;

	m->witness = malloc((count + 1) * sizeof *m->witness);
	m->edge = malloc((count + 1) * sizeof *m->edge);
	m->split = calloc(count + 1, sizeof *m->split);
	for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
		*arrays[i] = malloc((count + 1) * sizeof **arrays[i]);
		made = made && *arrays[i];
	}
	return made && m->witness && m->edge && m->split;
}

void matching_clear(struct matching *m)
{
	uint32_t *arrays[] = { m->root, m->next, m->last, m->size, m->serial_of, m->edges_first, m->edges_last, m->device };

	for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
		free(arrays[i]);
	free(m->witness);
	free(m->edge);
	free(m->split);
	memset(m, 0, sizeof *m);
}

static void list_witnesses(struct fleet *f)
{
	struct matching *m = &f->matching;

	for (size_t i = 0; i < f->members; i++) {
		struct witness *w, *next;

		f->member[i]->sensor.alone = 0;
		f->member[i]->sensor.witnesses = HASH_COUNT(f->member[i]->witnesses);
		HASH_ITER(hh, f->member[i]->witnesses, w, next) {
			w->sensor = (uint32_t)i;
			m->witness[m->count++] = w;
		}
	}
	qsort(m->witness, m->count, sizeof(struct witness *), by_sensor_and_id);
	for (uint32_t i = 0; i < m->count; i++) {
		m->witness[i]->common_serial = false;
		m->witness[i]->index = m->root[i] = m->last[i] = i;
		m->next[i] = m->edges_first[i] = m->edges_last[i] = NOBODY;
		m->size[i] = 1;
		m->serial_of[i] = *witness_text(m->witness[i], WITNESS_SERIAL) ? i : NOBODY;
	}
}

int fleet_match(struct fleet *f)
{
	struct keys k = { .items = NULL };
	int result = -1;

	matching_clear(&f->matching);
	if (make_arrays(&f->matching, f->held)) {
		list_witnesses(f);
		result = gather_keys(&f->matching, &k);
	}
	if (result == 0) {
		apply_decisions(f);
		match_keys(f, &k);
		settle_doubts(&f->matching);
		result = list_devices(f);
	}
	free(k.items);
	if (result < 0)
		matching_clear(&f->matching);
	return result;
}
