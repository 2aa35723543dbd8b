/* Writes the events of change.h, and remembers which were told. */
#include "sensor/hub/change.h"

#include "sensor/common/log.h"
#include "sensor/hub/address.h"
#include "sensor/hub/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_MOST = 65536, LATELY = 1024, WHAT_BYTES = 128, UNSTORED_MOST = 1024 };

static const int64_t AGAIN_NS = 60LL * 1000000000;

struct lately {
	uint64_t hash;
	int64_t told_ns;
};

struct changes {
	uint64_t *told; /* hashes of what was told for good; 0 is free */
	size_t told_count;
	struct lately lately[LATELY];
	char (*unstored)[WHAT_BYTES];
	size_t unstored_count;
	sqlite3_stmt *put;
};

static bool remember(struct changes *c, const char *what)
{
	uint64_t hash = hash_stable(what, strlen(what)) | 1;
	size_t at = hash % TOLD_MOST;

	while (c->told[at] && c->told[at] != hash)
		at = (at + 1) % TOLD_MOST;
	/* Full: better told again than never. */
	if (c->told[at] || c->told_count >= TOLD_MOST / 2)
		return !c->told[at];
	c->told[at] = hash;
	c->told_count++;
	return true;
}

/* True the first time, ever. */
static bool is_new(struct changes *c, const char *what)
{
	if (!remember(c, what))
		return false;
	if (c->unstored_count < UNSTORED_MOST)
		snprintf(c->unstored[c->unstored_count++], WHAT_BYTES, "%s", what);
	return true;
}

struct changes *changes_open(struct store *s)
{
	struct changes *c = calloc(1, sizeof *c);
	sqlite3_stmt *all;

	if (!c || !(c->told = calloc(TOLD_MOST, sizeof *c->told)) || !(c->unstored = calloc(UNSTORED_MOST, WHAT_BYTES)) ||
	    sqlite3_exec(s->db, "CREATE TABLE IF NOT EXISTS change_told(what TEXT PRIMARY KEY) WITHOUT ROWID", NULL, NULL, NULL) != SQLITE_OK) {
		log_error("what changed can't be kept: %s", sqlite3_errmsg(s->db));
		changes_close(c);
		return NULL;
	}
	c->put = store_prepare(s, "INSERT OR IGNORE INTO change_told VALUES(?1)");
	all = store_prepare(s, "SELECT what FROM change_told");
	while (sqlite3_step(all) == SQLITE_ROW)
		remember(c, (const char *)sqlite3_column_text(all, 0));
	sqlite3_finalize(all);
	return c;
}

void changes_close(struct changes *c)
{
	if (!c)
		return;
	sqlite3_finalize(c->put);
	free(c->told);
	free(c->unstored);
	free(c);
}

int changes_store(struct changes *c, struct store *s)
{
	for (size_t i = 0; i < c->unstored_count; i++) {
		sqlite3_bind_text(c->put, 1, c->unstored[i], -1, SQLITE_STATIC);
		if (store_run(s, c->put) < 0)
			return -1;
	}
	return 0;
}

void changes_stored(struct changes *c)
{
	c->unstored_count = 0;
}

bool changes_unstored(const struct changes *c)
{
	return c->unstored_count > 0;
}

const char *changes_technique(enum activity a)
{
	static const char *const techniques[ACTIVITIES] = {
		[ACTIVITY_PROGRAM_DOWNLOAD] = "T0843", [ACTIVITY_PROGRAM_UPLOAD] = "T0845", [ACTIVITY_ONLINE_EDIT] = "T0889",
		[ACTIVITY_MODE_RUN] = "T0858", [ACTIVITY_MODE_STOP] = "T0858", [ACTIVITY_RESET] = "T0816",
		[ACTIVITY_MEMORY_CLEAR] = "T0809", [ACTIVITY_FIRMWARE_UPDATE] = "T0857", [ACTIVITY_FORCE] = "T0835",
		[ACTIVITY_CONFIGURATION] = "T0836", [ACTIVITY_WRITE_BURST] = "T0806",
	};

	return a < ACTIVITIES ? techniques[a] : NULL;
}

