/* The ranges of config.h. Who wrote a configuration has checked it; a process started by anybody else has not been. */
#include "sensor/common/config.h"

#include <string.h>

enum {
	MIB = 1024 * 1024,
	GIB = 1024 * MIB,
	SNAP_MIN = 64,
	SNAP_MAX = 262144,
	TIMEOUT_MAX_MS = 100,
	FLOWS_MIN = 1024,
	FLOWS_MAX = 64 * MIB,
	DETAILS_MIN = 256,
	RETELL_MIN_MS = 1000,
	RETELL_MAX_MS = 3600000,
	ASSETS_MIN = 1000,
	ASSETS_MAX = 10 * MIB,
	PORT_MIN = 1024,
};

static bool ends(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

static bool is_within(uint64_t n, uint64_t least, uint64_t most)
{
	return n >= least && n <= most;
}

static bool is_power(uint32_t n)
{
	return n && (n & (n - 1)) == 0;
}

bool config_capture_valid(const struct capture_config *c)
{
	if (c->version != CONFIG_VERSION || !is_within(c->interfaces, 1, CONFIG_INTERFACES))
		return false;
	for (uint32_t i = 0; i < c->interfaces; i++)
		if (!c->interface[i][0] || !ends(c->interface[i], sizeof c->interface[i]))
			return false;
	return is_within(c->snap_length, SNAP_MIN, SNAP_MAX) && is_within(c->buffer_bytes, MIB, GIB) && is_within(c->timeout_ms, 1, TIMEOUT_MAX_MS) &&
	       is_within(c->engines, 1, CONFIG_ENGINES) && c->walls <= 1;
}

bool config_engine_valid(const struct engine_config *c)
{
	if (c->version != CONFIG_VERSION || c->index >= CONFIG_ENGINES || (c->source != ENGINE_FILE && c->source != ENGINE_RING) ||
	    c->pace > PACE_RECORDED || c->progress > 1 || c->walls > 1 || c->probes > 1 || c->quiet > 1 || c->avoids > ENGINE_AVOIDS ||
	    c->engines > CONFIG_ENGINES || (c->engines && c->index >= c->engines))
		return false;
	for (int i = 0; i < ENGINE_FILES; i++)
		if (!ends(c->file[i], sizeof c->file[i]))
			return false;
	return is_power(c->flows) && is_within(c->flows, FLOWS_MIN, FLOWS_MAX) && is_within(c->details, DETAILS_MIN, c->flows) &&
	       is_within(c->stream_bytes, MIB, GIB) && c->ndpi_flows <= FLOWS_MAX && (c->pulses == 0 || is_power(c->pulses)) && c->pulses <= FLOWS_MAX &&
	       is_within(c->retell_ms, RETELL_MIN_MS, RETELL_MAX_MS) && (c->own.family == 0 || c->own.family == 4 || c->own.family == 6);
}

static bool outputs_valid(const struct hub_config *c)
{
	if (c->outputs > CONFIG_OUTPUTS)
		return false;
	for (uint32_t i = 0; i < c->outputs; i++) {
		const struct output_config *o = &c->output[i];

		if (!ends(o->list, sizeof o->list) || !o->list[0] || !ends(o->types, sizeof o->types) || o->cap == 0 ||
		    o->when_full > OUTPUT_DROP_OLD)
			return false;
	}
	return true;
}

bool config_hub_valid(const struct hub_config *c)
{
	return c->version == CONFIG_VERSION && (c->mode == HUB_RUN || c->mode == HUB_READ) && c->probing <= PROBING_AUTOMATIC && c->walls <= 1 &&
	       is_within(c->engines, 1, CONFIG_ENGINES) && is_within(c->max_assets, ASSETS_MIN, ASSETS_MAX) && ends(c->sensor, sizeof c->sensor) &&
	       ends(c->zone, sizeof c->zone) && c->sensor[0] && c->zone[0] && ends(c->redis_url, sizeof c->redis_url) &&
	       ends(c->relay, sizeof c->relay) && ends(c->redis_user, sizeof c->redis_user) && ends(c->redis_password, sizeof c->redis_password) &&
	       ends(c->sentinel_user, sizeof c->sentinel_user) && ends(c->sentinel_password, sizeof c->sentinel_password) &&
	       ends(c->state_dir, sizeof c->state_dir) && ends(c->rules_dir, sizeof c->rules_dir) && ends(c->jsonl, sizeof c->jsonl) &&
	       ends(c->country_db, sizeof c->country_db) && ends(c->asn_db, sizeof c->asn_db) && ends(c->oui_file, sizeof c->oui_file) &&
	       outputs_valid(c);
}

bool config_relay_valid(const struct relay_config *c)
{
	return c->version == CONFIG_VERSION && c->walls <= 1 && is_within(c->ports, 1, RELAY_PORTS) && ends(c->socket, sizeof c->socket) &&
	       ends(c->redis_url, sizeof c->redis_url) && ends(c->ca, sizeof c->ca) && ends(c->certificate, sizeof c->certificate) &&
	       ends(c->key, sizeof c->key) && ends(c->server_name, sizeof c->server_name);
}

bool config_prober_valid(const struct prober_config *c)
{
	return c->version == CONFIG_VERSION && c->probing <= PROBING_AUTOMATIC && c->walls <= 1 && c->require_clock <= 1 &&
	       c->port_first >= PORT_MIN && c->port_last >= c->port_first && c->port_last - c->port_first < CONFIG_SOURCE_PORTS &&
	       ends(c->rules_dir, sizeof c->rules_dir) && ends(c->state_dir, sizeof c->state_dir) && ends(c->interface, sizeof c->interface) &&
	       ends(c->source, sizeof c->source) && ends(c->sensor, sizeof c->sensor) && ends(c->zone, sizeof c->zone);
}

bool config_console_valid(const struct console_config *c)
{
	bool well = c->version == CONFIG_VERSION && c->walls <= 1 && is_within(c->sensors, 1, CONSOLE_SENSORS);

	for (unsigned i = 0; well && i < c->sensors; i++)
		well = ends(c->sensor[i], sizeof c->sensor[i]) && c->sensor[i][0];
	return well && ends(c->listen, sizeof c->listen) && ends(c->redis_url, sizeof c->redis_url) && ends(c->relay, sizeof c->relay) &&
	       ends(c->redis_user, sizeof c->redis_user) && ends(c->redis_password, sizeof c->redis_password) &&
	       ends(c->sentinel_user, sizeof c->sentinel_user) && ends(c->sentinel_password, sizeof c->sentinel_password) &&
	       ends(c->certificate, sizeof c->certificate) && ends(c->key, sizeof c->key) && ends(c->authority, sizeof c->authority);
}
