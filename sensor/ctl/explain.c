/* askance explain: of a rule every byte it could send, of an asset what would be asked of it and why. */
#include "sensor/ctl/explain.h"

#include "sensor/ctl/inventory.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/ctl/sensor_link.h"
#include "sensor/ctl/verb.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = CONFIG_NAME_BYTES + 256 };

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

static int explain_one_rule(const struct rule *rule, const char *text)
{
	struct explain_target target = { .host = "" };

	if (text && !read_target(text, &target)) {
		fprintf(stderr, "askance explain: '%s' is no address; write 10.0.0.5 or 10.0.0.5:502\n", text);
		return EXIT_NOTHING;
	}
	if (target.host[0] && !target.port[0] && rule->ports_count)
		snprintf(target.port, sizeof target.port, "%u", rule->ports[0]);
	explain_rule(rule, &target, stdout);
	return EXIT_WELL;
}

static json_t *fetch_document(struct sensor_link *l, const char *id)
{
	char key[KEY_BYTES];
	const char *ask[] = { "HGET", key, "body" };
	json_t *document = NULL;
	redisReply *reply;

	snprintf(key, sizeof key, "askance:{%s}:asset:%s", l->sensor, id);
	reply = sensor_link_ask(l, 3, ask);
	if (reply && reply->type == REDIS_REPLY_STRING)
		document = json_loadb(reply->str, (size_t)reply->len, 0, NULL);
	if (reply)
		freeReplyObject(reply);
	return document;
}

/* By id at once; by address or name through the list of all assets. */
static json_t *find_document(struct sensor_link *l, const char *asset)
{
	char key[KEY_BYTES];
	const char *ask[] = { "ZRANGE", key, "0", "-1" };
	json_t *document = fetch_document(l, asset);
	redisReply *reply;

	if (document)
		return document;
	snprintf(key, sizeof key, "askance:{%s}:changed", l->sensor);
	reply = sensor_link_ask(l, 4, ask);
	for (size_t i = 0; reply && reply->type == REDIS_REPLY_ARRAY && !document && i < reply->elements; i++) {
		document = fetch_document(l, reply->element[i]->str);
		if (document && !inventory_matches(document, asset)) {
			json_decref(document);
			document = NULL;
		}
	}
	if (reply)
		freeReplyObject(reply);
	return document;
}

static int explain_one_asset(struct sensor_link *l, const char *asset, const struct ruleset *rules)
{
	json_t *document;

	if (sensor_link_open(l) < 0) {
		fprintf(stderr, "askance explain: '%s' is no rule, and without a sensor no asset can be looked up\n", asset);
		return EXIT_NOTHING;
	}
	document = find_document(l, asset);
	if (document)
		explain_asset(document, rules, stdout);
	else
		fprintf(stderr, "askance explain: there is neither a rule nor an asset '%s'; see `askance rules` and `askance assets`\n",
			asset);
	sensor_link_close(l);
	json_decref(document);
	return document ? EXIT_WELL : EXIT_NOTHING;
}

static int explain_words(struct rules_load *rules, struct sensor_link *l, const char *const words[2])
{
	const struct rule *rule;
	int result;

	if (!rules_load_open(rules, false))
		return EXIT_NOTHING;
	rule = ruleset_find(rules->rules, words[0]);
	if (rule) {
		result = explain_one_rule(rule, words[1]);
	} else if (words[1]) {
		fprintf(stderr, "askance explain: there is no rule '%s'; `askance rules` lists them\n", words[0]);
		result = EXIT_NOTHING;
	} else {
		result = explain_one_asset(l, words[0], rules->rules);
	}
	rules_load_close(rules);
	return result;
}

static int explain(int argc, char **argv)
{
	struct rules_load rules = { .verb = "explain" };
	struct sensor_link l = { .verb = "explain" };
	const char *words[2] = { NULL, NULL };
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		int taken = rules_load_option(&rules, argc, argv, &i);

		if (taken == 0)
			taken = sensor_link_option(&l, argc, argv, &i);
		if (taken < 0)
			return EXIT_NOTHING;
		if (taken)
			continue;
		if (argv[i][0] == '-' || count == 2) {
			fprintf(stderr, "askance explain: unexpected '%s'; `askance explain --help` tells more\n", argv[i]);
			return EXIT_NOTHING;
		}
		words[count++] = argv[i];
	}
	if (count == 0) {
		fprintf(stderr, "askance explain: name a rule or an asset; `askance explain --help` tells more\n");
		return EXIT_NOTHING;
	}
	return explain_words(&rules, &l, words);
}

const struct verb verb_explain = {
	.name = "explain",
	.usage = "RULE [ADDRESS[:PORT]] | ASSET [--rules DIR] [--config FILE]",
	.summary = "show every byte a rule could send, or what would be asked of an asset",
	.help = "RULE is a name from `askance rules`; an address fills in what is written in the\n"
	        "message itself, as in HTTP. ASSET is an asset's id, address or name as a running\n"
	        "sensor knows it: each of its gaps is shown with the rule that would fill it, the\n"
	        "bytes and the cost, or with the reason why none may.\n"
	        "\n" RULES_LOAD_HELP SENSOR_LINK_HELP
	        "\n"
	        "Nothing is sent to any device.\n"
	        "\n"
	        "Exit codes: 0 shown, 2 there is no such rule or asset.\n",
	.run = explain,
};
