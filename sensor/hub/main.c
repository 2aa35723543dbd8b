/* hub: hears what the engines found, remembers it and tells it. It sees no traffic and reaches no device. */
#include "sensor/common/log.h"
#include "sensor/common/spawn.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/hub.h"

int main(void)
{
	static struct hub_config config;

	log_open("hub");
	if (spawn_read_config(&config, sizeof config) < 0 || !config_hub_valid(&config)) {
		log_error("started without a valid configuration; it is a part of `askance run` and `askance read`");
		return EXIT_CONFIGURATION;
	}
	hash_start();
	return config.mode == HUB_RUN ? hub_run(&config) : hub_read(&config);
}
