/* askance status: is the sensor well? From its own health document in Redis. */
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/health_words.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/sensor_link.h"

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_row(const char *name, json_int_t n, const char *unit)
{
	printf("%-12s %" JSON_INTEGER_FORMAT " %s\n", name, n, unit);
}

/* Only losses that happened are shown: zero of a dozen counters hides the one that counts. */
static unsigned print_losses(const json_t *health)
{
	unsigned shown = 0;

	for (const struct health_loss *l = health_losses; l->path; l++) {
		json_int_t n = health_number(health, l->path);

		if (n > 0) {
			printf("%-12s %" JSON_INTEGER_FORMAT " %s\n", shown ? "" : "missed", n, l->words);
			shown++;
		}
	}
	return shown;
}

static double mib(json_int_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* What waits for its readers, and what became of what had to wait too long. */
static void print_outbox(const json_t *health)
{
	const char *state = health_text(health, "outbox", "state");
	json_int_t merged = health_number(health, "outbox.merged"), owed = health_number(health, "outbox.owed");

	printf("%-12s %" JSON_INTEGER_FORMAT " events, %.1f of %.0f MiB, %.1f MiB on disk%s\n", "outbox", health_number(health, "outbox.entries"),
	       mib(health_number(health, "outbox.bytes")), mib(health_number(health, "outbox.limit_bytes")),
	       mib(health_number(health, "outbox.disk_bytes")),
	       strcmp(state, "merging") == 0 ? "  FULL: states are merged" : strcmp(state, "over") == 0 ? "  OVER ITS LIMIT: nothing may be merged" : "");
	if (merged)
		printf("%-12s %" JSON_INTEGER_FORMAT " events merged since the store was made, %" JSON_INTEGER_FORMAT " devices to be told again\n", "", merged, owed);
}

static void print_redis(const json_t *health)
{
	const json_t *redis = json_object_get(health, "redis"), *one;
	const char *policy = json_string_value(json_object_get(redis, "maxmemory_policy"));
	const char *kept = json_is_true(json_object_get(redis, "append_only_file")) ? "append-only file" : "NO append-only file";
	json_int_t most = health_number(health, "redis.max_memory_bytes");
	double used = mib(health_number(health, "redis.used_memory_bytes"));
	size_t i;

	printf("%-12s %s, %" JSON_INTEGER_FORMAT " events behind, %.1f s\n", "Redis", health_text(health, "redis", "state"),
	       health_number(health, "redis.lag_entries"), (double)health_number(health, "redis.lag_ms") / 1000);
	if (policy && most)
		printf("%-12s %.1f of %.1f MiB used, %s, %s\n", "", used, mib(most), policy, kept);
	else if (policy)
		printf("%-12s %.1f MiB used, without a limit, %s, %s\n", "", used, policy, kept);
	json_array_foreach(json_object_get(redis, "consumers"), i, one)
		printf("%-12s %s, %" JSON_INTEGER_FORMAT " events behind, %" JSON_INTEGER_FORMAT " of them pending\n", i ? "" : "readers",
		       json_string_value(json_object_get(one, "group")), json_integer_value(json_object_get(one, "behind")),
		       json_integer_value(json_object_get(one, "pending")));
	json_array_foreach(json_object_get(health, "outputs"), i, one)
		printf("%-12s %s, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " entries, %" JSON_INTEGER_FORMAT " dropped (%s)\n", i ? "" : "lists",
		       json_string_value(json_object_get(one, "list")), json_integer_value(json_object_get(one, "length")),
		       json_integer_value(json_object_get(one, "cap")), json_integer_value(json_object_get(one, "dropped")),
		       json_string_value(json_object_get(one, "when_full")));
}

/* Only what lacks is news. */
static void print_walls(const json_t *health)
{
	char missing[64];

	words_join(json_object_get(json_object_get(health, "walls"), "missing"), missing, sizeof missing);
	if (missing[0])
		printf("%-12s MISSING: %s, this kernel has none\n", "walls", missing);
}

/* Of several, which one is behind. */
static void print_engines(const json_t *health)
{
	const json_t *engines = json_object_get(health, "engines"), *one;
	size_t i;

	if (json_array_size(engines) < 2)
		return;
	json_array_foreach(engines, i, one)
		printf("engine %-5zu %lld frames, %lld lost, %lld KiB wait\n", i, (long long)health_number(one, "frames"),
		       (long long)health_number(one, "ring_drops"), (long long)health_number(one, "waiting_bytes") / 1024);
}

static int print_table(const struct sensor_link *l, const json_t *document)
{
	const json_t *health = health_of(document);
	double age = health_age_s(document);
	bool stale = age < 0 || age > HEALTH_STALE_S;

	printf("%-12s %s%s\n", "sensor", l->sensor, stale ? "  STALE: does not run, or does not reach Redis" : "");
	printf("%-12s %.0f s ago\n", "heard of", age);
	print_row("up", health_number(health, "uptime_s"), "s");
	print_row("frames", health_number(health, "traffic.frames"), "");
	print_engines(health);
	print_row("flows", health_number(health, "traffic.flows"), "");
	print_row("assets", health_number(health, "picture.assets"), "");
	print_row("services", health_number(health, "picture.services"), "");
	print_row("gaps", health_number(health, "picture.gaps"), "");
	print_walls(health);
	print_redis(health);
	print_outbox(health);
	printf("%-12s %s\n", "JSON lines", health_text(health, "jsonl", "state"));
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
		char *line = words_line(reply->str, (size_t)reply->len, document);
		double age = health_age_s(document);

		puts(line);
		free(line);
		result = age < 0 || age > HEALTH_STALE_S ? EXIT_PARTLY : EXIT_WELL;
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
