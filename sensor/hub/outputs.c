/*
 * Lists with a cap, and channels. The cap of a list that drops new entries needs no right to remove:
 * nobody else adds to it, so it is never longer than when we last heard. Redis is asked again only when
 * that leaves too little room.
 */
#include "sensor/hub/outputs.h"

#include "sensor/common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 192, PLACE_BYTES = 80, ASK_PLACES, ASK_LIVE, ASK_WATCH, ASK_LENGTH };

struct item {
	int64_t seq;
	size_t at, len; /* body, in the arena */
	size_t type;
	uint32_t lists; /* a bit for each that wants it */
};

struct list {
	const struct output_config *config;
	char key[KEY_BYTES];
	uint64_t epoch, length, dropped;
	int64_t seq;
	uint64_t owed;         /* dropped, and Redis has not been told */
	uint64_t next_dropped; /* when the transaction under way is done */
	size_t pushed;         /* in it */
	bool fresh;            /* the length was asked since the last transaction */
	bool in_doubt;         /* a transaction went out and was not answered */
	bool full_told;
};

static struct {
	struct hub_config config;
	struct redis_link *link;
	int queued, question;
	char prefix[CONFIG_NAME_BYTES + sizeof "askance:{}:"], places[KEY_BYTES];
	struct list lists[CONFIG_OUTPUTS];
	size_t count;
	struct item items[OUTPUTS_BATCH];
	size_t taken;
	char *arena;
	size_t used, room;
	int64_t last, live;
	uint64_t epoch, epoch_before; /* in which we sent */
	unsigned lengths_due, places_due;
	bool live_refused;
} o;

void outputs_start(const struct hub_config *config, struct redis_link *l, int queued, int question, int64_t newest)
{
	memset(&o, 0, sizeof o);
	o.config = *config;
	o.link = l;
	o.queued = queued;
	o.question = question;
	o.live = newest;
	o.count = config->outputs;
	snprintf(o.prefix, sizeof o.prefix, "askance:{%s}:", config->sensor);
	snprintf(o.places, sizeof o.places, "%slists", o.prefix);
	for (size_t i = 0; i < o.count; i++) {
		o.lists[i].config = &o.config.output[i];
		snprintf(o.lists[i].key, sizeof o.lists[i].key, "%sq:%s", o.prefix, o.config.output[i].list);
	}
}

void outputs_stop(void)
{
	free(o.arena);
	memset(&o, 0, sizeof o);
}

void outputs_again(void)
{
	o.live_refused = false;
	o.lengths_due = o.places_due = 0;
}

static void ask_length(size_t i)
{
	const char *argv[] = { "LLEN", o.lists[i].key };

	if (redis_link_ask(o.link, o.question + ASK_LENGTH + (int)i, 2, argv, NULL))
		o.lengths_due++;
}

void outputs_ask(void)
{
	for (size_t i = 0; i < o.count; i++)
		ask_length(i);
	outputs_guard();
}

void outputs_guard(void)
{
	const char *watch[] = { "WATCH", o.places };
	const char *argv[2 + CONFIG_OUTPUTS] = { "HMGET", o.places };

	if (o.count == 0)
		return;
	for (size_t i = 0; i < o.count; i++)
		argv[2 + i] = o.lists[i].config->list;
	redis_link_ask(o.link, o.question + ASK_WATCH, 2, watch, NULL);
	if (redis_link_ask(o.link, o.question + ASK_PLACES, 2 + (int)o.count, argv, NULL))
		o.places_due++;
}

static bool read_places(const redisReply *r)
{
	bool lost = false;

	for (size_t i = 0; i < o.count && r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
		const redisReply *one = r->element[i];
		struct list *l = &o.lists[i];
		uint64_t epoch = l->epoch;
		int64_t seq = l->seq;

		l->epoch = l->dropped = 0;
		l->seq = 0;
		if (one->type == REDIS_REPLY_STRING &&
		    sscanf(one->str, "%" SCNu64 "-%" SCNd64 " %" SCNu64, &l->epoch, &l->seq, &l->dropped) != 3)
			log_warning("Redis: the place of the list %s can't be read: it goes on with what is new", l->key);
		/* The one without an answer was done: Redis has been told what was owed. */
		if (l->in_doubt && l->epoch == epoch && l->seq == seq)
			l->owed = 0;
		l->in_doubt = false;
		lost = lost || l->epoch < epoch || (l->epoch == epoch && l->seq < seq);
	}
	return lost;
}

