/* The envelope of events that tell of the sensor and not of a device. */
#include "sensor/hub/sensor_document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_observer(struct json *j, const struct hub_config *config)
{
	json_open(j, "observer", '{');
	json_text(j, "name", config->sensor);
	json_text(j, "type", "sensor");
	json_text(j, "vendor", "askance");
	json_text(j, "product", "askance");
	json_text(j, "version", ASKANCE_VERSION);
	json_open(j, "ingress", '{');
	json_text(j, "zone", config->zone);
	json_close(j, '}');
	json_close(j, '}');
}

void sensor_document_open(struct json *j, const struct hub_config *config, const struct event_words *w, uint64_t epoch, int64_t seq)
{
	char id[CONFIG_NAME_BYTES + 48];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(id, sizeof id, "%s:%" PRIu64 ":%" PRId64, config->sensor, epoch, seq);
	json_clear(j);
	json_open(j, NULL, '{');
	json_time(j, "@timestamp", now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
	json_open(j, "ecs", '{');
	json_text(j, "version", "8.17.0");
	json_close(j, '}');
	json_open(j, "event", '{');
	json_number(j, "sequence", seq);
	json_text(j, "id", id);
	json_raw(j, NULL, w->members, strlen(w->members));
	json_close(j, '}');
	put_observer(j, config);
	json_open(j, "ot", '{');
	json_number(j, "schema_version", DOCUMENT_SCHEMA_VERSION);
	json_text(j, "zone", config->zone);
}

void sensor_document_close(struct json *j)
{
	json_close(j, '}');
	json_close(j, '}');
}
