/* askance status: is the sensor well? From its own health document in Redis. */
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/health_words.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/sensor_link.h"

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdio.h>
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

static int print_table(const struct sensor_link *l, const json_t *document)
{
	const json_t *health = health_of(document);
	double age = health_age_s(document);
	bool stale = age < 0 || age > HEALTH_STALE_S;

	printf("%-12s %s%s\n", "sensor", l->sensor, stale ? "  STALE: does not run, or does not reach Redis" : "");
	printf("%-12s %.0f s ago\n", "heard of", age);
	print_row("up", health_number(health, "uptime_s"), "s");
	print_row("frames", health_number(health, "traffic.frames"), "");
	print_row("flows", health_number(health, "traffic.flows"), "");
	print_row("assets", health_number(health, "picture.assets"), "");
	print_row("services", health_number(health, "picture.services"), "");
	print_row("gaps", health_number(health, "picture.gaps"), "");
	printf("%-12s %s, %" JSON_INTEGER_FORMAT " events behind\n", "Redis", health_text(health, "redis", "state"),
	       health_number(health, "redis.lag_entries"));
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
		double age = health_age_s(document);

		puts(reply->str);
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
