/* askance rules: the probe rules, in a table or as documents. */
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/ctl/table.h"
#include "sensor/ctl/terminal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CELL_BYTES = 400 };

static json_t *document_of(const struct rule *rule)
{
	json_t *ports = json_array(), *fills = json_array();

	for (size_t i = 0; i < rule->ports_count; i++)
		json_array_append_new(ports, json_integer(rule->ports[i]));
	for (size_t i = 0; i < rule->fills_count; i++)
		json_array_append_new(fills, json_string(attribute_name((enum attribute)rule->fills[i])));
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:b, s:i, s:i, s:s}", "name", rule->name, "protocol", rule->protocol,
			 "transport", transport_name((enum transport)rule->transport), "ports", ports, "risk",
			 risk_name((enum risk)rule->risk), "fills", fills, "sub_assets", rule->sub_assets, "max_packets",
			 (int)rule->max_packets, "max_bytes", (int)rule->max_bytes, "sha256", rule_sha256(rule));
}

static int print_documents(const struct ruleset *set)
{
	for (size_t i = 0; i < ruleset_count(set); i++) {
		json_t *document = document_of(ruleset_at(set, i));

		if (!document || json_dumpf(document, stdout, JSON_COMPACT) < 0) {
			json_decref(document);
			fprintf(stderr, "askance rules: can't write\n");
			return EXIT_PARTLY;
		}
		putchar('\n');
		json_decref(document);
	}
	return EXIT_WELL;
}

static void join_ports(const struct rule *rule, char *text, size_t room)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < rule->ports_count && n < room; i++)
		n += (size_t)snprintf(text + n, room - n, "%s%u", i ? "," : "", rule->ports[i]);
}

static void join_fills(const struct rule *rule, char *text, size_t room)
{
	size_t n = 0;

	snprintf(text, room, "%s", rule->fills_count ? "" : "(only confirms the protocol)");
	for (size_t i = 0; i < rule->fills_count && n < room; i++)
		n += (size_t)snprintf(text + n, room - n, "%s%s", i ? ", " : "", attribute_name((enum attribute)rule->fills[i]));
}

static void add_row(struct table *t, const struct rule *rule)
{
	char ports[64], packets[16], bytes[16], fills[CELL_BYTES];
	const char *cells[] = { rule->name, risk_name((enum risk)rule->risk), transport_name((enum transport)rule->transport),
				ports,      packets,                          bytes,
				fills };

	join_ports(rule, ports, sizeof ports);
	join_fills(rule, fills, sizeof fills);
	snprintf(packets, sizeof packets, "%u", rule->max_packets);
	snprintf(bytes, sizeof bytes, "%u", rule->max_bytes);
	table_row(t, cells);
}

static int print_table(const struct ruleset *set)
{
	static const char *const headers[] = { "RULE", "RISK", "OVER", "PORTS", "PACKETS", "BYTES", "CAN TELL", NULL };
	struct table t;

	table_start(&t, headers);
	for (size_t i = 0; i < ruleset_count(set); i++)
		add_row(&t, ruleset_at(set, i));
	table_print(&t, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	table_free(&t);
	printf("\n%zu rules; packets and bytes are the most that one run sends. `askance explain RULE` shows every byte.\n",
	       ruleset_count(set));
	return EXIT_WELL;
}

struct request {
	struct rules_load load;
	bool json;
};

static const struct verb_option options[] = {
	OPTION_FLAG(struct request, json, 0, "json", "one JSON document a line for each rule"),
	OPTION_GROUP(struct request, load, rules_load_options),
	OPTION_END,
};

static int rules(int argc, char **argv)
{
	struct request q = { .load = { .verb = "rules" } };
	int result;

	if (!options_take(options, &q, argc, argv) || !rules_load_open(&q.load, false))
		return EXIT_NOTHING;
	result = q.json ? print_documents(q.load.rules) : print_table(q.load.rules);
	rules_load_close(&q.load);
	return output_end("rules", result);
}

const struct verb verb_rules = {
	.name = "rules",
	.summary = "list the probe rules: what could be asked, at what risk and cost",
	.options = options,
	.exits = { "all rules are listed", "not all was written",
		   "a rule is broken (each mistake is told with its file and line), or no rules were found" },
	.run = rules,
};
