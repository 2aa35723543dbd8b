/* The gaps of an asset, each with the probe that would fill it, its bytes and cost, or why none may. */
#include "active/ruleset/script.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = 512 };

/* The port in a gap's subject, "tcp/102"; empty when it has none. */
static void read_target(const json_t *ot, const char *subject, struct explain_target *target)
{
	const char *ip = json_string_value(json_array_get(json_object_get(json_object_get(ot, "asset"), "ip"), 0));
	const char *slash = strchr(subject, '/');

	*target = (struct explain_target){ .host = "" };
	if (ip)
		snprintf(target->host, sizeof target->host, strchr(ip, ':') ? "[%s]" : "%s", ip);
	if (slash && slash[1] >= '0' && slash[1] <= '9')
		snprintf(target->port, sizeof target->port, "%d", atoi(slash + 1));
}

static void show_gap(const json_t *ot, const json_t *gap, size_t number, const struct ruleset *rules, FILE *to)
{
	const char *subject = words_text(gap, "subject"), *name = words_text(gap, "rule");
	const struct rule *rule = name[0] ? ruleset_find(rules, name) : NULL;
	struct explain_target target;
	char lacks[LIST_BYTES];

	words_join(json_object_get(gap, "lacks"), lacks, sizeof lacks);
	fprintf(to, "\ngap %zu: %s, %s%s%s\n", number, subject, words_text(gap, "kind"), lacks[0] ? ", lacks " : "", lacks);
	fprintf(to, "  %s: ", words_text(gap, "verdict"));
	explain_fold(words_text(gap, "why"), 0, to);
	if (!name[0])
		return;
	if (!rule) {
		fprintf(to, "  rule %s is not among the rules here\n", name);
		return;
	}
	fprintf(to, "  rule %s, %s risk: at most %u packets and %u bytes\n", rule->name, risk_name((enum risk)rule->risk),
		rule->max_packets, rule->max_bytes);
	read_target(ot, subject, &target);
	explain_steps(rule, &target, 2, to);
}

void explain_asset(const json_t *document, const struct ruleset *rules, FILE *to)
{
	const json_t *ot = json_object_get(document, "ot"), *gaps = json_object_get(ot, "gaps"), *gap;
	char address[LIST_BYTES], model[LIST_BYTES];
	size_t i;

	words_address(ot, address, sizeof address);
	words_model(document, model, sizeof model);
	fprintf(to, "%s  %s  %s  %s\n", address, words_name(ot), words_vendor(document), model);
	if (!json_array_size(gaps)) {
		fprintf(to, "\nno gaps: nothing would be asked\n");
		return;
	}
	json_array_foreach(gaps, i, gap)
		show_gap(ot, gap, i + 1, rules, to);
}
