/* What the live view shows, from the sensor's Redis: health, the newest events, the newest assets, the probes. */
#include "sensor/ctl/top.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/health_words.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/ctl/terminal.h"
#include "sensor/fleet/reply.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

enum { TIME_COLUMNS = 9, ACTION_COLUMNS = 17, ADDRESS_COLUMNS = 22, NAME_COLUMNS = 16, CLASS_COLUMNS = 19, KNOWN_COLUMNS = 5 };
enum { KEY_BYTES = CONFIG_NAME_BYTES + 64, CELL_BYTES = 160, BITS = 8 };

/* Adds a text to a line, cut and padded to its column; `columns` 0: the rest of the line. */
static void add_cell(char *line, const char *text, int columns)
{
	size_t n = strlen(line), len = text_fitting(text, columns ? columns : TOP_LINE_BYTES);
	int pad = columns ? columns - text_columns(text) : 0;

	snprintf(line + n, TOP_LINE_BYTES - n, "%.*s%*s", (int)len, text, (pad > 0 ? pad : 0) + 1, "");
}

static redisReply *ask(struct top *t, int argc, const char **argv)
{
	redisReply *reply = t->link.redis ? sensor_link_ask(&t->link, argc, argv) : NULL;

	if (!reply && t->link.redis) {
		snprintf(t->trouble, sizeof t->trouble, "Redis: %s", t->link.redis->errstr[0] ? t->link.redis->errstr : "it refuses to answer");
		sensor_link_close(&t->link);
	}
	return reply;
}

static json_t *document_of(const redisReply *reply)
{
	json_t *document = reply && reply->type == REDIS_REPLY_STRING ? json_loadb(reply->str, reply->len, 0, NULL) : NULL;

	words_disarm(document);
	return document;
}

/* A health document comes every ten seconds; between two of them the rates stand. */
static void take_rates(struct top *t)
{
	const json_t *health = health_of(t->health);
	json_int_t frames = health_number(health, "traffic.frames"), bytes = health_number(health, "traffic.bytes");
	json_int_t uptime_s = health_number(health, "uptime_s"), passed_s = uptime_s - t->uptime_s;

	if (passed_s == 0 && frames == t->frames)
		return;
	/* After a start anew, and at first, only the average since then is known. */
	t->average = t->uptime_s == 0 || passed_s <= 0 || frames < t->frames;
	if (!t->average) {
		t->frames_s = (double)(frames - t->frames) / (double)passed_s;
		t->bits_s = (double)(bytes - t->bytes) * BITS / (double)passed_s;
	} else if (uptime_s > 0) {
		t->frames_s = (double)frames / (double)uptime_s;
		t->bits_s = (double)bytes * BITS / (double)uptime_s;
	}
	t->frames = frames;
	t->bytes = bytes;
	t->uptime_s = uptime_s;
}

static void ask_health(struct top *t)
{
	char key[KEY_BYTES];
	redisReply *reply;
	json_t *document;

	snprintf(key, sizeof key, "askance:{%s}:health", t->link.sensor);
	reply = ask(t, 3, (const char *[]){ "HGET", key, "body" });
	document = document_of(reply);
	if (document) {
		json_decref(t->health);
		t->health = document;
		take_rates(t);
	} else if (reply) {
		snprintf(t->trouble, sizeof t->trouble, "Redis knows no sensor '%s'", t->link.sensor);
	}
	if (reply)
		freeReplyObject(reply);
}

/* "service modbus tcp/502", "gap identity tcp/502", "firmware 4.0.9" ...: what an event is about. */
static void describe_event(const json_t *ot, char *text, size_t room)
{
	const json_t *service = json_object_get(ot, "service"), *attr = json_object_get(ot, "attr"), *gap = json_object_get(ot, "gap");
	const json_t *proposal = json_object_get(ot, "proposal"), *change = json_object_get(ot, "change"), *probe = json_object_get(ot, "probe");

	if (json_object_get(service, "port"))
		snprintf(text, room, "%s %s/%d", words_text(service, "protocol"), words_text(service, "transport"),
			 (int)json_integer_value(json_object_get(service, "port")));
	else if (service)
		snprintf(text, room, "%s %s", words_text(service, "protocol"), words_text(service, "transport"));
	else if (attr)
		snprintf(text, room, "%s: %s", words_text(attr, "name"), words_text(attr, "value"));
	else if (gap)
		snprintf(text, room, "%s %s %s", words_text(gap, "kind"), words_text(gap, "subject"), words_text(gap, "verdict"));
	else if (probe)
		snprintf(text, room, "%.8s %s %s", words_text(proposal, "id"), words_text(probe, "outcome"), words_text(probe, "end"));
	else if (proposal)
		snprintf(text, room, "%.8s %s %s", words_text(proposal, "id"), words_text(proposal, "rule"), words_text(proposal, "status"));
	else
		snprintf(text, room, "%s%s%s", words_text(change, "name"), change ? " " : "", words_text(change, "value"));
}