bool outputs_answer(int question, const redisReply *r)
{
	if (question == ASK_LIVE) {
		if (r->type == REDIS_REPLY_ERROR && !o.live_refused)
			log_warning("Redis: channels are not told: %s", r->str);
		o.live_refused = o.live_refused || r->type == REDIS_REPLY_ERROR;
		return false;
	}
	if (question >= ASK_LENGTH && o.lengths_due)
		o.lengths_due--;
	if (question == ASK_PLACES && o.places_due)
		o.places_due--;
	if (r->type == REDIS_REPLY_ERROR) {
		/* Now nothing is lost yet. Within a transaction the other commands would be done. */
		redis_link_fail(o.link, r->str);
	} else if (question == ASK_PLACES) {
		return read_places(r);
	} else if (question >= ASK_LENGTH && (size_t)(question - ASK_LENGTH) < o.count && r->type == REDIS_REPLY_INTEGER) {
		o.lists[question - ASK_LENGTH].length = (uint64_t)r->integer;
		o.lists[question - ASK_LENGTH].fresh = true;
	}
	return false;
}

bool outputs_ready(void)
{
	if (o.lengths_due || o.places_due)
		return false;
	for (size_t i = 0; i < o.count; i++)
		if (o.lists[i].config->when_full == OUTPUT_DROP_NEW && !o.lists[i].fresh &&
		    o.lists[i].length + OUTPUTS_BATCH > o.lists[i].config->cap)
			ask_length(i);
	return o.lengths_due == 0;
}

void outputs_begin(void)
{
	o.taken = o.used = 0;
}

/* Words are parted by blanks. */
static bool stands_in(const char *words, const char *word, size_t len)
{
	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, len) == 0)
			return true;
		at += n;
	}
	return false;
}

/* Documents are ours: event.action is the first member of that name. */
static bool wants(const struct output_config *c, const struct outbox_entry *e)
{
	static const char member[] = "\"action\":\"";
	const char *action;

	if (!c->types[0] || stands_in(c->types, e->type, strlen(e->type)))
		return true;
	action = memmem(e->body, e->len, member, sizeof member - 1);
	if (!action)
		return false;
	action += sizeof member - 1;
	return stands_in(c->types, action, strcspn(action, "\""));
}

static size_t keep(const char *text, size_t len)
{
	size_t at = o.used;

	memcpy(o.arena + at, text, len);
	o.arena[at + len] = 0;
	o.used += len + 1;
	return at;
}

bool outputs_take(const struct outbox_entry *e)
{
	struct item *item = &o.items[o.taken];
	size_t type_len = strlen(e->type), need = o.used + e->len + type_len + 2;

	if (o.count == 0 && !o.config.channel)
		return true;
	if (o.taken == OUTPUTS_BATCH)
		return false;
	if (need > o.room) {
		char *more = realloc(o.arena, need * 2);

		if (!more)
			return false;
		o.arena = more;
		o.room = need * 2;
	}
	*item = (struct item){ .seq = e->seq, .at = keep(e->body, e->len), .len = e->len, .type = keep(e->type, type_len) };
	for (size_t i = 0; i < o.count; i++)
		if (wants(o.lists[i].config, e))
			item->lists |= UINT32_C(1) << i;
	o.last = e->seq;
	o.taken++;
	return true;
}

/*
 * The last number that the list has had, in our numbering. A stream that refused our IDs, for which the
 * epoch was raised, did not keep the lists from growing.
 */
static int64_t place_of(const struct list *l, uint64_t epoch, int64_t base)
{
	bool ours = l->epoch == epoch || (l->epoch && (l->epoch == o.epoch || l->epoch == o.epoch_before));

	return ours ? l->seq : l->epoch && l->epoch < epoch ? base : 0;
}

static void tell_full(struct list *l, bool full)
{
	if (full && !l->full_told)
		log_warning("Redis: the list %s is full (%u entries): the %s are dropped; does its reader run?", l->key, l->config->cap,
			    l->config->when_full == OUTPUT_DROP_NEW ? "newest" : "oldest");
	l->full_told = full;
}

