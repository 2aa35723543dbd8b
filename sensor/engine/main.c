/* engine: reads what strangers sent. Its rights are a source of frames to read and a ring of findings to write. */
#include "sensor/common/log.h"
#include "sensor/common/spawn.h"
#include "sensor/engine/engine.h"
#include "sensor/engine/walls.h"

enum { EXIT_CONFIGURATION = 2 };

static struct engine engine;

int main(void)
{
	struct engine_config config;

	log_open("engine");
	if (spawn_read_config(&config, sizeof config) < 0 || !config_engine_valid(&config)) {
		log_error("started without a valid configuration; it is a part of `askance run` and `askance read`");
		return EXIT_CONFIGURATION;
	}
	if (engine_init(&engine, &config) < 0 || run_open(&engine) < 0 || engine_walls(config.walls) < 0)
		return EXIT_CONFIGURATION;
	return config.source == ENGINE_FILE ? run_file(&engine) : run_ring(&engine);
}
