/* What was heard of a target that a rule's holes ask for: units, slots, stations, whose master it answers. */
#include "sensor/hub/proposal.h"

#include "active/ruleset/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 96 };

enum form {
	FORM_WHOLE,  /* as it stands */
	FORM_FIRST,  /* the number before the first dot */
	FORM_SECOND, /* ... after it */
	FORM_HEX,    /* hex of a number */
	FORM_KNX,    /* area.line.device as one number */
};

/*
 * Paths are PROTOCOL/PORT/KEY:VALUE[/KEY:VALUE...]. A hole that is named like a key takes its value; these are
 * the ones whose rule and path call the same thing by different names.
 */
static const struct alias {
	const char *protocol, *hole, *key;
	enum form form;
} aliases[] = {
	{ "dnp3", "outstation", "address", FORM_WHOLE },    { "bacnet", "network", "net", FORM_WHOLE },
	{ "bacnet", "station", "mac", FORM_HEX },           { "fins", "network", "node", FORM_FIRST },
	{ "fins", "node", "node", FORM_SECOND },            { "melsec_slmp", "network", "station", FORM_FIRST },
	{ "melsec_slmp", "station", "station", FORM_SECOND }, { "iec104", "station", "ca", FORM_WHOLE },
	{ "ads", "target", "netid", FORM_WHOLE },           { "c12_22", "called", "title", FORM_WHOLE },
	{ "knxnet_ip", "device", "device", FORM_KNX },
};

/* Holes that are attributes of the device, in that protocol. */
static const struct told {
	const char *protocol, *hole; /* NULL: any protocol */
	enum attribute attribute;
	bool of_client;              /* of who asks the target */
} tolds[] = {
	{ "dnp3", "outstation", ATTR_NETWORK_ADDRESS, false }, { "dnp3", "master", ATTR_NETWORK_ADDRESS, true },
	{ "c37_118", "stream", ATTR_NETWORK_ADDRESS, false },  { NULL, "vendor_id", ATTR_VENDOR_ID, false },
	{ NULL, "device_id", ATTR_DEVICE_ID, false },
};

struct listing {
	const struct subject *s;
	const struct gap *g;
	struct plan_value *values;
	size_t count, room;
};

static void add(struct listing *l, const char *hole, const char *text)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->values[i].hole, hole) == 0 && strcmp(l->values[i].text, text) == 0)
			return;
	if (l->count == l->room || !text[0])
		return;
	l->values[l->count].hole = hole;
	l->values[l->count].text = strdup(text);
	l->count += l->values[l->count].text != NULL;
}

static void shape(char out[TEXT_BYTES], const char *value, size_t len, enum form form)
{
	const char *dot = memchr(value, '.', len);
	unsigned area, line, device;
	char text[TEXT_BYTES];

	snprintf(text, sizeof text, "%.*s", (int)len, value);
	out[0] = '\0';
	if (form == FORM_WHOLE)
		snprintf(out, TEXT_BYTES, "%s", text);
	else if (form == FORM_HEX)
		snprintf(out, TEXT_BYTES, "0x%.90s", text);
	else if (form == FORM_KNX && sscanf(text, "%2u.%2u.%3u", &area, &line, &device) == 3 && area < 16 && line < 16 && device < 256)
		snprintf(out, TEXT_BYTES, "%u", area << 12 | line << 8 | device);
	else if (form == FORM_FIRST && dot)
		snprintf(out, TEXT_BYTES, "%.*s", (int)(dot - value), value);
	else if (form == FORM_SECOND && dot)
		snprintf(out, TEXT_BYTES, "%.*s", (int)(len - (size_t)(dot + 1 - value)), dot + 1);
}

/* Stations are asked on one network at a time, the first that was heard: a number means another one elsewhere. */
static bool on_first_network(const struct listing *l, const struct alias *station, const char *value, size_t len)
{
	char network[TEXT_BYTES];

	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
		const struct alias *a = &aliases[i];

		if (a->form != FORM_FIRST || strcmp(a->protocol, station->protocol) != 0 || strcmp(a->key, station->key) != 0)
			continue;
		shape(network, value, len, FORM_FIRST);
		for (size_t n = 0; n < l->count; n++)
			if (strcmp(l->values[n].hole, a->hole) == 0)
				return strcmp(l->values[n].text, network) == 0;
	}
	return true;
}

