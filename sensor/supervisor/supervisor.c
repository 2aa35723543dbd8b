/*
 * The life of the sensor. Signals are taken one by one from a wait with a time limit, so that nothing
 * here runs at the same time as anything else.
 */
#include "sensor/supervisor/supervisor.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/supervisor/child.h"
#include "sensor/supervisor/configuration.h"
#include "sensor/supervisor/crash.h"
#include "sensor/supervisor/notify.h"
#include "sensor/supervisor/rights.h"
#include "sensor/supervisor/watchdog.h"
#include "sensor/supervisor/wiring.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CHILDREN = CONFIG_ENGINES + 5,
	STOP_MS = 6000,     /* what the prober has to take leave of a device: a SYN, a drain and a farewell are 3.8 s, and it writes to disk */
	RENEW_MS = 10000,   /* what a child has to end itself before it is started anew */
	PATIENCE_MS = 1000, /* a second signal that soon is the same wish: a terminal's, and a script's that the terminal ended too */
	GOING_ON = -1,
};

struct supervisor {
	struct configuration config;
	struct wiring wiring;
	struct child child[CHILDREN];
	unsigned children;
	unsigned heard[CONFIG_INTERFACES]; /* indices of the interfaces when capture was started */
	int64_t looked_ms;
	bool ready;
	bool impatient; /* a second order to end: no more waiting */
	int64_t ends_since_ms;
	sigset_t signals;
};

static void tell_mistake(void *context, const char *path, unsigned line, const char *sentence)
{
	(void)context;
	if (line)
		log_error("%s:%u: %s", path, line, sentence);
	else
		log_error("%s: %s", path, sentence);
}

static void add_child(struct supervisor *s, enum child_role role, unsigned index, const char *name)
{
	struct child *c = &s->child[s->children++];

	*c = (struct child){ .role = role, .index = index };
	if (role == CHILD_ENGINE && s->wiring.engines > 1)
		snprintf(c->name, sizeof c->name, "%s %u", name, index);
	else
		snprintf(c->name, sizeof c->name, "%s", name);
}

/* In the order of their start. Each finds its ring or pipe, so none waits for another. */
static void list_children(struct supervisor *s)
{
	if (!s->config.redis_url[0])
		add_child(s, CHILD_REDIS, 0, "redis-server");
	if (wiring_needs_relay(&s->wiring))
		add_child(s, CHILD_RELAY, 0, "relay");
	add_child(s, CHILD_HUB, 0, "hub");
	add_child(s, CHILD_PROBER, 0, "prober");
	for (unsigned i = 0; i < s->wiring.engines; i++)
		add_child(s, CHILD_ENGINE, i, "engine");
	if (s->wiring.live)
		add_child(s, CHILD_CAPTURE, 0, "capture");
}

static void note_interfaces(struct supervisor *s)
{
	for (unsigned i = 0; i < s->config.sources; i++)
		s->heard[i] = if_nametoindex(s->config.source[i].interface);
}

static pid_t start_process(struct supervisor *s, const struct child *c)
{
	switch (c->role) {
	case CHILD_REDIS:
		return wiring_start_redis(&s->wiring);
	case CHILD_RELAY:
		return wiring_start_relay(&s->wiring);
	case CHILD_HUB:
		return wiring_start_hub(&s->wiring);
	case CHILD_PROBER:
		return wiring_start_prober(&s->wiring);
	case CHILD_ENGINE:
		return wiring_start_engine(&s->wiring, c->index);
	default:
		note_interfaces(s);
		return wiring_start_capture(&s->wiring);
	}
}

/* A program that is not there at the first start is not going to come. */
static int start_child(struct supervisor *s, struct child *c)
{
	pid_t pid = start_process(s, c);

	if (pid > 0) {
		child_started(c, pid);
		watchdog_started(&s->wiring, c);
		return GOING_ON;
	}
	log_error("%s can't be started: %s", c->name, strerror(errno));
	if (c->starts == 0)
		return errno == ENOENT ? SUPERVISOR_WRONG : SUPERVISOR_FAILED;
	return child_ended(c, W_EXITCODE(EXIT_FAILURE, 0)) == CHILD_HOPELESS ? SUPERVISOR_FAILED : GOING_ON;
}

static int start_due(struct supervisor *s)
{
	int64_t now = child_clock_ms();
	int result = GOING_ON;

	for (unsigned i = 0; i < s->children && result == GOING_ON; i++) {
		struct child *c = &s->child[i];

		if (c->pid && c->kill_ms && now >= c->kill_ms)
			kill(c->pid, SIGKILL);
		if (!c->pid && !c->finished && now >= c->next_ms)
			result = start_child(s, c);
	}
	return result;
}