/* The envelope, with the technique where there is one, open for members of ot.change. */
static void open_change(struct document *d, const struct subject *s, const struct event_words *words, int64_t time_ns, const char *technique)
{
	struct json *j = &d->json;

	document_open(d, s, words, time_ns);
	if (technique) {
		json_open(j, "threat", '{');
		json_text(j, "framework", "MITRE ATT&CK for ICS");
		json_open(j, "technique", '{');
		json_open(j, "id", '[');
		json_text(j, NULL, technique);
		json_close(j, ']');
		json_close(j, '}');
		json_close(j, '}');
	}
	document_open_ot(d, s);
	json_open(j, "change", '{');
}

static void close_change(struct document *d)
{
	json_close(&d->json, '}');
	document_close(d);
}

/* One frame that proves it. */
static void put_proof(struct json *j, uint64_t frame, int64_t time_ns)
{
	json_open(j, NULL, '{');
	json_number(j, "frame", (int64_t)frame);
	json_time(j, "time", time_ns);
	json_close(j, '}');
}

static void put_proofs(struct json *j, uint64_t frame, int64_t time_ns)
{
	json_open(j, "frames", '[');
	put_proof(j, frame, time_ns);
	json_close(j, ']');
}

/* Activities */

struct act {
	const struct finding *f;
	const struct asset *actor, *target;
};

static void put_station(struct json *j, const char *key, const struct endpoint *e, const struct asset *a)
{
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, key, '{');
	address_text(text, e->family, e->family ? e->ip : e->mac);
	json_text(j, e->family ? "ip" : "mac", text);
	if (a)
		json_text(j, "asset", a->id);
	json_close(j, '}');
}

static void put_act(struct json *j, const struct act *act)
{
	const struct finding *f = act->f;

	json_text(j, "activity", activity_name((enum activity)f->activity));
	json_text(j, "function", f->value);
	json_text(j, "protocol", f->protocol);
	json_text(j, "transport", transport_name((enum transport)f->transport));
	if (f->port)
		json_number(j, "port", f->port);
	if (f->path[0])
		json_text(j, "subject", f->path);
	put_station(j, "actor", &f->subject, act->actor);
	if (f->activity != ACTIVITY_STARTED)
		put_station(j, "target", &f->peer, act->target);
	json_text(j, "source", source_name((enum source)f->source));
	put_proofs(j, f->frame, f->time_ns);
}

static void write_activity(struct document *d, const struct subject *s, void *context)
{
	static const struct event_words engineering = EVENT_WORDS("alert", "network", "change", "engineering-activity", "askance.change");
	static const struct event_words started = EVENT_WORDS("event", "host", "start", "device-started", "askance.change");
	const struct act *act = context;

	open_change(d, s, act->f->activity == ACTIVITY_STARTED ? &started : &engineering, act->f->time_ns,
		    changes_technique((enum activity)act->f->activity));
	put_act(&d->json, act);
	close_change(d);
}

static void write_station(struct document *d, const struct subject *s, void *context)
{
	static const struct event_words words = EVENT_WORDS("alert", "network", "info", "engineering-station-new", "askance.change");
	const struct act *act = context;

	open_change(d, s, &words, act->f->time_ns, changes_technique((enum activity)act->f->activity));
	put_act(&d->json, act);
	close_change(d);
}

static struct asset *asset_of(const struct picture *p, const uint16_t vlan[2], const struct endpoint *e)
{
	struct node *n = e->family ? picture_find(p, vlan, e->family, e->ip) : NULL;

	if (!n)
		n = picture_find(p, vlan, 0, e->mac);
	return n ? n->asset : NULL;
}

