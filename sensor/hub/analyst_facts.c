/* Checks what analysts state, keeps it, and hangs it on the nodes of the picture. */
#include "sensor/hub/analyst_facts.h"

#include "classifiers/host/device_class.h"
#include "sensor/common/log.h"
#include "sensor/common/time_range.h"
#include "sensor/hub/address.h"
#include "sensor/hub/binding.h"
#include "sensor/hub/view.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATED_CONFIDENCE = 100 };

bool analyst_may_set(enum attribute a)
{
	switch (a) {
	case ATTR_VENDOR:
	case ATTR_PRODUCT:
	case ATTR_ORDER_CODE:
	case ATTR_FIRMWARE:
	case ATTR_HARDWARE:
	case ATTR_SERIAL:
	case ATTR_SOFTWARE:
	case ATTR_OS:
	case ATTR_NAME:
	case ATTR_HOSTNAME:
	case ATTR_LOCATION:
	case ATTR_CONTACT:
	case ATTR_DESCRIPTION:
	case ATTR_ROLE:
	case ATTR_DEVICE_CLASS:
		return true;
	default:
		return false;
	}
}

/* Facts of one asset */

static bool is_standing(enum command_type t)
{
	return t == COMMAND_ACCEPT || t == COMMAND_IGNORE;
}

/* Two facts of one kind about one thing: the newer takes the place of the older. */
static bool replaces(const struct command *c, const struct fact_item *old)
{
	if (is_standing((enum command_type)c->type))
		return is_standing((enum command_type)old->kind);
	return c->type == COMMAND_SET && old->kind == COMMAND_SET && old->value.attribute == attribute_of_name(c->attribute) &&
	       strcmp(old->value.path, c->path) == 0;
}

static const struct fact_item *find_replaced(const struct asset *a, const struct command *c, struct node **owner)
{
	for (struct node *n = a->nodes; n; n = n->next) {
		const struct fact_item *f = n->facts.items;

		for (unsigned i = 0; i < n->facts.count; i++)
			if (replaces(c, &f[i])) {
				*owner = n;
				return &f[i];
			}
	}
	return NULL;
}

static struct fact_item *find_fact(const struct picture *p, int64_t number, struct node **owner)
{
	for (uint32_t k = 0; k < p->node_count; k++) {
		struct fact_item *f = p->nodes[k]->facts.items;

		for (unsigned i = 0; i < p->nodes[k]->facts.count; i++)
			if (f[i].number == number) {
				*owner = p->nodes[k];
				return &f[i];
			}
	}
	return NULL;
}

/* The picture */

static bool is_class(const char *word)
{
	const char *known;

	for (unsigned i = 0; (known = device_class_name(i)); i++)
		if (strcmp(known, word) == 0)
			return true;
	return false;
}

static const char *kept(struct picture *p, const char *text)
{
	const char *copy = text[0] ? texts_keep(&p->texts, text) : p->nothing;

	return copy ? copy : p->nothing;
}

static bool add_fact(struct picture *p, struct node *n, const struct fact_item *stated)
{
	struct fact_item *f;

	if (stated->kind == COMMAND_MERGE && !binding_tie(p, n, stated->other))
		return false;
	f = row_add(&n->facts, sizeof *f, NODE_FACTS);
	if (!f)
		return false;
	*f = *stated;
	if (stated->kind == COMMAND_SPLIT)
		binding_apart(p, stated->other, true);
	picture_change(p, n);
	return true;
}

static void drop_fact(struct picture *p, int64_t number)
{
	struct node *n = NULL;
	struct fact_item *f = find_fact(p, number, &n), gone;

	if (!f)
		return;
	gone = *f;
	memmove(f, f + 1, (size_t)((struct fact_item *)n->facts.items + n->facts.count - (f + 1)) * sizeof *f);
	n->facts.count--;
	if (gone.kind == COMMAND_MERGE)
		binding_untie(p, n, gone.other);
	else if (gone.kind == COMMAND_SPLIT)
		binding_apart(p, gone.other, false);
	picture_change(p, n);
}

