/* askance explain: of a rule every byte it could send, of an asset what would be asked of it and why. */
#include "sensor/ctl/explain.h"

#include "sensor/ctl/asset_list.h"
#include "sensor/ctl/inventory.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/ctl/sensor_link.h"
#include "sensor/ctl/options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "10.0.0.5", "10.0.0.5:502", "fd00::5", "[fd00::5]:502". False when it is none. */
static bool read_target(const char *text, struct explain_target *target)
{
	struct in6_addr ip;
	char host[INET6_ADDRSTRLEN + 1];
	const char *port = NULL;
	size_t n = strlen(text);
	bool bracket = text[0] == '[';

	if (bracket) {
		n = strcspn(++text, "]");
		if (text[n] != ']')
			return false;
		port = text[n + 1] == ':' ? text + n + 2 : NULL;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		n = strcspn(text, ":");
		port = text + n + 1;
	}
	if (n >= sizeof host)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, &ip) == 1)
		snprintf(target->host, sizeof target->host, "%s", host);
	else if (inet_pton(AF_INET6, host, &ip) == 1)
		snprintf(target->host, sizeof target->host, "[%s]", host);
	else
		return false;
	if (!port)
		return true;
	if (strspn(port, "0123456789") != strlen(port) || !port[0] || strlen(port) > 5 || atoi(port) > 65535 || atoi(port) == 0)
		return false;
	snprintf(target->port, sizeof target->port, "%s", port);
	return true;
}

static int explain_one_rule(const struct rule *rule, const struct policy *policy, const char *text)
{
	struct explain_target target = { .host = "" };

	if (text && !read_target(text, &target)) {
		fprintf(stderr, "askance explain: '%s' is no address; write 10.0.0.5 or 10.0.0.5:502\n", text);
		return EXIT_NOTHING;
	}
	if (target.host[0] && !target.port[0] && rule->ports_count)
		snprintf(target.port, sizeof target.port, "%u", rule->ports[0]);
	explain_rule(rule, policy, &target, stdout);
	return EXIT_WELL;
}

static int explain_one_asset(struct sensor_link *l, const char *asset, const struct ruleset *rules)
{
	struct asset_list all = { .items = NULL };
	size_t found = 0;

	if (sensor_link_open(l) < 0) {
		fprintf(stderr, "askance explain: '%s' is no rule, and without a sensor no asset can be looked up\n", asset);
		return EXIT_NOTHING;
	}
	/* The same address in two zones is two devices: both are shown. */
	if (asset_list_fetch(&all, l) == 0) {
		for (size_t i = 0; i < all.count; i++)
			if (inventory_matches(all.items[i].document, asset)) {
				if (found++)
					putchar('\n');
				explain_asset(all.items[i].document, rules, stdout);
			}
		if (!found)
			fprintf(stderr,
				"askance explain: there is neither a rule nor an asset '%s'; see `askance rules` and `askance assets`\n",
				asset);
	}
	asset_list_free(&all);
	sensor_link_close(l);
	return found ? EXIT_WELL : EXIT_NOTHING;
}

static int explain_words(struct rules_load *rules, struct sensor_link *l, const char *const words[2])
{
	const struct rule *rule;
	int result;

	/* A broken policy is told, and what the rules say is shown all the same. */
	if (!rules_load_open(rules, true) && !rules->rules)
		return EXIT_NOTHING;
	rule = ruleset_find(rules->rules, words[0]);
	if (rule) {
		result = explain_one_rule(rule, rules->policy, words[1]);
	} else if (words[1]) {
		fprintf(stderr, "askance explain: there is no rule '%s'; `askance rules` lists them\n", words[0]);
		result = EXIT_NOTHING;
	} else {
		result = explain_one_asset(l, words[0], rules->rules);
	}
	rules_load_close(rules);
	return result;
}

struct request {
	struct rules_load rules;
	struct sensor_link link;
	const char *words[2];
};

static const struct verb_option options[] = {
	OPTION_WORD(struct request, words[0], "RULE|ASSET", "a name from `askance rules`, or a device's id, address or name"),
	OPTION_MAYBE_WORD(struct request, words[1], "ADDRESS[:PORT]", "whom the rule would ask, where it stands in the message as in HTTP"),
	OPTION_GROUP(struct request, rules, rules_load_options),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static int explain(int argc, char **argv)
{
	struct request q = { .rules = { .verb = "explain" }, .link = { .verb = "explain" } };

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	return explain_words(&q.rules, &q.link, q.words);
}

const struct verb verb_explain = {
	.name = "explain",
	.summary = "show every byte a rule could send, or what would be asked of a device",
	.options = options,
	.help = "Of a device as a running sensor knows it, each gap is shown with the rule that would fill it, the bytes and the cost, or\n"
		"with the reason why none may. Nothing is sent to any device.\n",
	.exits = { "shown", NULL, "there is no such rule or device" },
	.run = explain,
};
