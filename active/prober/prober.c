/*
 * Takes orders, checks each to the byte, and answers with an outcome. Nothing is sent to a device:
 * until rules, approvals and budgets are judged here, the only outcome is a refusal.
 */
#include "active/prober/prober.h"

#include "active/prober/walls.h"
#include "active/prober/word.h"
#include "sensor/common/config.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/spawn.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ENDED = 0, EXIT_WRONG = 2 };

static bool text_ends(const char *s, size_t room)
{
	return memchr(s, 0, room) != NULL;
}

static bool config_valid(const struct prober_config *c)
{
	return c->version == CONFIG_VERSION && c->probing <= PROBING_AUTOMATIC && c->walls <= 1 && c->require_clock <= 1 &&
	       text_ends(c->rules_dir, sizeof c->rules_dir) && text_ends(c->state_dir, sizeof c->state_dir) &&
	       text_ends(c->interface, sizeof c->interface) && text_ends(c->source, sizeof c->source) &&
	       text_ends(c->sensor, sizeof c->sensor) && text_ends(c->zone, sizeof c->zone);
}

static bool answer(const struct order *o, enum refusal why)
{
	const struct outcome out = { .order = o->id, .type = OUTCOME_REFUSED, .refusal = (uint32_t)why };

	return write(FD_OUTCOMES, &out, sizeof out) == (ssize_t)sizeof out;
}

static int serve(const struct prober_config *config)
{
	struct pollfd ready = { .fd = FD_ORDERS, .events = POLLIN };
	struct word w;

	word_open(&w, config->state_dir);
	while (!word_ending() && !w.ended && !w.wrong) {
		poll(&ready, 1, -1);
		word_take(&w);
		if (w.has_order && !answer(&w.order, config->probing == PROBING_OFF ? REFUSED_PROBING_OFF : REFUSED_SIGNATURE))
			return EXIT_WRONG;
		w.has_order = false;
	}
	return w.wrong ? EXIT_WRONG : EXIT_ENDED;
}

int prober_run(void)
{
	struct prober_config config;

	log_open("prober");
	word_watch_signals();
	if (spawn_read_config(&config, sizeof config) < 0 || !config_valid(&config)) {
		log_error("the configuration from the supervisor is not of this version or out of range");
		return EXIT_WRONG;
	}
	if (prober_walls(config.walls) < 0)
		return EXIT_WRONG;
	return serve(&config);
}