static struct fact_item make_fact(struct picture *p, const struct command *c, int64_t number, struct node *other)
{
	int64_t at_ns = c->time_ms * 1000000;
	struct fact_item f = { .number = number, .time_ns = at_ns, .analyst = kept(p, c->signature.analyst), .why = kept(p, c->why),
			       .text = kept(p, c->value), .other = other, .kind = c->type };

	f.value = (struct attribute_item){ .path = kept(p, c->path), .protocol = p->nothing, .value = f.text, .first_ns = at_ns,
					   .last_ns = at_ns, .heard = 1, .source = SOURCE_ANALYST, .confidence = STATED_CONFIDENCE,
					   .attribute = (uint8_t)attribute_of_name(c->attribute) };
	return f;
}

/* Checking */

static bool check_set(const struct analyst_facts *f, const struct asset *a, const struct command *c, struct fact_step *step, char *why, size_t room)
{
	enum attribute attribute = attribute_of_name(c->attribute);
	const struct view_attribute *best;
	struct view v = { 0 };
	bool known = !c->path[0];

	if (!analyst_may_set(attribute))
		return snprintf(why, room, "'%s' is none of the attributes that an analyst states", c->attribute), false;
	if (attribute == ATTR_DEVICE_CLASS && !is_class(c->value))
		return snprintf(why, room, "'%s' is no class of devices", c->value), false;
	for (const struct node *n = a->nodes; n && !known; n = n->next)
		for (unsigned i = 0; i < n->subassets.count; i++)
			known |= strcmp(((const struct subasset_item *)n->subassets.items)[i].path, c->path) == 0;
	if (!known)
		return snprintf(why, room, "nothing was heard of a sub-asset '%s'", c->path), false;
	view_fill(&v, f->picture, a);
	best = c->path[0] ? NULL : view_best(&v, attribute);
	step->previous = best ? best->item->value : NULL;
	view_free(&v);
	return true;
}

static bool check_merge(const struct analyst_facts *f, struct asset *a, const struct command *c, struct fact_step *step, char *why, size_t room)
{
	struct asset *other = picture_asset(f->picture, c->value);

	if (!other)
		return snprintf(why, room, "no asset has the id '%s'", c->value), false;
	if (other == a)
		return snprintf(why, room, "they are one device already"), false;
	if (f->picture->tie_count >= PICTURE_TIES)
		return snprintf(why, room, "%d devices are merged by hand already", PICTURE_TIES), false;
	step->other = other->founder;
	return true;
}

static bool is_tie_end(const struct picture *p, const struct node *n)
{
	for (size_t i = 0; i < p->tie_count; i++)
		if (p->ties[i].a == n || p->ties[i].b == n)
			return true;
	return false;
}

static bool check_split(const struct analyst_facts *f, struct asset *a, const struct command *c, struct fact_step *step, char *why, size_t room)
{
	char text[ADDRESS_TEXT_BYTES];

	for (struct node *n = a->nodes; n && !step->other; n = n->next) {
		address_text(text, n->family, n->address);
		if (strcmp(text, c->value) == 0)
			step->other = n;
	}
	if (!step->other)
		return snprintf(why, room, "the asset has no address '%s'", c->value), false;
	if (a->node_count == 1)
		return snprintf(why, room, "it is the asset's only address"), false;
	if (is_tie_end(f->picture, step->other))
		return snprintf(why, room, "an analyst merged it: undo that fact instead"), false;
	return true;
}

static bool check_undo(const struct analyst_facts *f, const struct command *c, struct fact_step *step, char *why, size_t room)
{
	char *end;
	long long number = strtoll(c->subject, &end, 10);

	if (*end || number <= 0 || !find_fact(f->picture, number, &step->node))
		return snprintf(why, room, "no fact that holds has the number '%s'", c->subject), false;
	step->ends = number;
	return true;
}

