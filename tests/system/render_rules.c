/*
 * Prints every message that the rules in a folder are tried with before the guard, one a line:
 * rule, step, protocol, transport, port or ethertype, hex; parted by tabs.
 */
#include "active/ruleset/script.h"

#include <stdio.h>

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	fprintf(stderr, "%s:%u: %s\n", file, line, what);
}

static bool print_message(void *context, const struct rule *rule, size_t step, const struct filling *fillings,
			  const uint8_t *bytes, size_t len)
{
	(void)context;
	(void)fillings;
	if (!bytes)
		return false;
	printf("%s\t%zu\t%s\t%s\t%u\t", rule->name, step, rule->protocol, transport_name((enum transport)rule->transport),
	       rule->transport == TRANSPORT_ETHERNET ? rule->ethertype : rule->ports[0]);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
	return true;
}

int main(int argc, char **argv)
{
	struct ruleset *set = argc == 2 ? ruleset_load(argv[1], complain, NULL) : NULL;
	bool well = set != NULL;

	if (!set) {
		fprintf(stderr, "usage: render_rules DIR\n");
		return 2;
	}
	for (size_t i = 0; i < ruleset_count(set); i++)
		for (size_t n = 0; n < ruleset_at(set, i)->steps_count; n++)
			well &= rule_enumerate(ruleset_at(set, i), n, print_message, NULL);
	ruleset_free(set);
	return well ? 0 : 1;
}
