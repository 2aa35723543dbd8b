/* askance console: starts the analysts' page, and the relay on its way to a Redis that is elsewhere. */
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/redis_url.h"
#include "sensor/common/spawn.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/sensor_link.h"
#include "sensor/supervisor/rights.h"
#include "sensor/supervisor/wiring.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RELAY_AGAIN_S = 1 };

struct request {
	struct sensor_link link;
	const char *listen, *sensors;
	const char *certificate, *key, *authority;
};

static const struct verb_option options[] = {
	OPTION_TEXT(struct request, listen, 'l', "listen", "ADDRESS:PORT", "where browsers come to (127.0.0.1:8080)"),
	OPTION_TEXT(struct request, certificate, 0, "tls-cert", "FILE", "the console's certificate, PEM: HTTPS instead of HTTP"),
	OPTION_TEXT(struct request, key, 0, "tls-key", "FILE", "its key"),
	OPTION_TEXT(struct request, authority, 0, "client-ca", "FILE", "whoever has a certificate of this authority may come in"),
	OPTION_TEXT(struct request, link.config, 'c', "config", "FILE", "the sensor's configuration (/etc/askance/askance.yaml)"),
	OPTION_TEXT(struct request, link.url, 0, "redis", "URL",
		    "its Redis instead: unix:///PATH, redis://HOST[:PORT], rediss://, sentinel://"),
	OPTION_TEXT(struct request, sensors, 0, "sensor", "NAME[,NAME...]", "which sensors of that Redis; the first one is shown first"),
	OPTION_END,
};

static pid_t page = -1;

static void on_end(int number)
{
	(void)number;
	if (page > 0)
		kill(page, SIGTERM);
}

static bool copy(char *to, size_t room, const char *from)
{
	if (!from || (size_t)snprintf(to, room, "%s", from) < room)
		return true;
	fprintf(stderr, "askance console: '%s' is too long\n", from);
	return false;
}

static bool take_sensors(const struct request *q, struct console_config *k)
{
	const char *at = q->sensors ? q->sensors : q->link.sensor;

	while (*at) {
		size_t n = strcspn(at, ",");

		if (n == 0 || n >= CONFIG_NAME_BYTES || k->sensors == CONSOLE_SENSORS) {
			fprintf(stderr, "askance console: --sensor takes up to %d names, parted by commas\n", CONSOLE_SENSORS);
			return false;
		}
		memcpy(k->sensor[k->sensors++], at, n);
		at += n + (at[n] == ',');
	}
	return k->sensors > 0;
}

/* What the page's process is told; a message when that is not possible. */
static bool fill_config(struct request *q, struct console_config *k)
{
	const struct configuration *c = &q->link.configuration;
	int given = !!q->certificate + !!q->key + !!q->authority;

	*k = (struct console_config){ .version = CONFIG_VERSION, .walls = q->link.url ? 1 : c->require_walls };
	if (given != 0 && given != 3) {
		fprintf(stderr, "askance console: --tls-cert, --tls-key and --client-ca go together\n");
		return false;
	}
	if (!q->link.url) {
		copy(k->redis_user, sizeof k->redis_user, c->redis_user);
		copy(k->redis_password, sizeof k->redis_password, c->redis_password);
		copy(k->sentinel_user, sizeof k->sentinel_user, c->sentinel_user);
		copy(k->sentinel_password, sizeof k->sentinel_password, c->sentinel_password);
	}
	return take_sensors(q, k) && copy(k->listen, sizeof k->listen, q->listen) && copy(k->certificate, sizeof k->certificate, q->certificate) &&
	       copy(k->key, sizeof k->key, q->key) && copy(k->authority, sizeof k->authority, q->authority);
}