bool analyst_facts_check(struct analyst_facts *f, const struct command *c, struct fact_step *step, char *why, size_t room)
{
	struct node *owner = NULL;
	const struct fact_item *old;
	struct asset *a;

	*step = (struct fact_step){ .command = c };
	if (c->type == COMMAND_UNDO) {
		if (!check_undo(f, c, step, why, room))
			return false;
		memcpy(step->asset, step->node->asset->id, sizeof step->asset);
		return true;
	}
	a = picture_asset(f->picture, c->subject);
	if (!a)
		return snprintf(why, room, "no asset has the id '%s'", c->subject), false;
	old = find_replaced(a, c, &owner);
	if (!old && (f->count >= FACTS_MOST || a->founder->facts.count >= NODE_FACTS))
		return snprintf(why, room, "so many facts can't be kept: undo those that are not needed"), false;
	if ((c->type == COMMAND_SET && !check_set(f, a, c, step, why, room)) || (c->type == COMMAND_MERGE && !check_merge(f, a, c, step, why, room)) ||
	    (c->type == COMMAND_SPLIT && !check_split(f, a, c, step, why, room)))
		return false;
	step->ends = old ? old->number : 0;
	step->number = f->next;
	/* A fact stays with the device when it is split: on the founder, and not on the address that goes. */
	step->node = a->founder == step->other ? (a->nodes == step->other ? a->nodes->next : a->nodes) : a->founder;
	memcpy(step->asset, a->id, sizeof step->asset);
	return true;
}

/* Keeping */

static void bind_node(sqlite3_stmt *q, int at, const struct node *n)
{
	if (!n) {
		for (int i = 0; i < 4; i++)
			sqlite3_bind_null(q, at + i);
		return;
	}
	sqlite3_bind_int(q, at, n->vlan[0]);
	sqlite3_bind_int(q, at + 1, n->vlan[1]);
	sqlite3_bind_int(q, at + 2, n->family);
	sqlite3_bind_blob(q, at + 3, n->address, (int)address_bytes(n->family), SQLITE_STATIC);
}

static int put_row(struct analyst_facts *f, const struct fact_step *step)
{
	const struct command *c = step->command;

	sqlite3_bind_int64(f->put, 1, step->number);
	sqlite3_bind_text(f->put, 2, command_name((enum command_type)c->type), -1, SQLITE_STATIC);
	bind_node(f->put, 3, step->node);
	bind_node(f->put, 7, step->other);
	sqlite3_bind_text(f->put, 11, c->attribute, -1, SQLITE_STATIC);
	sqlite3_bind_text(f->put, 12, c->path, -1, SQLITE_STATIC);
	sqlite3_bind_text(f->put, 13, c->value, -1, SQLITE_STATIC);
	sqlite3_bind_text(f->put, 14, c->signature.analyst, -1, SQLITE_STATIC);
	sqlite3_bind_text(f->put, 15, c->why, -1, SQLITE_STATIC);
	sqlite3_bind_int64(f->put, 16, c->time_ms);
	return store_run(f->store, f->put);
}

int analyst_facts_store(struct analyst_facts *f, const struct fact_step *step)
{
	const struct command *c = step->command;

	if (step->ends) {
		sqlite3_bind_int64(f->end, 1, step->ends);
		sqlite3_bind_text(f->end, 2, c->signature.analyst, -1, SQLITE_STATIC);
		sqlite3_bind_text(f->end, 3, c->why, -1, SQLITE_STATIC);
		sqlite3_bind_int64(f->end, 4, c->time_ms);
		if (store_run(f->store, f->end) < 0)
			return -1;
	}
	return step->number ? put_row(f, step) : 0;
}

void analyst_facts_apply(struct analyst_facts *f, const struct fact_step *step)
{
	struct fact_item fact;

	if (step->ends) {
		drop_fact(f->picture, step->ends);
		f->count--;
	}
	if (!step->number)
		return;
	fact = make_fact(f->picture, step->command, step->number, step->other);
	if (!add_fact(f->picture, step->node, &fact))
		log_error("fact %" PRId64 " is stored and has no room in the picture", step->number);
	f->next = step->number + 1;
	f->count++;
}

/* Loading */

static struct node *read_node(struct picture *p, sqlite3_stmt *q, int at)
{
	uint16_t vlan[2] = { (uint16_t)sqlite3_column_int(q, at), (uint16_t)sqlite3_column_int(q, at + 1) };
	uint8_t family = (uint8_t)sqlite3_column_int(q, at + 2), address[16] = { 0 };
	const void *bytes = sqlite3_column_blob(q, at + 3);
	size_t len = (size_t)sqlite3_column_bytes(q, at + 3);

