/* askance status: is the sensor well? From its own health document in Redis. */
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/sensor_link.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STALE_S = 30 /* a health document comes every ten seconds */ };

/* The number at a path of keys parted by dots; 0 when it is not there. */
static json_int_t number_at(const json_t *from, const char *path)
{
	char key[64];

	while (from && *path) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof key, "%.*s", (int)n, path);
		from = json_object_get(from, key);
		path += n + (path[n] == '.');
	}
	return json_integer_value(from);
}

static const char *text_in(const json_t *o, const char *group, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(o, group), key));

	return text ? text : "unknown";
}

/* Seconds since the document was written; -1 when its time can't be read. */
static double age_s(const json_t *document)
{
	const char *text = json_string_value(json_object_get(document, "@timestamp"));
	struct timespec now;
	struct tm t = { 0 };
	double fraction = 0;
	char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &t) : NULL;

	if (!rest)
		return -1;
	if (*rest == '.')
		fraction = strtod(rest, NULL);
	clock_gettime(CLOCK_REALTIME, &now);
	return difftime(now.tv_sec, timegm(&t)) + (double)now.tv_nsec / 1e9 - fraction;
}

static void print_row(const char *name, json_int_t n, const char *unit)
{
	printf("%-12s %" JSON_INTEGER_FORMAT " %s\n", name, n, unit);
}

/* Only losses that happened are shown: zero of a dozen counters hides the one that counts. */
static unsigned print_losses(const json_t *health)
{
	static const struct {
		const char *path, *words;
	} losses[] = {
		{ "traffic.kernel_drops", "frames lost: the kernel's buffer was full" },
		{ "traffic.interface_drops", "frames lost by the interface" },
		{ "traffic.ring_drops", "frames lost: the engine was too slow" },
		{ "traffic.truncated", "frames that the capture cut" },
		{ "traffic.malformed", "frames with headers that contradict themselves" },
		{ "traffic.flows_evicted", "flows that gave way, their table was full" },
		{ "traffic.details_refused", "flows without room for their streams" },
		{ "traffic.findings_lost", "findings lost" },
		{ "picture.assets_refused", "assets refused, the picture was full" },
		{ "picture.reports_rejected", "reports refused" },
		{ "outbox.lost", "events dropped from the outbox unread" },
		{ "outbox.store_failures", "failures of the store" },
	};
	unsigned shown = 0;

	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		json_int_t n = number_at(health, losses[i].path);

		if (n > 0) {
			printf("%-12s %" JSON_INTEGER_FORMAT " %s\n", shown ? "" : "missed", n, losses[i].words);
			shown++;
		}
	}
	return shown;
}

static int print_table(const struct sensor_link *l, const json_t *document)
{
	const json_t *health = json_object_get(json_object_get(document, "ot"), "health");
	double age = age_s(document);
	bool stale = age < 0 || age > STALE_S;

	printf("%-12s %s%s\n", "sensor", l->sensor, stale ? "  STALE: does not run, or does not reach Redis" : "");
	printf("%-12s %.0f s ago\n", "heard of", age);
	print_row("up", number_at(health, "uptime_s"), "s");
	print_row("frames", number_at(health, "traffic.frames"), "");
	print_row("flows", number_at(health, "traffic.flows"), "");
	print_row("assets", number_at(health, "picture.assets"), "");
	print_row("services", number_at(health, "picture.services"), "");
	print_row("gaps", number_at(health, "picture.gaps"), "");
	printf("%-12s %s, %" JSON_INTEGER_FORMAT " events behind\n", "Redis", text_in(health, "redis", "state"),
	       number_at(health, "redis.lag_entries"));
	printf("%-12s %s\n", "JSON lines", text_in(health, "jsonl", "state"));
	if (!print_losses(health))
		printf("%-12s nothing\n", "missed");
	return stale ? EXIT_PARTLY : EXIT_WELL;
}

static int show(const struct sensor_link *l, const redisReply *reply, bool as_json)
{
	json_error_t error;
	json_t *document;
	int result;

	if (reply->type != REDIS_REPLY_STRING) {
		fprintf(stderr, "askance status: Redis knows no sensor '%s'\n", l->sensor);
		return EXIT_NOTHING;
	}
	document = json_loadb(reply->str, (size_t)reply->len, 0, &error);
	if (!document) {
		fprintf(stderr, "askance status: the health document is no JSON: %s\n", error.text);
		return EXIT_NOTHING;
	}
	words_disarm(document);
	if (as_json) {
		double age = age_s(document);

		puts(reply->str);
		result = age < 0 || age > STALE_S ? EXIT_PARTLY : EXIT_WELL;
	} else {
		result = print_table(l, document);
	}
	json_decref(document);
	return result;
}

struct request {
	struct sensor_link link;
	bool json;
};

static const struct verb_option options[] = {
	OPTION_FLAG(struct request, json, 0, "json", "the health document as it is"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static int status(int argc, char **argv)
{
	struct request q = { .link = { .verb = "status" } };
	char key[CONFIG_NAME_BYTES + 32];
	const char *ask[] = { "HGET", key, "body" };
	redisReply *reply;
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv) || sensor_link_open(&q.link) < 0)
		return EXIT_NOTHING;
	snprintf(key, sizeof key, "askance:{%s}:health", q.link.sensor);
	reply = sensor_link_ask(&q.link, 3, ask);
	if (reply) {
		result = show(&q.link, reply, q.json);
		freeReplyObject(reply);
	}
	sensor_link_close(&q.link);
	return result == EXIT_NOTHING ? result : output_end("status", result);
}

const struct verb verb_status = {
	.name = "status",
	.summary = "tell whether the sensor is well",
	.options = options,
	.exits = { "the sensor is alive", "it was not heard of for half a minute", "Redis can't be reached or knows no such sensor" },
	.run = status,
};
