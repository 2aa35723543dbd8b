/* Picks figures out of the health document. */
#include "sensor/ctl/health_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const struct health_loss health_losses[] = {
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
	{ "outbox.lost", "events given up, the disk refused them for too long" },
	{ "outbox.store_failures", "failures of the store" },
	{ NULL, NULL },
};

const json_t *health_of(const json_t *document)
{
	return json_object_get(json_object_get(document, "ot"), "health");
}

json_int_t health_number(const json_t *from, const char *path)
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

const char *health_text(const json_t *o, const char *group, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(o, group), key));

	return text ? text : "unknown";
}

double health_age_s(const json_t *document)
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
