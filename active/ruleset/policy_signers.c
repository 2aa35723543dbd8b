/* Analysts: who they are, what each may sign, and whether an approval has the signatures that it needs. */
#include "active/ruleset/policy_check.h"

#include "active/guard/approval.h"

#include <fnmatch.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct analyst_file *find_analyst(const struct policy *policy, const char *name)
{
	const struct analysts_file *a = policy_data(policy, POLICY_ANALYSTS);

	for (size_t i = 0; i < a->analysts_count; i++)
		if (strcmp(a->analysts[i].name, name) == 0)
			return &a->analysts[i];
	return NULL;
}

bool policy_analyst(const struct policy *policy, const char *name, uint8_t key[POLICY_KEY_BYTES])
{
	const struct analyst_file *a = find_analyst(policy, name);

	return a && sodium_base642bin(key, POLICY_KEY_BYTES, a->key, strlen(a->key), NULL, NULL, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

const char *policy_analyst_of_key(const struct policy *policy, const uint8_t key[POLICY_KEY_BYTES])
{
	const struct analysts_file *a = policy_data(policy, POLICY_ANALYSTS);
	uint8_t other[POLICY_KEY_BYTES];

	for (size_t i = 0; i < a->analysts_count; i++)
		if (policy_analyst(policy, a->analysts[i].name, other) && sodium_memcmp(key, other, sizeof(other)) == 0)
			return a->analysts[i].name;
	return NULL;
}

bool policy_analyst_may(const struct policy *policy, const char *name, enum risk risk, const char *zone)
{
	const struct analyst_file *a = find_analyst(policy, name);
	bool may = false, here;

	if (!a)
		return false;
	for (size_t i = 0; i < a->may_count; i++)
		may |= a->may[i] == risk;
	here = a->zones_count == 0;
	for (size_t i = 0; i < a->zones_count; i++)
		here |= fnmatch(a->zones[i], zone ? zone : "", FNM_CASEFOLD) == 0;
	return may && here;
}

static bool refuse(char why[POLICY_WHY_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(char why[POLICY_WHY_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, POLICY_WHY_BYTES, format, args);
	va_end(args);
	return false;
}

bool policy_signed(const struct policy *policy, const struct rule *rule, const struct approval *a, uint8_t needed,
		   char why[POLICY_WHY_BYTES])
{
	uint8_t keys[APPROVAL_SIGNATURES][POLICY_KEY_BYTES];

	if (!approval_valid(a))
		return refuse(why, "a field of the approval is out of its range");
	for (size_t i = 0; i < a->signatures; i++) {
		const struct approval_signature *s = &a->signature[i];

		if (!policy_analyst(policy, s->analyst, keys[i]))
			return refuse(why, "analysts.yaml knows no '%s'", s->analyst);
		if (!policy_analyst_may(policy, s->analyst, (enum risk)rule->risk, a->zone))
			return refuse(why, "'%s' may not approve %s risk in zone %s", s->analyst, risk_name((enum risk)rule->risk), a->zone);
		if (!approval_verify(a, s, keys[i]))
			return refuse(why, "the signature of '%s' does not fit", s->analyst);
		for (size_t n = 0; n < i; n++)
			if (memcmp(keys[n], keys[i], POLICY_KEY_BYTES) == 0)
				return refuse(why, "'%s' and '%s' are one signer", a->signature[n].analyst, s->analyst);
	}
	if (a->signatures < needed)
		return refuse(why, "it needs %u signature%s and has %u", needed, needed == 1 ? "" : "s", a->signatures);
	return true;
}