/* True when the same was told less than a minute ago. */
static bool told_lately(struct changes *c, const struct finding *f)
{
	struct {
		struct endpoint who, whom;
		uint64_t what;
	} key = { f->subject, f->peer, (uint64_t)f->activity << 32 | f->port };
	struct lately *l;
	uint64_t hash;

	/* By which frame's MAC it was heard is no difference. */
	if (key.who.family)
		memset(key.who.mac, 0, sizeof key.who.mac);
	if (key.whom.family)
		memset(key.whom.mac, 0, sizeof key.whom.mac);
	key.who.binding = key.whom.binding = 0;
	hash = hash_stable((const char *)&key, sizeof key);
	l = &c->lately[hash % LATELY];
	if (l->hash == hash && f->time_ns - l->told_ns < AGAIN_NS && f->time_ns >= l->told_ns)
		return true;
	*l = (struct lately){ hash, f->time_ns };
	return false;
}

void changes_hear(struct changes *c, struct batch *b, const struct finding *f)
{
	struct act act = { f, asset_of(b->picture, f->vlan, &f->subject), asset_of(b->picture, f->vlan, &f->peer) };
	struct asset *about = asset_of(b->picture, f->vlan, f->activity == ACTIVITY_STARTED ? &f->subject : &f->peer);
	char what[WHAT_BYTES];

	/* An address is announced for many reasons; with a probe under way it counts, see watch.c. */
	if (f->activity == ACTIVITY_STARTED && strcmp(f->protocol, "arp") == 0)
		return;
	/* A target that was never heard itself is told of by who acts. */
	if (!about)
		about = asset_of(b->picture, f->vlan, &f->subject);
	if (f->kind != FINDING_ACTIVITY || !about || told_lately(c, f))
		return;
	batch_event(b, "change", about, write_activity, &act);
	if (!act.actor || !activity_is_engineering((enum activity)f->activity))
		return;
	snprintf(what, sizeof what, "station|%s", act.actor->id);
	if (is_new(c, what))
		batch_event(b, "change", asset_of(b->picture, f->vlan, &f->subject), write_station, &act);
}

/* Values */

/* Where the value before was heard. */
static const struct attribute_item *item_of(const struct node *n, const struct attribute_item *now, const char *value)
{
	const struct attribute_item *a = n->attributes.items;

	for (unsigned i = 0; i < n->attributes.count; i++)
		if (a[i].attribute == now->attribute && a[i].path == now->path && a[i].protocol == now->protocol && a[i].value == value)
			return &a[i];
	return NULL;
}

static const struct event_words *words_of_value(const struct attribute_item *a)
{
	static const struct event_words firmware = EVENT_WORDS("alert", "host", "change", "firmware-changed", "askance.change");
	static const struct event_words module = EVENT_WORDS("alert", "host", "change", "module-changed", "askance.change");
	static const struct event_words device = EVENT_WORDS("alert", "host", "change", "device-replaced", "askance.change");

	switch (a->attribute) {
	case ATTR_FIRMWARE:
		return &firmware;
	case ATTR_SERIAL:
	case ATTR_ORDER_CODE:
		return a->path[0] ? &module : &device;
	default:
		return NULL;
	}
}

bool changes_write_value(struct document *d, const struct subject *s, const struct change *change, int64_t time_ns)
{
	const struct attribute_item *now = (const struct attribute_item *)change->node->attributes.items + change->index;
	const struct attribute_item *before = item_of(change->node, now, change->previous);
	const struct event_words *words = words_of_value(now);
	struct json *j = &d->json;

	if (!words)
		return false;
	open_change(d, s, words, time_ns, now->attribute == ATTR_FIRMWARE ? "T0857" : NULL);
	json_text(j, "name", attribute_name((enum attribute)now->attribute));
	json_text(j, "subject", now->path);
	json_text(j, "protocol", now->protocol);
	json_text(j, "value", now->value);
	json_text_if(j, "previous", change->previous);
	json_text(j, "source", source_name((enum source)now->source));
	json_open(j, "frames", '[');
	if (before)
		put_proof(j, before->frame, before->first_ns);
	put_proof(j, now->frame, now->first_ns);
	json_close(j, ']');
	close_change(d);
	return true;
}

