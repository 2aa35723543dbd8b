/* What the fleet's picture says, device by device, and as JSON. */
#include "sensor/fleet/parts.h"

#include <stdio.h>
#include <string.h>

size_t fleet_devices(const struct fleet *f)
{
	return f->matching.devices;
}

const struct witness *fleet_device(const struct fleet *f, size_t i)
{
	return f->matching.witness[f->matching.device[i]];
}

const struct witness *fleet_next(const struct fleet *f, const struct witness *w)
{
	uint32_t next = f->matching.next[w->index];

	return next == NOBODY ? NULL : f->matching.witness[next];
}

const struct witness *fleet_best(const struct fleet *f, const struct witness *first)
{
	const struct witness *best = first;

	for (const struct witness *w = first; w; w = fleet_next(f, w))
		if (w->completeness > best->completeness)
			best = w;
	return best;
}

const char *fleet_value(const struct fleet *f, const struct witness *first, enum witness_text which)
{
	const char *text = witness_text(fleet_best(f, first), which);

	for (const struct witness *w = first; w && !text[0]; w = fleet_next(f, w))
		text = witness_text(w, which);
	return text;
}

bool fleet_changed(const struct fleet *f, const struct witness *first)
{
	for (const struct witness *w = first; w; w = fleet_next(f, w))
		if (w->round == f->round)
			return true;
	return false;
}

size_t fleet_doubts(const struct fleet *f)
{
	return f->matching.doubts;
}

uint64_t fleet_doubts_not_kept(const struct fleet *f)
{
	return f->matching.doubts_not_kept;
}

const struct fleet_pair *fleet_doubt(const struct fleet *f, size_t i)
{
	return &f->matching.doubt[i];
}

void fleet_reason(const struct fleet_pair *p, char *text, size_t room)
{
	static const char *const words[BONDS] = {
		[BOND_SERIAL] = "serial number %s of one vendor and model", [BOND_MAC] = "MAC %s in one zone",
		[BOND_MAC_OF_TWO_ZONES] = "MAC %s in two zones", [BOND_IP] = "address %s in one zone",
	};
	const struct likeness *l = &p->likeness;
	int n;

	if (l->bond == BOND_ANALYST) {
		snprintf(text, room, "%s: %s", p->decision->who, p->decision->why);
		return;
	}
	if (l->bond == BOND_NONE) {
		snprintf(text, room, "both have %s, but %s", l->what, l->but);
		return;
	}
	n = snprintf(text, room, words[l->bond], l->what);
	if (l->evidence && n > 0 && (size_t)n < room)
		snprintf(text + n, room - (size_t)n, ", and %s", l->evidence);
}

/* What an edge remembers is enough to find the likeness again. */
static struct fleet_pair pair_of(const struct fleet *f, const struct edge *e)
{
	const struct matching *m = &f->matching;
	struct fleet_pair p = { m->witness[e->a], m->witness[e->b], { .bond = e->bond }, NULL };

	if (e->bond == BOND_ANALYST)
		p.decision = &f->decision[e->decision];
	else if (e->bond == BOND_SERIAL)
		p.likeness = identity_by_serial(p.a, p.b);
	else if (e->bond == BOND_IP)
		p.likeness = identity_by_ip(p.a, p.b, witness_shared(p.a, p.b, WITNESS_IP));
	else
		p.likeness = identity_by_mac(p.a, p.b, witness_shared(p.a, p.b, WITNESS_MAC), e->bond == BOND_MAC);
	p.likeness.bond = e->bond;
	return p;
}

static void set_text(json_t *to, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(to, key, json_string(text));
}

static json_t *name_of(const struct fleet *f, const struct witness *w)
{
	return json_sprintf("%s/%s", fleet_sensor_of(f, w)->name, w->id);
}

static json_t *list_of(const struct witness *w, enum witness_text list)
{
	json_t *array = json_array();

	for (const char *t = witness_text(w, list); *t; t = witness_next(t))
		json_array_append_new(array, json_string(t));
	return array;
}

/* Of all witnesses, each value once. */
static json_t *union_of(const struct fleet *f, const struct witness *first, enum witness_text list)
{
	json_t *array = json_array(), *seen = json_object();

	for (const struct witness *w = first; w; w = fleet_next(f, w))
		for (const char *t = witness_text(w, list); *t; t = witness_next(t)) {
			const char *value = list == WITNESS_SERIAL ? identity_serial_value(t) : t;

			if (json_object_get(seen, value))
				continue;
			json_object_set_new(seen, value, json_true());
			json_array_append_new(array, json_string(value));
		}
	json_decref(seen);
	return array;
}

