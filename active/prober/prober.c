/*
 * Takes orders, checks each to the byte, and answers with an outcome. Nothing is sent to a device:
 * until rules, approvals and budgets are judged here, the only outcome is a refusal.
 */
#include "active/prober/prober.h"

#include "active/prober/walls.h"
#include "sensor/common/config.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ENDED = 0, EXIT_WRONG = 2, FAMILY_NONE = 0, FAMILY_4 = 4, FAMILY_6 = 6, VLAN_MAX = 4094 };

static bool text_ends(const char *s, size_t room)
{
	return memchr(s, 0, room) != NULL;
}

/* The rest of a text's room must be zero too: a sender with stale bytes in a message is not an honest one. */
static bool text_exact(const char *s, size_t room)
{
	if (!text_ends(s, room))
		return false;
	for (size_t i = strlen(s); i < room; i++)
		if (s[i])
			return false;
	return true;
}

static bool rule_name_valid(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == 0;
}

static bool order_valid(const struct order *o)
{
	const struct endpoint *t = &o->target;

	if (o->id == 0 || o->reserved || o->vlan > VLAN_MAX)
		return false;
	if (!text_exact(o->rule, sizeof o->rule) || !rule_name_valid(o->rule) || !text_exact(o->path, sizeof o->path))
		return false;
	return t->family == FAMILY_NONE || t->family == FAMILY_4 || t->family == FAMILY_6;
}

static bool config_valid(const struct prober_config *c)
{
	return c->version == CONFIG_VERSION && c->probing <= PROBING_AUTOMATIC && c->walls <= 1 &&
	       text_ends(c->rules_dir, sizeof c->rules_dir) && text_ends(c->interface, sizeof c->interface) &&
	       text_ends(c->source, sizeof c->source);
}

static bool answer(const struct order *o, enum refusal why)
{
	const struct outcome out = { .order = o->id, .refusal = (uint32_t)why };

	return write(FD_OUTCOMES, &out, sizeof out) == (ssize_t)sizeof out;
}

/* A pipe keeps messages of this size whole, so anything but a whole one is a fault of the sender. */
static int serve(const struct prober_config *config)
{
	struct order o;

	for (;;) {
		ssize_t n = read(FD_ORDERS, &o, sizeof o);

		if (n == 0)
			return EXIT_ENDED;
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof o || !order_valid(&o)) {
			log_error("an order that no honest hub writes (%zd bytes); the prober ends", n);
			return EXIT_WRONG;
		}
		if (!answer(&o, config->probing == PROBING_OFF ? REFUSED_PROBING_OFF : REFUSED_NO_APPROVAL))
			return EXIT_WRONG;
	}
}

int prober_run(void)
{
	struct prober_config config;

	log_open("prober");
	signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C goes to the supervisor, who ends us in order */
	if (spawn_read_config(&config, sizeof config) < 0 || !config_valid(&config)) {
		log_error("the configuration from the supervisor is not of this version or out of range");
		return EXIT_WRONG;
	}
	if (prober_walls(config.walls) < 0)
		return EXIT_WRONG;
	return serve(&config);
}
