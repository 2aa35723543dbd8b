/*
 * Opens the interfaces, gives up every right, then moves frames until told to end. An interface that
 * vanishes leaves the others heard; the supervisor sees it come back and starts us anew.
 */
#include "sensor/capture/capture.h"

#include "sensor/capture/interface.h"
#include "sensor/capture/walls.h"
#include "sensor/common/config.h"
#include "sensor/common/log.h"
#include "sensor/common/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STATISTICS_S = 1 };

/* Frames that never came to us. */
struct drops {
	uint64_t kernel, device;
};

struct capture {
	struct capture_config config;
	struct outlet outlet;
	struct interface interfaces[CONFIG_INTERFACES];
	unsigned open;         /* how many are heard */
	struct drops closed;   /* of interfaces that have gone since */
};

static volatile sig_atomic_t ending;

static void note_end(int signal)
{
	(void)signal;
	ending = 1;
}

/* An interface that can't be opened is left out as long as another can. */
static int open_interfaces(struct capture *c)
{
	enum interface_result worst = INTERFACE_OK;

	for (unsigned i = 0; i < c->config.interfaces; i++) {
		enum interface_result r = interface_open(&c->interfaces[i], &c->config, i, &c->outlet);

		c->open += r == INTERFACE_OK;
		if (r > worst)
			worst = r;
	}
	if (worst == INTERFACE_FORBIDDEN)
		return CAPTURE_FORBIDDEN;
	if (c->open)
		return 0;
	return worst == INTERFACE_MISSING ? CAPTURE_MISSING : CAPTURE_FAILED;
}

static void add_drops(struct interface *i, struct drops *sum)
{
	uint64_t kernel, device;

	interface_drops(i, &kernel, &device);
	sum->kernel += kernel;
	sum->device += device;
}

static void show_counts(struct capture *c)
{
	struct drops sum = c->closed;

	for (unsigned i = 0; i < c->config.interfaces; i++)
		if (c->interfaces[i].pcap)
			add_drops(&c->interfaces[i], &sum);
	outlet_show_counts(&c->outlet, sum.kernel, sum.device);
}

static void take_all(struct capture *c)
{
	for (unsigned i = 0; i < c->config.interfaces; i++) {
		struct interface *one = &c->interfaces[i];

		if (!one->pcap || interface_take(one))
			continue;
		add_drops(one, &c->closed);
		interface_close(one);
		c->open--;
	}
	outlet_publish(&c->outlet);
}

static unsigned descriptors(const struct capture *c, struct pollfd *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->config.interfaces; i++)
		if (c->interfaces[i].pcap)
			fds[n++] = (struct pollfd){ .fd = interface_descriptor(&c->interfaces[i]), .events = POLLIN };
	return n;
}

/* The kernel hands its last block over when that block's time is up. */
static void take_last(struct capture *c)
{
	struct timespec wait = { 0, (long)c->config.timeout_ms * 2 * 1000000 };

	nanosleep(&wait, NULL);
	take_all(c);
	show_counts(c);
}

static int listen_on(struct capture *c, const sigset_t *while_waiting)
{
	struct timespec limit = { STATISTICS_S, 0 }, now;
	struct pollfd fds[CONFIG_INTERFACES];
	time_t shown = 0;

	while (!ending && c->open) {
		ppoll(fds, descriptors(c, fds), &limit, while_waiting);
		take_all(c);
		outlet_beat(&c->outlet);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - shown >= STATISTICS_S) {
			show_counts(c);
			shown = now.tv_sec;
		}
	}
	take_last(c);
	return ending ? CAPTURE_ENDED : CAPTURE_FAILED; /* what was there may come back */
}

/* The signal is let in only while waiting, so that none is missed between a look and the sleep. */
static void await_end_signal(sigset_t *while_waiting)
{
	struct sigaction on_end = { .sa_handler = note_end };
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, while_waiting);
	sigdelset(while_waiting, SIGTERM);
	sigaction(SIGTERM, &on_end, NULL);
	signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C goes to the supervisor, who ends us in order */
}

static void say_listening(const struct capture *c)
{
	char line[64];

	for (unsigned i = 0; i < c->config.interfaces; i++)
		if (c->interfaces[i].pcap) {
			int n = snprintf(line, sizeof line, "askance: listening on %s\n", c->interfaces[i].name);

			if (write(STDERR_FILENO, line, (size_t)n) < 0)
				return;
		}
}

int capture_run(void)
{
	static struct capture c;
	sigset_t while_waiting;
	int result;

	log_open("capture");
	await_end_signal(&while_waiting);
	if (spawn_read_config(&c.config, sizeof c.config) < 0 || !config_capture_valid(&c.config)) {
		log_error("the configuration from the supervisor is not of this version or out of range");
		return CAPTURE_WRONG;
	}
	if (outlet_open(&c.outlet, c.config.engines) < 0) {
		log_error("the rings to the engines can't be mapped: %s", strerror(errno));
		return CAPTURE_WRONG;
	}
	result = open_interfaces(&c);
	if (result)
		return result;
	if (capture_walls(c.config.engines, c.config.walls) < 0)
		return CAPTURE_WRONG;
	say_listening(&c);
	return listen_on(&c, &while_waiting);
}
