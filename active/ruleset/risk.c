/* The words for risk classes. */
#include "active/ruleset/ruleset.h"

#include <string.h>

static const char *const names[RISKS] = {
	[RISK_LOW] = "low",
	[RISK_MEDIUM] = "medium",
	[RISK_HIGH] = "high",
	[RISK_CUSTOM] = "custom",
};

const char *risk_name(enum risk r)
{
	return r < RISKS ? names[r] : "unknown";
}

enum risk risk_of_name(const char *name)
{
	for (int r = 0; r < RISKS; r++)
		if (strcmp(names[r], name) == 0)
			return (enum risk)r;
	return RISKS;
}

bool rule_fills(const struct rule *rule, enum attribute a)
{
	for (size_t i = 0; i < rule->fills_count; i++)
		if (rule->fills[i] == a)
			return true;
	return false;
}