static struct child *find_child(struct supervisor *s, pid_t pid)
{
	for (unsigned i = 0; i < s->children; i++)
		if (s->child[i].pid == pid)
			return &s->child[i];
	return NULL;
}

static void tell_finished(const struct supervisor *s, const struct child *c)
{
	const struct capture_source *source = s->wiring.engine[c->index].source;

	log_info("%s was read to its end; the sensor goes on until it is told to end", source ? source->file : "the ring");
}

static void renew(struct supervisor *s, enum child_role role, int signal, int64_t limit_ms)
{
	for (unsigned i = 0; i < s->children; i++)
		if (s->child[i].role == role)
			child_renew(&s->child[i], signal, limit_ms);
}

/* What follows from how it ended, beyond starting again. */
static void draw_conclusions(struct supervisor *s, struct child *c, int status)
{
	if (c->role == CHILD_ENGINE)
		crash_of_engine(&s->wiring, c, status);
	else if (c->role == CHILD_HUB && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG_REPORT)
		crash_of_trust(&s->wiring, s->child, s->children);
	else if (c->role == CHILD_HUB && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG_OUTCOME)
		renew(s, CHILD_PROBER, SIGTERM, STOP_MS);
}

static int reap(struct supervisor *s)
{
	int status, result = GOING_ON;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = find_child(s, pid);
		enum child_verdict v = c ? child_ended(c, status) : CHILD_AGAIN;

		if (v == CHILD_DONE)
			tell_finished(s, c);
		if (c && v == CHILD_AGAIN)
			draw_conclusions(s, c, status);
		if (v == CHILD_WRONG || v == CHILD_HOPELESS)
			result = v == CHILD_WRONG ? SUPERVISOR_WRONG : SUPERVISOR_FAILED;
	}
	return result;
}

/* Capture can't open what came (back) after its walls stood: then it is started anew. */
static void look_for_interfaces(struct supervisor *s)
{
	for (unsigned i = 0; i < s->config.sources; i++) {
		const char *name = s->config.source[i].interface;
		unsigned index = name[0] ? if_nametoindex(name) : 0;

		if (index && index != s->heard[i]) {
			log_info("interface %s is there", name);
			renew(s, CHILD_CAPTURE, SIGTERM, RENEW_MS);
			return;
		}
	}
}

static void look_for_hanging(struct supervisor *s)
{
	for (unsigned i = 0; i < s->children; i++) {
		struct child *c = &s->child[i];

		if (!c->pid || c->wanted_end || !watchdog_hangs(&s->wiring, c))
			continue;
		c->hung = true;
		kill(c->pid, SIGKILL);
	}
}

/* It listens when capture does; of files, when they are read. What the hub still loads waits in the rings meanwhile. */
static void look_for_ears(struct supervisor *s)
{
	enum child_role ears = s->wiring.live ? CHILD_CAPTURE : CHILD_ENGINE;

	for (unsigned i = 0; i < s->children && !s->ready; i++)
		s->ready = s->child[i].role == ears && (s->child[i].beaten || s->child[i].finished);
	if (s->ready)
		notify_say("READY=1");
}

static void look_around(struct supervisor *s)
{
	int64_t now = child_clock_ms();

	if (now - s->looked_ms < WATCHDOG_LOOK_MS)
		return;
	s->looked_ms = now;
	look_for_interfaces(s);
	look_for_hanging(s);
	if (!s->ready)
		look_for_ears(s);
}

static int take_signal(struct supervisor *s, int signal)
{
	switch (signal) {
	case SIGTERM:
	case SIGINT:
		return SUPERVISOR_ENDED;
	case SIGHUP:
		log_info("loads the rules again");
		renew(s, CHILD_HUB, SIGTERM, RENEW_MS);
		renew(s, CHILD_PROBER, SIGTERM, RENEW_MS);
		return GOING_ON;
	case SIGUSR1:
		log_warning("probing is stopped until the next start");
		s->wiring.probing_stopped = true;
		/* It sends nothing more from the signal on but the end of its connections; who does not end is ended. */
		renew(s, CHILD_PROBER, SIGUSR1, STOP_MS);
		renew(s, CHILD_HUB, SIGTERM, RENEW_MS);
		return GOING_ON;
	default:
		return reap(s);
	}
}

static int64_t next_due_ms(const struct supervisor *s)
{
	int64_t now = child_clock_ms(), next = now + WATCHDOG_LOOK_MS;

	for (unsigned i = 0; i < s->children; i++) {
		const struct child *c = &s->child[i];

		if (!c->pid && !c->finished && c->next_ms < next)
			next = c->next_ms;
		if (c->pid && c->kill_ms && c->kill_ms < next)
			next = c->kill_ms;
	}
	return next > now ? next - now : 0;
}