/* With nothing but its configuration. -1 after a message. */
static pid_t start(const char *program, const void *config, size_t len)
{
	struct spawn_fd fds[] = { { spawn_config(config, len), FD_CONFIG }, { -1, STDIN_FILENO }, { -1, STDOUT_FILENO } };
	char *argv[] = { (char *)program, NULL };
	pid_t pid = fds[0].from >= 0 ? spawn(program, argv, fds, sizeof fds / sizeof *fds) : -1;

	if (pid < 0)
		fprintf(stderr, "askance console: %s can't be started: %s\n", program, strerror(errno));
	close(fds[0].from);
	return pid;
}

/* Until the page ends; the relay is started again as often as it does. */
static int watch(const struct console_config *k, const struct relay_config *r)
{
	struct sigaction end = { .sa_handler = on_end };
	pid_t relay = -1;
	int status = 0;

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	if (r && (relay = start("askance-relay", r, sizeof *r)) < 0)
		return EXIT_NOTHING;
	page = start("askance-console", k, sizeof *k);
	while (page > 0) {
		pid_t ended = wait(&status);

		if (ended == page)
			break;
		if (ended < 0 && errno != EINTR)
			return EXIT_PARTLY;
		if (ended == relay && r) {
			sleep(RELAY_AGAIN_S);
			relay = start("askance-relay", r, sizeof *r);
		}
	}
	if (relay > 0 && kill(relay, SIGTERM) == 0)
		waitpid(relay, NULL, 0);
	if (page < 0)
		return EXIT_NOTHING;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_PARTLY;
}

/* The relay's socket stands in a folder of our own. */
static int watch_with_relay(struct request *q, struct console_config *k)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct configuration c = q->link.configuration;
	char folder[CONFIG_PATH_BYTES - 16];
	struct relay_config r;
	int result;

	snprintf(folder, sizeof folder, "%s/askance-console.XXXXXX", runtime && access(runtime, W_OK) == 0 ? runtime : "/tmp");
	if (!mkdtemp(folder)) {
		fprintf(stderr, "askance console: %s: %s\n", folder, strerror(errno));
		return EXIT_NOTHING;
	}
	copy(c.redis_url, sizeof c.redis_url, k->redis_url);
	if (q->link.url)
		c.require_walls = 1;
	wiring_relay_config(&c, &r);
	snprintf(r.socket, sizeof r.socket, "%s/relay.sock", folder);
	copy(k->relay, sizeof k->relay, r.socket);
	result = watch(k, &r);
	unlink(r.socket);
	rmdir(folder);
	return result;
}

static int run_console(int argc, char **argv)
{
	struct request q = { .link = { .verb = "console" }, .listen = "127.0.0.1:8080" };
	struct console_config k;
	char url[CONFIG_URL_BYTES];

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (q.sensors)
		snprintf(q.link.sensor, sizeof q.link.sensor, "%.*s", (int)strcspn(q.sensors, ","), q.sensors);
	if (sensor_link_url(&q.link, url) < 0 || !fill_config(&q, &k))
		return EXIT_NOTHING;
	copy(k.redis_url, sizeof k.redis_url, url);
	log_open("console");
	if (rights_become_user(&q.link.configuration) < 0)
		return EXIT_NOTHING;
	return strncmp(url, "unix://", 7) == 0 ? watch(&k, NULL) : watch_with_relay(&q, &k);
}

const struct verb verb_console = {
	.name = "console",
	.summary = "serve the analysts' web page: map, gaps, proposals to approve, probes",
	.options = options,
	.help = "A client of the sensor's Redis with the rights of packaging/redis/console.acl; it holds no key and can sign nothing. "
		"Analysts' keys stay in their browsers.\n"
		"\n"
		"On loopback there is no login: whoever may use this machine may look. Any other address wants --tls-cert, --tls-key and "
		"--client-ca: a certificate of that authority is the login, and its subject stands in the log with each command.\n"
		"\n"
		"  askance console --config askance.yaml\n"
		"  ssh -L 8080:127.0.0.1:8080 SENSOR       # and open http://127.0.0.1:8080\n",
	.exits = { "ended by SIGTERM", "it ended by itself", "the call or the configuration is wrong, or this build has no page" },
	.run = run_console,
};