static void add_key(struct listing *l, const char *hole, const char *key, size_t key_len, const char *value, size_t len)
{
	char text[TEXT_BYTES];

	if (strlen(hole) == key_len && memcmp(hole, key, key_len) == 0 && strcmp(l->g->rule->protocol, "knxnet_ip") != 0) {
		bool aliased = false;

		for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
			aliased |= strcmp(aliases[i].protocol, l->g->rule->protocol) == 0 && strcmp(aliases[i].hole, hole) == 0;
		if (!aliased) {
			shape(text, value, len, FORM_WHOLE);
			add(l, hole, text);
		}
	}
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (strcmp(aliases[i].protocol, l->g->rule->protocol) == 0 && strcmp(aliases[i].hole, hole) == 0 &&
		    strlen(aliases[i].key) == key_len && memcmp(aliases[i].key, key, key_len) == 0 &&
		    (aliases[i].form != FORM_SECOND || on_first_network(l, &aliases[i], value, len))) {
			shape(text, value, len, aliases[i].form);
			add(l, hole, text);
		}
}

/* Sub-assets behind the port that is asked. */
static void add_paths(struct listing *l, const char *hole)
{
	char begin[FINDING_PATH_BYTES];
	int n = snprintf(begin, sizeof begin, "%s/%u/", l->g->protocol, l->g->port);

	for (size_t i = 0; i < l->s->view->subasset_count; i++) {
		const char *at = l->s->view->subassets[i].path;

		if (strncmp(at, begin, (size_t)n) != 0)
			continue;
		for (at += n; *at;) {
			size_t len = strcspn(at, "/"), key = strcspn(at, ":");

			if (key < len)
				add_key(l, hole, at, key, at + key + 1, len - key - 1);
			at += len + (at[len] == '/');
		}
	}
}

/* Told in the protocol itself, or in one that the rule takes for it: PROFINET's names are heard on layer 2. */
static bool told_in(const struct listing *l, const char *protocol)
{
	for (size_t i = 0; i < l->g->rule->seen_count; i++)
		if (strcmp(l->g->rule->seen[i], protocol) == 0)
			return true;
	return strcmp(l->g->protocol, protocol) == 0;
}

static void add_attributes(struct listing *l, const char *hole, const struct node *n, enum attribute a)
{
	const struct attribute_item *item = n->attributes.items;

	for (unsigned i = 0; i < n->attributes.count; i++)
		if (item[i].attribute == a && told_in(l, item[i].protocol))
			add(l, hole, item[i].value);
}

/* Those who talk to the target at that port. */
static void add_clients(struct listing *l, const char *hole, enum attribute a)
{
	const struct picture *p = l->s->picture;

	for (uint32_t i = 0; i < p->node_count; i++) {
		const struct node *n = p->nodes[i];
		const struct talk_item *t = n->talks.items;

		for (unsigned k = 0; k < n->talks.count; k++)
			if (!t[k].visits && t[k].port == l->g->port && t[k].transport == l->g->transport && t[k].family == l->g->target->family &&
			    memcmp(t[k].peer, l->g->target->address, sizeof t[k].peer) == 0 &&
			    memcmp(n->vlan, l->g->target->vlan, sizeof n->vlan) == 0)
				add_attributes(l, hole, n, a);
	}
}

static void add_tolds(struct listing *l, const char *hole)
{
	for (size_t i = 0; i < sizeof tolds / sizeof *tolds; i++) {
		const struct told *t = &tolds[i];

		if (strcmp(t->hole, hole) != 0 || (t->protocol && strcmp(t->protocol, l->g->rule->protocol) != 0))
			continue;
		if (t->of_client)
			add_clients(l, hole, t->attribute);
		else
			for (const struct node *n = l->s->view->asset->nodes; n; n = n->next)
				add_attributes(l, hole, n, t->attribute);
	}
}

size_t proposal_heard(const struct subject *s, const struct gap *g, struct plan_value *values, size_t room)
{
	struct listing l = { s, g, values, 0, room };

	for (size_t i = 0; i < g->rule->holes_count; i++) {
		const struct hole *h = &g->rule->holes[i];

		if (h->source != HOLE_SEEN && h->source != HOLE_ORDER)
			continue;
		add_paths(&l, h->name);
		add_tolds(&l, h->name);
	}
	return l.count;
}

void proposal_heard_free(struct plan_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)values[i].text);
}
