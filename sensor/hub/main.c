/* hub: hears what the engines found, remembers it and tells it. It sees no traffic and reaches no device. */
#include "sensor/common/log.h"
#include "sensor/common/spawn.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/hub.h"

#include <string.h>

static bool ends(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
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

/* The supervisor has checked all this; a hub started by anybody else has not been. */
static bool config_valid(const struct hub_config *c)
{
	return c->version == CONFIG_VERSION && (c->mode == HUB_RUN || c->mode == HUB_READ) && c->engines >= 1 &&
	       c->engines <= CONFIG_ENGINES && c->max_assets >= 1000 && c->max_assets <= 10 * 1024 * 1024 &&
	       ends(c->sensor, sizeof c->sensor) && ends(c->zone, sizeof c->zone) && c->sensor[0] && c->zone[0] &&
	       ends(c->redis_url, sizeof c->redis_url) && ends(c->relay, sizeof c->relay) &&
	       ends(c->redis_user, sizeof c->redis_user) && ends(c->redis_password, sizeof c->redis_password) &&
	       ends(c->sentinel_user, sizeof c->sentinel_user) && ends(c->sentinel_password, sizeof c->sentinel_password) && ends(c->state_dir, sizeof c->state_dir) &&
	       ends(c->rules_dir, sizeof c->rules_dir) && ends(c->jsonl, sizeof c->jsonl) &&
	       ends(c->country_db, sizeof c->country_db) && ends(c->asn_db, sizeof c->asn_db) &&
	       ends(c->oui_file, sizeof c->oui_file) && outputs_valid(c);
}

int main(void)
{
	static struct hub_config config;

	log_open("hub");
	if (spawn_read_config(&config, sizeof config) < 0 || !config_valid(&config)) {
		log_error("started without a valid configuration; it is a part of `askance run` and `askance read`");
		return EXIT_CONFIGURATION;
	}
	hash_start();
	return config.mode == HUB_RUN ? hub_run(&config) : hub_read(&config);
}
