/* Puts the console together: configuration, socket, certificates, walls, sensors, server; then the loop. */
#include "sensor/console/console.h"

#include "sensor/common/log.h"
#include "sensor/common/spawn.h"
#include "sensor/console/fleet_answer.h"
#include "sensor/console/listen.h"
#include "sensor/console/live.h"
#include "sensor/console/page.h"
#include "sensor/console/sensor.h"
#include "sensor/console/server.h"
#include "sensor/console/walls.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_ENDED = 0, EXIT_WRONG = 2 };

static struct console_config config;
static struct sensor *sensors;
static struct redis_link fleet_link;
static uv_loop_t loop;
static uv_signal_t signals[2];

unsigned console_sensor_count(void)
{
	return config.sensors;
}

struct sensor *console_sensor(unsigned at)
{
	return &sensors[at];
}

/* On loopback whoever is on this machine may look; anywhere else a certificate is the login. */
static int open_door(int *listener, struct tls **tls)
{
	*tls = NULL;
	*listener = listen_open(config.listen, config.certificate[0] != 0);
	if (*listener < 0)
		return -1;
	if (!config.certificate[0])
		return 0;
	*tls = tls_load(config.certificate, config.key, config.authority);
	return *tls ? 0 : -1;
}

/* The way to Redis, which is the same for all. */
static int prepare_link(struct redis_link *l)
{
	char why[256];

	if (redis_url_parse(&l->url, config.redis_url, why, sizeof why) < 0) {
		log_error("%s", why);
		return -1;
	}
	redis_url_login(&l->url, config.redis_user, config.redis_password);
	redis_url_sentinel_login(&l->url, config.sentinel_user, config.sentinel_password);
	l->loop = &loop;
	l->relay = config.relay;
	return 0;
}

static int start_sensors(void)
{
	for (unsigned i = 0; i < config.sensors; i++) {
		sensors[i].news = live_news;
		if (prepare_link(&sensors[i].link) < 0 || sensor_start(&sensors[i], config.sensor[i]) < 0)
			return -1;
	}
	if (config.sensors == 1)
		return 0;
	return prepare_link(&fleet_link) < 0 || fleet_answer_start(&fleet_link) < 0 ? -1 : 0;
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static int start_loop(void)
{
	static const int numbers[] = { SIGTERM, SIGINT };

	if (uv_loop_init(&loop) != 0)
		return -1;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (uv_signal_init(&loop, &signals[i]) != 0 || uv_signal_start(&signals[i], on_signal, numbers[i]) != 0)
			return -1;
	return 0;
}

static int start(void)
{
	struct tls *tls;
	int listener;

	if (!page_open()) {
		log_error("this build has no page: install nodejs and npm (packaging/deps does), then build again with cmake and ninja");
		return -1;
	}
	sensors = calloc(config.sensors, sizeof *sensors);
	if (!sensors || open_door(&listener, &tls) < 0 || start_loop() < 0 || server_start(&loop, listener, tls) < 0 || console_walls(config.walls) < 0 ||
	    start_sensors() < 0)
		return -1;
	log_info("listening on http%s://%s", tls ? "s" : "", config.listen);
	return 0;
}

int console_run(void)
{
	log_open("console");
	signal(SIGPIPE, SIG_IGN);
	if (spawn_read_config(&config, sizeof config) < 0 || !config_console_valid(&config)) {
		log_error("`askance console` starts this; its configuration is not of this version or out of range");
		return EXIT_WRONG;
	}
	if (start() < 0)
		return EXIT_WRONG;
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < config.sensors; i++)
		sensor_stop(&sensors[i]);
	fleet_answer_stop();
	server_stop();
	free(sensors);
	return EXIT_ENDED;
}
