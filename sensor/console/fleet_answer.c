/* Puts a fleet's picture together and tells it. */
#include "sensor/console/fleet_answer.h"

#include "sensor/common/log.h"
#include "sensor/console/console.h"
#include "sensor/fleet/fleet.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ASK_DECISIONS,
	DEVICES_TOLD = 10000, /* those of several witnesses first */
	DECISIONS_TOLD = 1000,
	REST = 20,            /* matching gets a twentieth of the time at most */
};

static struct {
	struct redis_link *link;       /* NULL with one sensor */
	struct fleet_decision *decision;
	size_t decisions;
	int64_t decided;               /* goes up when they change */
	char trouble[128];             /* why they can't be read; empty when they can */

	struct fleet *picture;
	int64_t made_of;               /* fingerprint() of what is in the picture */
	bool loading;                  /* a sensor's first look was not over when that was all there was */
	int64_t revision;              /* begins with the time, so that those of an earlier process are known to be old */
	uint64_t next_ms;              /* when it may be made again */
} fleet;

static uint64_t clock_ms(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void ask_decisions(struct redis_link *l)
{
	const char *argv[] = { "HGETALL", DECISION_KEY };

	redis_link_ask(l, ASK_DECISIONS, 2, argv, NULL);
}

static void keep_decisions(struct fleet_decision *list, size_t count)
{
	if (count == fleet.decisions && (count == 0 || memcmp(list, fleet.decision, count * sizeof *list) == 0)) {
		free(list);
		return;
	}
	free(fleet.decision);
	fleet.decision = list;
	fleet.decisions = count;
	fleet.decided++;
}

/* A right that is missing, or a key of another type, is no fault of the connection: the page says what it does not show. */
static void on_answer(struct redis_link *l, int question, const redisReply *r)
{
	enum redis_state state = r->type == REDIS_REPLY_ERROR ? redis_state_of_error(r->str) : REDIS_STREAMING;
	struct fleet_decision *list;
	size_t count;

	(void)question;
	if (r->type == REDIS_REPLY_ERROR && state != REDIS_NOPERM && state != REDIS_WRONGTYPE && state != REDIS_REFUSED) {
		redis_link_fail(l, r->str);
		return;
	}
	redis_link_works(l);
	fleet.trouble[0] = 0;
	if (r->type == REDIS_REPLY_ERROR)
		snprintf(fleet.trouble, sizeof fleet.trouble, "%.60s%s", r->str, state == REDIS_NOPERM ? "; packaging/redis/console.acl has the rights" : "");
	else if (decision_take(r, &list, &count) == 0)
		keep_decisions(list, count);
}

static void on_down(struct redis_link *l)
{
	(void)l;
}

int fleet_answer_start(struct redis_link *link)
{
	fleet.link = link;
	link->client_name = "askance-console:fleet";
	link->meanwhile = "the fleet is shown with the decisions that were known";
	link->ready = ask_decisions;
	link->idle = ask_decisions;
	link->down = on_down;
	link->answer = on_answer;
	if (redis_link_start(link) == 0)
		return 0;
	log_error("there is no memory for the fleet");
	return -1;
}

void fleet_answer_stop(void)
{
	if (fleet.link)
		redis_link_stop(fleet.link, NULL);
	fleet_free(fleet.picture);
	free(fleet.decision);
}

/* Each of its parts only grows. */
static int64_t fingerprint(void)
{
	int64_t sum = fleet.decided;

	for (unsigned i = 0; i < console_sensor_count(); i++)
		sum += console_sensor(i)->assets.witnessed;
	return sum;
}

static void add_health(struct fleet *f, const struct sensor *s)
{
	const struct journal_row *row = &s->journal.row[ROW_HEALTH];
	const struct event *e = row->next > row->first ? journal_at(&s->journal, ROW_HEALTH, row->next - 1) : NULL;

	fleet_add_health(f, s->name, e ? e->body : "", e ? e->len : 0);
}

static struct fleet *make_picture(void)
{
	struct fleet *f = fleet_new(FLEET_WITNESSES);
	bool well = f && fleet_add_decisions(f, fleet.decision, fleet.decisions);

	/* Every sensor first: one that came after the matching would shift the others. */
	for (unsigned i = 0; well && i < console_sensor_count(); i++)
		add_health(f, console_sensor(i));
	for (unsigned i = 0; well && i < console_sensor_count(); i++)
		for (const struct asset_row *row = console_sensor(i)->assets.rows; well && row; row = row->hh.next) {
			struct witness *w = row->witness ? witness_copy(row->witness) : NULL;

			well = w || !row->witness;
			if (w)
				fleet_add(f, console_sensor(i)->name, w);
		}
	if (well && fleet_match(f) == 0)
		return f;
	fleet_free(f);
	return NULL;
}

static bool sensors_loading(void)
{
	for (unsigned i = 0; i < console_sensor_count(); i++)
		if (console_sensor(i)->loading)
			return true;
	return false;
}

/* False when there is none, for want of memory. */
static bool update(void)
{
	int64_t made_of = fingerprint();
	uint64_t start = clock_ms(CLOCK_MONOTONIC);
	struct fleet *f;

	if (fleet.picture && (made_of == fleet.made_of || start < fleet.next_ms)) {
		if (made_of == fleet.made_of)
			fleet.loading = sensors_loading();
		for (unsigned i = 0; i < console_sensor_count(); i++)
			add_health(fleet.picture, console_sensor(i));
		return true;
	}
	f = make_picture();
	if (!f)
		return fleet.picture != NULL;
	fleet_free(fleet.picture);
	fleet.picture = f;
	fleet.made_of = made_of;
	fleet.loading = sensors_loading();
	fleet.revision = fleet.revision ? fleet.revision + 1 : (int64_t)clock_ms(CLOCK_REALTIME);
	fleet.next_ms = start + REST * (clock_ms(CLOCK_MONOTONIC) - start);
	return true;
}

/* The devices of several witnesses, then the others, as far as there is room. */
static json_t *tell_devices(const struct fleet *f, size_t *merged)
{
	json_t *list = json_array();

	*merged = 0;
	for (size_t i = 0; i < fleet_devices(f); i++)
		if (fleet_next(f, fleet_device(f, i)) && (*merged)++ < DEVICES_TOLD)
			json_array_append_new(list, fleet_device_json(f, fleet_device(f, i)));
	for (size_t i = 0; i < fleet_devices(f) && json_array_size(list) < DEVICES_TOLD; i++)
		if (!fleet_next(f, fleet_device(f, i)))
			json_array_append_new(list, fleet_device_json(f, fleet_device(f, i)));
	return list;
}

static int newest_first(const void *x, const void *y)
{
	return strcmp((*(const struct fleet_decision *const *)y)->when, (*(const struct fleet_decision *const *)x)->when);
}

static json_t *tell_decisions(const struct fleet *f)
{
	size_t count = fleet_decisions(f);
	const struct fleet_decision **order = calloc(count + 1, sizeof *order);
	json_t *list = json_array();

	for (size_t i = 0; order && i < count; i++)
		order[i] = fleet_decision(f, i);
	if (order)
		qsort(order, count, sizeof *order, newest_first);
	for (size_t i = 0; order && i < count && i < DECISIONS_TOLD; i++)
		json_array_append_new(list, fleet_decision_json(order[i]));
	free(order);
	return list;
}

static void tell_picture(json_t *to, const struct fleet *f)
{
	json_t *doubts = json_array(), *devices;
	size_t witnesses = 0, merged;

	for (size_t i = 0; i < fleet_sensors(f); i++)
		witnesses += fleet_sensor(f, i)->witnesses;
	for (size_t i = 0; i < fleet_doubts(f); i++)
		json_array_append_new(doubts, fleet_doubt_json(f, fleet_doubt(f, i)));
	devices = tell_devices(f, &merged);
	json_object_set_new(to, "numbers",
			    json_pack("{s:I,s:I,s:I,s:I,s:I}", "assets", (json_int_t)witnesses, "devices", (json_int_t)fleet_devices(f), "merged",
				      (json_int_t)merged, "doubts", (json_int_t)fleet_doubts(f) + (json_int_t)fleet_doubts_not_kept(f), "decisions",
				      (json_int_t)fleet_decisions(f)));
	json_object_set_new(to, "devices", devices);
	json_object_set_new(to, "doubts", doubts);
	json_object_set_new(to, "decisions", tell_decisions(f));
}

static json_t *tell(int64_t since)
{
	json_t *to = json_object(), *sensors = json_array();

	for (size_t i = 0; i < fleet_sensors(fleet.picture); i++)
		json_array_append_new(sensors, fleet_sensor_json(fleet_sensor(fleet.picture, i)));
	json_object_set_new(to, "revision", json_integer(fleet.revision));
	json_object_set_new(to, "loading", json_boolean(fleet.loading));
	json_object_set_new(to, "trouble", json_string(fleet.trouble));
	json_object_set_new(to, "sensors", sensors);
	if (since != fleet.revision)
		tell_picture(to, fleet.picture);
	return to;
}

void fleet_handle(struct request *r)
{
	const char *since = request_argument(r, "since");
	char *end = NULL, *text;
	long long revision = since ? strtoll(since, &end, 10) : 0;
	json_t *answer;

	if (since && (end == since || *end || revision < 0)) {
		request_answer(r, answer_error(MHD_HTTP_BAD_REQUEST, "since must be the revision of an earlier answer"));
		return;
	}
	if (!update()) {
		request_answer(r, (struct answer){ NULL, 0 });
		return;
	}
	answer = tell(revision);
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	request_answer(r, text ? answer_json(MHD_HTTP_OK, text, strlen(text), r->gzip) : (struct answer){ NULL, 0 });
}