static void add_event(struct top *t, const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot");
	const json_t *host = json_object_get(document, "host");
	const char *action = words_text(json_object_get(document, "event"), "action"), *time = words_text(document, "@timestamp");
	const char *ip = json_string_value(json_array_get(json_object_get(host, "ip"), 0));
	const char *mac = json_string_value(json_array_get(json_object_get(host, "mac"), 0));
	char about[TOP_LINE_BYTES / 2], *line = t->changes[t->changes_count++];

	line[0] = 0;
	describe_event(ot, about, sizeof about);
	add_cell(line, strlen(time) > 11 ? time + 11 : "", TIME_COLUMNS - 1);
	add_cell(line, action, ACTION_COLUMNS);
	add_cell(line, ip ? ip : mac ? mac : "", ADDRESS_COLUMNS);
	add_cell(line, about, 0);
}

static void ask_changes(struct top *t)
{
	char key[KEY_BYTES], count[8];
	redisReply *reply;

	snprintf(key, sizeof key, "askance:{%s}:ev", t->link.sensor);
	snprintf(count, sizeof count, "%d", TOP_ROWS);
	reply = ask(t, 6, (const char *[]){ "XREVRANGE", key, "+", "-", "COUNT", count });
	if (!reply)
		return;
	t->changes_count = 0;
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && t->changes_count < TOP_ROWS; i++) {
		const redisReply *fields = reply_part(reply->element[i], 1);

		for (size_t k = 0; fields && k + 1 < fields->elements; k += 2) {
			const char *field = reply_text(reply_part(fields, k));
			json_t *document = field && strcmp(field, "body") == 0 ? document_of(reply_part(fields, k + 1)) : NULL;

			/* The sensor's own figures come every ten seconds, and stand above. */
			if (document && strcmp(words_text(json_object_get(document, "event"), "action"), "sensor-health") != 0)
				add_event(t, document);
			json_decref(document);
		}
	}
	freeReplyObject(reply);
}

static void add_asset(struct top *t, const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
	char address[CELL_BYTES], model[TOP_LINE_BYTES / 2], known[16], *line = t->assets[t->assets_count++];

	line[0] = 0;
	words_address(ot, address, sizeof address);
	words_model(document, model, sizeof model);
	snprintf(known, sizeof known, "%3.0f %%", json_number_value(json_object_get(asset, "completeness")) * 100);
	add_cell(line, address, ADDRESS_COLUMNS);
	add_cell(line, words_name(ot), NAME_COLUMNS);
	add_cell(line, words_text(asset, "class"), CLASS_COLUMNS);
	add_cell(line, known, KNOWN_COLUMNS);
	add_cell(line, words_vendor(document), 0);
	add_cell(line, model, 0);
}

/* Those that changed last; the members of the set are their ids. */
static void ask_assets(struct top *t)
{
	char key[KEY_BYTES];
	redisReply *ids, *reply;

	snprintf(key, sizeof key, "askance:{%s}:changed", t->link.sensor);
	ids = ask(t, 4, (const char *[]){ "ZREVRANGE", key, "0", "59" });
	if (!ids)
		return;
	t->assets_count = 0;
	for (size_t i = 0; ids->type == REDIS_REPLY_ARRAY && i < ids->elements && t->link.redis; i++) {
		const char *id = reply_text(ids->element[i]);
		json_t *document;

		if (!id)
			continue;
		snprintf(key, sizeof key, "askance:{%s}:asset:%.40s", t->link.sensor, id);
		reply = ask(t, 3, (const char *[]){ "HGET", key, "body" });
		document = document_of(reply);
		if (document)
			add_asset(t, document);
		json_decref(document);
		if (reply)
			freeReplyObject(reply);
	}
	freeReplyObject(ids);
}

static void ask_probes(struct top *t)
{
	struct proposal_list list = { .count = 0 };

	if (!t->link.redis)
		return;
	if (proposal_list_fetch(&list, &t->link) == 0) {
		t->probes_count = t->waiting = 0;
		for (size_t i = 0; i < list.count && t->probes_count < TOP_ROWS; i++) {
			const struct listed_proposal *p = &list.items[i];
			const char *status = words_text(p->proposal, "status");
			char target[CELL_BYTES];

			t->waiting += strcmp(status, "open") == 0;
			if (strcmp(status, "running") != 0 && strcmp(status, "approved") != 0)
				continue;
			proposal_target(p, target, sizeof target);
			snprintf(t->probes[t->probes_count++], TOP_LINE_BYTES, "%.8s  %-9.20s %-22.60s %.40s", p->id, status, target,
				 words_text(p->proposal, "rule"));
		}
	}
	proposal_list_free(&list);
}

void top_ask(struct top *t)
{
	t->trouble[0] = 0;
	if (!t->link.redis && sensor_link_open(&t->link) < 0)
		snprintf(t->trouble, sizeof t->trouble, "Redis can't be reached; trying again");
	ask_health(t);
	ask_changes(t);
	ask_assets(t);
	ask_probes(t);
}

void top_free(struct top *t)
{
	sensor_link_close(&t->link);
	json_decref(t->health);
	t->health = NULL;
}