static int wait_signal(const sigset_t *set, int64_t limit_ms)
{
	struct timespec t = { limit_ms / 1000, limit_ms % 1000 * 1000000 };

	return sigtimedwait(set, NULL, &t);
}

static int keep_running(struct supervisor *s)
{
	int result = start_due(s);

	while (result == GOING_ON) {
		int signal = wait_signal(&s->signals, next_due_ms(s));

		if (signal > 0)
			result = take_signal(s, signal);
		if (result != GOING_ON)
			break;
		look_around(s);
		result = start_due(s);
	}
	return result;
}

static bool any_alive(const struct supervisor *s, enum child_role role)
{
	for (unsigned i = 0; i < s->children; i++)
		if (s->child[i].role == role && s->child[i].pid)
			return true;
	return false;
}

static void signal_role(const struct supervisor *s, enum child_role role, int signal)
{
	for (unsigned i = 0; i < s->children; i++)
		if (s->child[i].role == role && s->child[i].pid)
			kill(s->child[i].pid, signal);
}

static void reap_ending(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = find_child(s, pid);

		if (c)
			c->pid = 0;
	}
}

static void tell_unending(const struct supervisor *s, enum child_role role)
{
	for (unsigned i = 0; i < s->children; i++)
		if (s->child[i].role == role && s->child[i].pid)
			log_warning("%s does not end by itself%s and is killed", s->child[i].name, s->impatient ? " at once" : " in time");
}

/* True when all of that role ended by themselves within the limit. */
static bool end_role(struct supervisor *s, enum child_role role, int64_t limit_ms)
{
	int64_t end = child_clock_ms() + limit_ms, left;
	bool told = false;

	reap_ending(s);
	signal_role(s, role, SIGTERM);
	while (any_alive(s, role) && (left = end - child_clock_ms()) > 0 && !s->impatient) {
		int signal = wait_signal(&s->signals, left);

		if (signal == SIGTERM || signal == SIGINT)
			s->impatient = child_clock_ms() - s->ends_since_ms > PATIENCE_MS;
		reap_ending(s);
	}
	for (; any_alive(s, role); reap_ending(s)) {
		if (!told)
			tell_unending(s, role);
		told = true;
		signal_role(s, role, SIGKILL);
		wait_signal(&s->signals, 100);
	}
	return !told;
}

/* From the source to the sea: whoever still has something to hand on finds its reader alive. */
static bool end_all(struct supervisor *s)
{
	static const struct {
		enum child_role role;
		int64_t limit_ms;
	} order[] = {
		{ CHILD_CAPTURE, 3000 }, { CHILD_ENGINE, 20000 }, { CHILD_HUB, 20000 }, { CHILD_PROBER, STOP_MS }, { CHILD_REDIS, 20000 },
	};
	bool clean = true;

	s->ends_since_ms = child_clock_ms();
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		clean &= end_role(s, order[i].role, order[i].limit_ms);
	return clean;
}

static int check_interfaces(const struct configuration *c)
{
	int missing = 0;

	for (unsigned i = 0; i < c->sources; i++) {
		const char *name = c->source[i].interface;

		if (name[0] && !if_nametoindex(name)) {
			log_error("there is no interface '%s'; `ip link` lists them", name);
			missing++;
		}
	}
	return missing ? -1 : 0;
}

static int prepare(struct supervisor *s, const char *config_path)
{
	int lacks;

	if (configuration_read(config_path, &s->config, tell_mistake, NULL) > 0)
		return -1;
	if (check_interfaces(&s->config) < 0)
		return -1;
	if (!s->config.redis_url[0] && !wiring_find_redis()) {
		log_error("redis-server is not installed (`apt install redis-server`), and the configuration names no redis.url");
		return -1;
	}
	notify_open();
	if (wiring_open_files(&s->wiring, &s->config) < 0)
		return -1;
	lacks = rights_reduce(&s->config);
	if (lacks < 0)
		return -1;
	s->wiring.lacks = (uint32_t)lacks;
	return wiring_make(&s->wiring);
}

static void block_signals(sigset_t *set)
{
	static const int taken[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		sigaddset(set, taken[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int supervisor_run(const char *config_path)
{
	static struct supervisor s;
	int result;

	log_open("askance");
	block_signals(&s.signals);
	if (prepare(&s, config_path) < 0)
		return SUPERVISOR_WRONG;
	list_children(&s);
	result = keep_running(&s);
	notify_say("STOPPING=1");
	if (result == SUPERVISOR_ENDED)
		log_info("ends");
	if (!end_all(&s) && result == SUPERVISOR_ENDED)
		result = SUPERVISOR_FAILED;
	return result;
}