static const struct {
	const char *key;
	enum witness_text which;
} facts[] = {
	{ "class", WITNESS_CLASS }, { "vendor", WITNESS_VENDOR }, { "product", WITNESS_PRODUCT }, { "order_code", WITNESS_ORDER_CODE },
	{ "firmware", WITNESS_FIRMWARE },
};

/* Both values are kept: the witnesses hold them, this names what to look at. */
static json_t *differences(const struct fleet *f, const struct witness *first)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		const char *one = fleet_value(f, first, facts[i].which);
		bool differ = false;

		for (const struct witness *w = first; w; w = fleet_next(f, w)) {
			const char *other = witness_text(w, facts[i].which);

			differ |= other[0] && strcasecmp(one, other) != 0;
		}
		if (differ)
			json_array_append_new(array, json_string(facts[i].key));
	}
	return array;
}

static json_t *witness_json(const struct fleet *f, const struct witness *w)
{
	json_t *object = json_pack("{s:s,s:s}", "sensor", fleet_sensor_of(f, w)->name, "id", w->id);

	set_text(object, "zone", witness_text(w, WITNESS_ZONE));
	json_object_set_new(object, "mac", list_of(w, WITNESS_MAC));
	json_object_set_new(object, "ip", list_of(w, WITNESS_IP));
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		set_text(object, facts[i].key, witness_text(w, facts[i].which));
	set_text(object, "first_seen", witness_text(w, WITNESS_FIRST_SEEN));
	set_text(object, "last_seen", witness_text(w, WITNESS_LAST_SEEN));
	return object;
}

static json_t *bonds_of(const struct fleet *f, const struct witness *first)
{
	static const char *const names[BONDS] = { "none", "analyst", "serial", "mac", "mac", "ip" };
	const struct matching *m = &f->matching;
	uint32_t root = first->index;
	json_t *array = json_array();

	while (m->root[root] != root)
		root = m->root[root];
	for (uint32_t at = m->edges_first[root]; at != NOBODY; at = m->edge[at].next) {
		struct fleet_pair p = pair_of(f, &m->edge[at]);
		char reason[1024];

		fleet_reason(&p, reason, sizeof reason);
		json_array_append_new(array, json_pack("{s:o,s:o,s:s,s:s}", "a", name_of(f, p.a), "b", name_of(f, p.b), "by",
						       names[p.likeness.bond], "reason", reason));
	}
	return array;
}

json_t *fleet_device_json(const struct fleet *f, const struct witness *first)
{
	json_t *device = json_pack("{s:o}", "id", name_of(f, first)), *witnesses = json_array(), *differ = differences(f, first);

	json_object_set_new(device, "mac", union_of(f, first, WITNESS_MAC));
	json_object_set_new(device, "ip", union_of(f, first, WITNESS_IP));
	json_object_set_new(device, "name", union_of(f, first, WITNESS_NAME));
	json_object_set_new(device, "serial", union_of(f, first, WITNESS_SERIAL));
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		set_text(device, facts[i].key, fleet_value(f, first, facts[i].which));
	if (json_array_size(differ))
		json_object_set(device, "differs", differ);
	json_decref(differ);
	for (const struct witness *w = first; w; w = fleet_next(f, w))
		json_array_append_new(witnesses, witness_json(f, w));
	json_object_set_new(device, "witnesses", witnesses);
	json_object_set_new(device, "merged", bonds_of(f, first));
	return device;
}

json_t *fleet_doubt_json(const struct fleet *f, const struct fleet_pair *p)
{
	char reason[1024];

	fleet_reason(p, reason, sizeof reason);
	return json_pack("{s:o,s:o,s:s}", "a", name_of(f, p->a), "b", name_of(f, p->b), "reason", reason);
}

json_t *fleet_decision_json(const struct fleet_decision *d)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "action", decision_action_name(d->action), "a", d->a, "b", d->b, "when", d->when, "who", d->who,
			 "why", d->why);
}

json_t *fleet_sensor_json(const struct fleet_sensor *s)
{
	json_t *object = json_pack("{s:s,s:s,s:s,s:b,s:f,s:I,s:I,s:I,s:s,s:I,s:I,s:I,s:I}", "name", s->name, "zone", s->zone, "version", s->version,
				   "stale", fleet_sensor_stale(s), "heard_s_ago", (double)(s->read_ms - s->heard_ms) / 1000,
				   "uptime_s", (json_int_t)s->uptime_s, "assets", (json_int_t)s->witnesses, "alone", (json_int_t)s->alone,
				   "redis", s->redis_state, "lag_entries", (json_int_t)s->lag_entries, "lag_ms", (json_int_t)s->lag_ms, "drops",
				   (json_int_t)s->drops, "lost", (json_int_t)s->lost);

	if (s->trouble[0])
		json_object_set_new(object, "trouble", json_string(s->trouble));
	return object;
}