/* Returns how many commands were added. */
static size_t push(struct list *l, size_t index, int64_t after)
{
	static const char *argv[2 + OUTPUTS_BATCH];
	static size_t lens[2 + OUTPUTS_BATCH];
	bool bounded = l->config->when_full == OUTPUT_DROP_NEW;
	uint64_t room = l->config->cap > l->length ? l->config->cap - l->length : 0, refused = 0;
	char from[24];
	const char *trim[] = { "LTRIM", l->key, from, "-1" };

	l->pushed = 0;
	for (size_t i = 0; i < o.taken; i++) {
		if (!(o.items[i].lists & UINT32_C(1) << index) || o.items[i].seq <= after)
			continue;
		if (bounded && l->pushed >= room) {
			refused++;
			continue;
		}
		argv[2 + l->pushed] = o.arena + o.items[i].at;
		lens[2 + l->pushed++] = o.items[i].len;
	}
	l->next_dropped = l->dropped + l->owed + refused;
	l->fresh = false;
	l->in_doubt = true;
	if (bounded && (refused || l->pushed))
		tell_full(l, refused > 0);
	if (l->pushed == 0)
		return 0;
	argv[0] = "RPUSH";
	argv[1] = l->key;
	lens[0] = 5;
	lens[1] = strlen(l->key);
	redis_link_ask(o.link, o.queued, 2 + (int)l->pushed, argv, lens);
	if (bounded)
		return 1;
	snprintf(from, sizeof from, "-%u", l->config->cap);
	redis_link_ask(o.link, o.queued, 4, trim, NULL);
	return 2;
}

size_t outputs_send(uint64_t epoch, int64_t base)
{
	char place[CONFIG_OUTPUTS][PLACE_BYTES];
	const char *argv[2 + 2 * CONFIG_OUTPUTS] = { "HSET", o.places };
	size_t commands = 0;

	if (o.count == 0 || o.taken == 0)
		return 0;
	if (o.epoch != epoch) {
		o.epoch_before = o.epoch;
		o.epoch = epoch;
	}
	for (size_t i = 0; i < o.count; i++) {
		struct list *l = &o.lists[i];
		int64_t after = place_of(l, epoch, base);

		commands += push(l, i, after);
		/* A stream that is filled again is behind its lists. */
		l->epoch = epoch;
		l->seq = after > o.last ? after : o.last;
		snprintf(place[i], sizeof place[i], "%" PRIu64 "-%" PRId64 " %" PRIu64, epoch, l->seq, l->next_dropped);
		argv[2 + 2 * i] = l->config->list;
		argv[3 + 2 * i] = place[i];
	}
	redis_link_ask(o.link, o.queued, 2 + 2 * (int)o.count, argv, NULL);
	return commands + 1;
}

const char *outputs_read(redisReply **answers, size_t count)
{
	const char *error = NULL;

	for (size_t i = 0; i < o.count && count; i++) {
		struct list *l = &o.lists[i];
		bool trims = l->config->when_full == OUTPUT_DROP_OLD;
		const redisReply *r = l->pushed && count ? *answers : NULL;

		l->dropped = l->next_dropped;
		l->owed = 0;
		l->in_doubt = false;
		if (!r)
			continue;
		if (r->type == REDIS_REPLY_INTEGER) {
			l->length = (uint64_t)r->integer;
		} else {
			error = error ? error : r->str;
			l->owed = l->pushed;
		}
		if (trims && l->length > l->config->cap) {
			l->owed += l->length - l->config->cap;
			l->length = l->config->cap;
			tell_full(l, true);
		}
		answers += 1 + trims;
		count -= count > 1 && trims ? 2 : 1;
	}
	if (count && *answers && (*answers)->type == REDIS_REPLY_ERROR)
		error = error ? error : (*answers)->str;
	return error;
}

void outputs_publish(void)
{
	char channel[KEY_BYTES];

	for (size_t i = 0; i < o.taken && o.config.channel; i++) {
		const struct item *item = &o.items[i];
		const char *argv[] = { "PUBLISH", channel, o.arena + item->at };
		size_t lens[] = { 7, 0, item->len };

		if (item->seq <= o.live || o.live_refused)
			continue;
		lens[1] = (size_t)snprintf(channel, sizeof channel, "%slive:%s", o.prefix, o.arena + item->type);
		redis_link_ask(o.link, o.question + ASK_LIVE, 3, argv, lens);
		o.live = item->seq;
	}
}

void outputs_health(struct json *j)
{
	if (o.count == 0)
		return;
	json_open(j, "outputs", '[');
	for (size_t i = 0; i < o.count; i++) {
		const struct list *l = &o.lists[i];

		json_open(j, NULL, '{');
		json_text(j, "list", l->config->list);
		json_text(j, "when_full", l->config->when_full == OUTPUT_DROP_NEW ? "drop-new" : "drop-old");
		json_number(j, "cap", l->config->cap);
		json_number(j, "length", (int64_t)l->length);
		json_number(j, "dropped", (int64_t)(l->dropped + l->owed));
		json_close(j, '}');
	}
	json_close(j, ']');
}
