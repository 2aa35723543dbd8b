/*
 * What the supervisor tells each process at its start, written by somebody else: configurations of any bytes and any
 * length. What is taken has texts that end and numbers in their ranges.
 *
 * Input: {process:1, offset:2 of what follows in an honest configuration} and the bytes.
 */
#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/redis_url.h"
#include "sensor/common/spawn.h"
#include "tests/fuzz/must.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union config {
	struct capture_config capture;
	struct engine_config engine;
	struct hub_config hub;
	struct relay_config relay;
	struct prober_config prober;
	struct console_config console;
	uint8_t bytes[1 << 16];
};

/* As spawn_config() hands it over. */
static bool give(const void *bytes, size_t len, void *to, size_t want)
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && dup2(fd, FD_CONFIG) == FD_CONFIG);
	close(fd);
	return spawn_read_config(to, want) == 0;
}

/* A text that does not end would run on here, under the sanitizer's eyes. */
static size_t use(const char *text)
{
	return strlen(text);
}

static void use_url(const char *text)
{
	struct redis_url url;
	char why[256];

	if (redis_url_parse(&url, text, why, sizeof why) == 0)
		must(url.places <= REDIS_URL_PLACES);
}

static void try_capture(const struct capture_config *c)
{
	if (!config_capture_valid(c))
		return;
	for (uint32_t i = 0; i < c->interfaces; i++)
		must(use(c->interface[i]) > 0);
	must(c->snap_length <= 262144 && c->buffer_bytes <= 1 << 30 && c->timeout_ms && c->walls <= 1);
}

static void try_engine(const struct engine_config *c)
{
	if (!config_engine_valid(c))
		return;
	for (int i = 0; i < ENGINE_FILES; i++)
		use(c->file[i]);
	must(__builtin_popcount(c->flows) == 1 && c->details <= c->flows && c->avoids <= ENGINE_AVOIDS && c->index < CONFIG_ENGINES);
}

static void try_hub(const struct hub_config *c)
{
	if (!config_hub_valid(c))
		return;
	must(use(c->sensor) > 0 && use(c->zone) > 0 && c->engines >= 1 && c->engines <= CONFIG_ENGINES);
	for (uint32_t i = 0; i < c->outputs; i++)
		must(use(c->output[i].list) > 0 && c->output[i].cap > 0 && use(c->output[i].types) < CONFIG_TYPES_BYTES);
	use_url(c->redis_url);
}

static void try_relay(const struct relay_config *c)
{
	if (!config_relay_valid(c))
		return;
	must(c->ports >= 1 && c->ports <= RELAY_PORTS && use(c->socket) < CONFIG_PATH_BYTES && use(c->server_name) < CONFIG_PATH_BYTES);
	use_url(c->redis_url);
}

static void try_prober(const struct prober_config *c)
{
	if (!config_prober_valid(c))
		return;
	must(c->port_first >= 1024 && c->port_last >= c->port_first && c->port_last - c->port_first < CONFIG_SOURCE_PORTS);
	must(use(c->source) < CONFIG_NAME_BYTES && use(c->interface) < sizeof c->interface && use(c->state_dir) < CONFIG_PATH_BYTES);
}

static void try_console(const struct console_config *c)
{
	if (!config_console_valid(c))
		return;
	for (uint32_t i = 0; i < c->sensors; i++)
		must(use(c->sensor[i]) > 0);
	use_url(c->redis_url);
}

/* What the supervisor would write; inputs change a part of it. Its length. */
static size_t honest(unsigned process, union config *c)
{
	memset(c, 0, sizeof *c);
	switch (process) {
	case 0:
		c->capture = (struct capture_config){ CONFIG_VERSION, 1, { "span0" }, 65535, 8 << 20, 10, 1, 1 };
		return sizeof c->capture;
	case 1:
		c->engine = (struct engine_config){ .version = CONFIG_VERSION, .source = ENGINE_RING, .flows = 4096, .details = 1024, .stream_bytes = 8 << 20,
		                                    .walls = 1, .retell_ms = 60000, .pulses = 4096 };
		return sizeof c->engine;
	case 2:
		c->hub = (struct hub_config){ .version = CONFIG_VERSION, .mode = HUB_RUN, .engines = 1, .walls = 1, .max_assets = 1000, .sensor = "plant-1",
		                              .zone = "hall-3", .redis_url = "redis://10.0.0.1" };
		return sizeof c->hub;
	case 3:
		c->relay = (struct relay_config){ .version = CONFIG_VERSION, .walls = 1, .ports = 1, .port = { 6379 }, .redis_url = "rediss://10.0.0.1" };
		return sizeof c->relay;
	case 4:
		c->prober = (struct prober_config){ .version = CONFIG_VERSION, .walls = 1, .port_first = 31700, .port_last = 31715, .sensor = "plant-1" };
		return sizeof c->prober;
	default:
		c->console = (struct console_config){ .version = CONFIG_VERSION, .walls = 1, .sensors = 1, .sensor = { "plant-1" }, .listen = "127.0.0.1:8080" };
		return sizeof c->console;
	}
}

static void try_one(unsigned process, const union config *c)
{
	switch (process) {
	case 0: try_capture(&c->capture); break;
	case 1: try_engine(&c->engine); break;
	case 2: try_hub(&c->hub); break;
	case 3: try_relay(&c->relay); break;
	case 4: try_prober(&c->prober); break;
	default: try_console(&c->console);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union config written;
	union config *got;
	size_t len, at;

	if (size < 3)
		return 0;
	len = honest(data[0] % 6, &written);
	at = (size_t)(data[1] << 8 | data[2]) % len;
	if (size - 3 > sizeof written - at)
		size = sizeof written - at + 3;
	memcpy(written.bytes + at, data + 3, size - 3);
	/* Of its exact size, so that what reads on is caught. */
	got = malloc(len);
	must(got != NULL);
	/* Bytes beyond its end make it longer than it may be. */
	if (give(&written, at + size - 3 > len ? at + size - 3 : len, got, len))
		try_one(data[0] % 6, got);
	free(got);
	return 0;
}