	if (!bytes || (family != 0 && family != 4 && family != 6) || len != address_bytes(family))
		return NULL;
	memcpy(address, bytes, len);
	return picture_find(p, vlan, family, address);
}

static void read_text(char *out, size_t room, sqlite3_stmt *q, int at)
{
	const char *text = (const char *)sqlite3_column_text(q, at);

	snprintf(out, room, "%s", text ? text : "");
}

/* One that ended may have ended just before the picture was saved for the last time: then it is still in there. */
static void forget_traces(struct picture *p, const struct command *c, struct node *node, struct node *other)
{
	if (c->type == COMMAND_SPLIT && other && (other->flags & NODE_APART))
		binding_apart(p, other, false);
	else if (c->type == COMMAND_MERGE && node && other && node->asset == other->asset)
		binding_untie(p, node, other);
}

static void load_row(struct analyst_facts *f, sqlite3_stmt *q, bool holds)
{
	struct node *node = read_node(f->picture, q, 2), *other = read_node(f->picture, q, 6);
	struct command c = { .time_ms = time_within(sqlite3_column_int64(q, 15), TIME_MOST_MS) };
	char kind[16];

	read_text(kind, sizeof kind, q, 1);
	c.type = (uint8_t)command_of_name(kind);
	read_text(c.attribute, sizeof c.attribute, q, 10);
	read_text(c.path, sizeof c.path, q, 11);
	read_text(c.value, sizeof c.value, q, 12);
	read_text(c.signature.analyst, sizeof c.signature.analyst, q, 13);
	read_text(c.why, sizeof c.why, q, 14);
	if (!holds) {
		forget_traces(f->picture, &c, node, other);
	} else if (!command_is_fact((enum command_type)c.type) || !node || ((c.type == COMMAND_MERGE || c.type == COMMAND_SPLIT) && !other)) {
		log_warning("fact %" PRId64 " is about a device that the picture does not hold", (int64_t)sqlite3_column_int64(q, 0));
	} else {
		struct fact_item fact = make_fact(f->picture, &c, sqlite3_column_int64(q, 0), other);

		f->count += add_fact(f->picture, node, &fact);
	}
}

/* First what ended, so that what holds has the last word. */
static int load(struct analyst_facts *f)
{
	static const char *const selects[] = {
		"SELECT * FROM fact WHERE ended_ms IS NOT NULL AND kind IN('merge','split') ORDER BY number",
		"SELECT * FROM fact WHERE ended_ms IS NULL ORDER BY number",
	};
	int result = SQLITE_DONE;

	for (int holds = 0; holds < 2 && result == SQLITE_DONE; holds++) {
		sqlite3_stmt *q = store_prepare(f->store, selects[holds]);

		while ((result = sqlite3_step(q)) == SQLITE_ROW)
			load_row(f, q, holds);
		sqlite3_finalize(q);
	}
	if (result == SQLITE_DONE)
		return 0;
	log_error("the analysts' facts can't be read: %s", sqlite3_errmsg(f->store->db));
	return -1;
}

int analyst_facts_open(struct analyst_facts *f, struct store *s, struct picture *p)
{
	sqlite3_stmt *last = store_prepare(s, "SELECT ifnull(max(number),0)+1 FROM fact");

	*f = (struct analyst_facts){ .store = s, .picture = p, .next = 1 };
	f->put = store_prepare(s, "INSERT INTO fact VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,NULL,NULL,NULL)");
	f->end = store_prepare(s, "UPDATE fact SET ended_by=?2,ended_why=?3,ended_ms=?4 WHERE number=?1");
	if (sqlite3_step(last) == SQLITE_ROW)
		f->next = sqlite3_column_int64(last, 0);
	sqlite3_finalize(last);
	return load(f);
}

void analyst_facts_close(struct analyst_facts *f)
{
	sqlite3_finalize(f->put);
	sqlite3_finalize(f->end);
	memset(f, 0, sizeof *f);
}