bool changes_write_contest(struct document *d, const struct subject *s, const struct change *change, int64_t time_ns)
{
	static const struct event_words words = EVENT_WORDS("alert", "network", "change", "address-conflict", "askance.change");
	char text[ADDRESS_TEXT_BYTES];
	struct json *j = &d->json;

	if (!change->other)
		return false;
	open_change(d, s, &words, time_ns, "T0830");
	address_text(text, change->node->family, change->node->address);
	json_text(j, "ip", text);
	address_text(text, 0, change->other->address);
	json_text(j, "claimed_by", text);
	json_open(j, "frames", '[');
	put_proof(j, change->node->frame, change->node->first_ns);
	put_proof(j, change->frame, time_ns);
	json_close(j, ']');
	close_change(d);
	return true;
}

/* Levels 0 to 2 are the process and what controls it; what stands above may have reasons to talk to the world. */
static bool of_the_plant(const struct subject *s)
{
	const char *level = s->judgement->verdict.purdue;

	return level && level[0] >= '0' && level[0] <= '2';
}

static void write_public(struct document *d, const struct subject *s, const struct talk_item *t)
{
	static const struct event_words words = EVENT_WORDS("alert", "network", "connection", "public-address", "askance.change");
	struct place place = { 0 };
	char text[ADDRESS_TEXT_BYTES];
	struct json *j = &d->json;
	bool known = place_of(s->knowledge->places, t->family, t->peer, &place);

	open_change(d, s, &words, t->first_ns, "T0883");
	address_text(text, t->family, t->peer);
	json_text(j, "ip", text);
	json_text(j, "direction", t->visits ? "inbound" : "outbound");
	json_text_if(j, "protocol", t->protocol);
	json_text(j, "transport", transport_name((enum transport)t->transport));
	if (t->port)
		json_number(j, "port", t->port);
	if (known && place.country[0])
		json_text(j, "country", place.country);
	if (known && place.as_number) {
		json_number(j, "as_number", place.as_number);
		json_text_if(j, "as_organisation", place.as_organisation[0] ? place.as_organisation : NULL);
	}
	json_time(j, "first_seen", t->first_ns);
	if (t->frame)
		put_proofs(j, t->frame, t->first_ns);
	close_change(d);
}

bool changes_write_public(struct changes *c, struct document *d, const struct subject *s, size_t *at)
{
	char text[ADDRESS_TEXT_BYTES], what[WHAT_BYTES];
	const struct view *v = s->view;

	if (!of_the_plant(s))
		return false;
	while (*at < v->talk_count + v->visit_count) {
		const struct talk_item *t = *at < v->talk_count ? v->talks[*at] : v->visits[*at - v->talk_count];

		++*at;
		if (!t->family || !place_is_public(t->family, t->peer))
			continue;
		address_text(text, t->family, t->peer);
		snprintf(what, sizeof what, "%s|%s|%s", t->visits ? "visitor" : "public", v->asset->id, text);
		if (!is_new(c, what))
			continue;
		write_public(d, s, t);
		return true;
	}
	return false;
}

static void write_quiet(struct document *d, const struct subject *s, void *context)
{
	static const struct event_words words = EVENT_WORDS("alert", "host", "end", "device-quiet", "askance.change");
	const struct changes_quiet *q = context;
	struct json *j = &d->json;

	open_change(d, s, &words, q->now_ns, "T0814");
	json_text(j, "protocol", q->protocol);
	json_text(j, "transport", transport_name((enum transport)q->transport));
	if (q->port)
		json_number(j, "port", q->port);
	json_text(j, "client", q->client);
	json_number(j, "usual_gap_ms", q->usual_us / 1000);
	json_number(j, "silent_ms", (q->now_ns - q->last_ns) / 1000000);
	put_proofs(j, q->frame, q->last_ns);
	close_change(d);
}

void changes_quiet(struct batch *b, struct asset *a, const struct changes_quiet *q)
{
	struct changes_quiet copy = *q;

	batch_event(b, "change", a, write_quiet, &copy);
}
