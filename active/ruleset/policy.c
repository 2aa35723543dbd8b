/* Loads the plant's policy, and says of a rule and a target whether it may be proposed, and by which line. */
#include "active/ruleset/policy.h"

#include "active/guard/guard.h"
#include "active/ruleset/policy_check.h"
#include "active/ruleset/policy_line.h"
#include "active/ruleset/timezone.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, MOST_SIGNATURES = 2 };

struct policy {
	struct yaml_file *files[POLICY_FILES];
	void *data[POLICY_FILES];
	struct timezone_data **zones; /* of the windows; the last is NULL */
	struct mistakes mistakes;
};

static const struct {
	const char *name;
	const cyaml_schema_value_t *schema;
} kinds[POLICY_FILES] = {
	[POLICY_WHITELIST] = { "whitelist.yaml", &whitelist_schema },
	[POLICY_EXCLUSIONS] = { "exclusions.yaml", &exclusions_schema },
	[POLICY_WINDOWS] = { "windows.yaml", &windows_schema },
	[POLICY_BUDGETS] = { "budgets.yaml", &budgets_schema },
	[POLICY_ANALYSTS] = { "analysts.yaml", &analysts_schema },
};

static void refuse_printers(const struct yaml_file *file, size_t i, const struct line_file *line, struct mistakes *m)
{
	for (size_t n = 0; n < line->ports_count; n++)
		if (guard_port_prints(line->ports[n]))
			mistake_at(m, yaml_file_path(file), yaml_file_line(file, "allow[%zu].ports[%zu]", i, n),
				   "port %u prints whatever it gets; no line can allow it", line->ports[n]);
}

static void check_whitelist(struct policy *p, const struct ruleset *set)
{
	const struct yaml_file *file = p->files[POLICY_WHITELIST];
	const struct whitelist_file *w = p->data[POLICY_WHITELIST];

	for (size_t i = 0; i < w->allow_count; i++) {
		uint32_t line = yaml_file_line(file, "allow[%zu]", i);

		refuse_printers(file, i, &w->allow[i], &p->mistakes);
		line_check(file, "allow", i, &w->allow[i], set, &p->mistakes);
		if (w->allow[i].rules_count == 0)
			mistake_at(&p->mistakes, yaml_file_path(file), line, "names no rules; a whitelist says what, not only whom");
		if (w->allow[i].signatures > MOST_SIGNATURES)
			mistake_at(&p->mistakes, yaml_file_path(file), line, "asks for %u signatures; %d are the most",
				   w->allow[i].signatures, MOST_SIGNATURES);
		if (w->allow[i].may == ALLOW_AUTOMATIC && w->allow[i].signatures)
			mistake_at(&p->mistakes, yaml_file_path(file), line, "is automatic and asks for signatures; keep one");
		for (size_t n = 0; set && w->allow[i].may == ALLOW_AUTOMATIC && n < ruleset_count(set); n++) {
			const struct rule *rule = ruleset_at(set, n);
			struct line_file only = { .rules = w->allow[i].rules, .rules_count = w->allow[i].rules_count };
			struct policy_target nobody = { .who = &(struct endpoint){ .family = 0 } };

			if (rule->risk != RISK_LOW && line_fits(&only, rule, &nobody) == FIT_ALL)
				mistake_at(&p->mistakes, yaml_file_path(file), line,
					   "makes '%s' automatic, whose risk is %s; only low may be", rule->name,
					   risk_name((enum risk)rule->risk));
		}
	}
}

static void check_exclusions(struct policy *p, const struct ruleset *set)
{
	const struct yaml_file *file = p->files[POLICY_EXCLUSIONS];
	const struct exclusions_file *e = p->data[POLICY_EXCLUSIONS];

	for (size_t i = 0; i < e->never_count; i++)
		line_check(file, "never", i, &e->never[i], set, &p->mistakes);
}

/* False when there is no such file, a mistake in it, or no memory for it. */
static bool load_kind(struct policy *p, const char *dir, enum policy_kind kind)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/policy/%s", dir, kinds[kind].name);
	p->files[kind] = yaml_file_open(path, &p->mistakes);
	if (p->files[kind])
		p->data[kind] = yaml_file_load(p->files[kind], kinds[kind].schema, &p->mistakes);
	return p->data[kind] != NULL;
}

/* All that windows need is read now: their clock is asked when no file can be opened any more. */
static bool load_zones(struct policy *p)
{
	const struct windows_file *w = p->data[POLICY_WINDOWS];

	p->zones = calloc(w->windows_count + 1, sizeof(struct timezone_data *));
	if (!p->zones)
		return false;
	for (size_t i = 0; i < w->windows_count; i++) {
		p->zones[i] = timezone_load(w->windows[i].timezone);
		if (!p->zones[i])
			return false;
	}
	return true;
}

struct policy *policy_load(const char *dir, const struct ruleset *set, ruleset_complain *complain, void *context)
{
	struct policy *p = calloc(1, sizeof(*p));
	bool whole = true;

	if (!p)
		return NULL;
	p->mistakes = (struct mistakes){ complain, context, 0 };
	for (int kind = 0; kind < POLICY_FILES; kind++)
		whole &= load_kind(p, dir, (enum policy_kind)kind);
	if (p->data[POLICY_WHITELIST])
		check_whitelist(p, set);
	if (p->data[POLICY_EXCLUSIONS])
		check_exclusions(p, set);
	if (p->data[POLICY_WINDOWS])
		policy_check_windows(p->files[POLICY_WINDOWS], p->data[POLICY_WINDOWS], &p->mistakes);
	if (p->data[POLICY_BUDGETS])
		policy_check_budgets(p->files[POLICY_BUDGETS], p->data[POLICY_BUDGETS], &p->mistakes);
	if (p->data[POLICY_ANALYSTS])
		policy_check_analysts(p->files[POLICY_ANALYSTS], p->data[POLICY_ANALYSTS], &p->mistakes);
	if (whole && p->mistakes.count == 0 && load_zones(p))
		return p;
	policy_free(p);
	return NULL;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (int kind = 0; kind < POLICY_FILES; kind++) {
		yaml_file_unload(kinds[kind].schema, p->data[kind]);
		yaml_file_close(p->files[kind]);
	}
	for (size_t i = 0; p->zones && p->zones[i]; i++)
		timezone_free(p->zones[i]);
	free(p->zones);
	free(p);
}

const void *policy_data(const struct policy *p, enum policy_kind kind)
{
	return p->data[kind];
}

uint32_t policy_line(const struct policy *p, enum policy_kind kind, const char *list, size_t i)
{
	return yaml_file_line(p->files[kind], "%s[%zu]", list, i);
}

struct timezone_data *const *policy_zones(const struct policy *p)
{
	return p->zones;
}

const struct policy_budgets *policy_budgets(const struct policy *p)
{
	return p->data[POLICY_BUDGETS];
}

static struct policy_verdict forbid(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct policy_verdict forbid(const char *format, ...)
{
	struct policy_verdict v = { .allowed = false };
	va_list args;

	va_start(args, format);
	vsnprintf(v.why, sizeof(v.why), format, args);
	va_end(args);
	return v;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	while (n--)
		if (*bytes++)
			return false;
	return true;
}

/* What no policy can allow: an address that is nobody's or many's, a port that prints. NULL when it is neither. */
static const char *never_allowed(const struct rule *rule, const struct policy_target *t)
{
	struct endpoint plain = plain_endpoint(t->who);
	const struct endpoint *who = &plain;

	if (guard_port_prints(t->port))
		return "a printer's port prints whatever it gets";
	if (rule->multicast)
		return NULL;
	if (rule->transport == TRANSPORT_ETHERNET)
		return is_zero(who->mac, 6) || (who->mac[0] & 1) ? "the target has no MAC address of its own" : NULL;
	if (who->family != 4 && who->family != 6)
		return "the target has no IP address";
	if (is_zero(who->ip, who->family == 4 ? 4 : 16))
		return "the target's address is unspecified";
	if (who->family == 4 ? who->ip[0] >= 224 : who->ip[0] == 0xff)
		return "the target's address is not one device's";
	return NULL;
}

static uint8_t signatures_for(const struct rule *rule, const struct line_file *line)
{
	uint8_t least = rule->risk >= RISK_HIGH ? 2 : 1;

	return line->signatures > least ? line->signatures : least;
}

/* A custom rule is allowed by a line that names it and its port, letter for letter; patterns and lines for all ports don't count. */
static bool names_custom(const struct line_file *line, const struct rule *rule)
{
	for (size_t i = 0; line->ports_count && i < line->rules_count; i++)
		if (strcmp(line->rules[i], rule->name) == 0)
			return true;
	return false;
}

/* Names the nearest line, one about this rule whose other conditions fail, so that a person knows what to change. */
static struct policy_verdict forbid_unlisted(const struct policy *p, const struct rule *rule,
					     const struct policy_target *target)
{
	const struct whitelist_file *w = p->data[POLICY_WHITELIST];

	for (size_t i = 0; i < w->allow_count; i++) {
		enum line_fit fit = line_fits(&w->allow[i], rule, target);

		if (fit == FIT_NOT_RULE)
			continue;
		if (rule->risk == RISK_CUSTOM && !names_custom(&w->allow[i], rule))
			return forbid("whitelist.yaml:%u does not name %s and its ports exactly, as a custom rule needs",
				      yaml_file_line(p->files[POLICY_WHITELIST], "allow[%zu]", i), rule->name);
		if (fit == FIT_NOT_CLASS)
			return forbid("whitelist.yaml:%u allows %s, but not for class '%s'",
				      yaml_file_line(p->files[POLICY_WHITELIST], "allow[%zu]", i), rule->name,
				      target->device_class && target->device_class[0] ? target->device_class : "unknown");
		return forbid("whitelist.yaml:%u allows %s, but not for this %s",
			      yaml_file_line(p->files[POLICY_WHITELIST], "allow[%zu]", i), rule->name, line_fit_name(fit));
	}
	return forbid("no line of whitelist.yaml allows %s", rule->name);
}

struct policy_verdict policy_verdict(const struct policy *p, const struct rule *rule, const struct policy_target *target)
{
	const struct exclusions_file *e = p->data[POLICY_EXCLUSIONS];
	const struct whitelist_file *w = p->data[POLICY_WHITELIST];
	const char *never = never_allowed(rule, target);

	if (never)
		return forbid("%s", never);
	if (!rule_takes_port(rule, target->port))
		return forbid("%s is asked at the ports of custom.yaml and at no other", rule->name);
	for (size_t i = 0; i < e->never_count; i++)
		if (line_fits(&e->never[i], rule, target) == FIT_ALL)
			return forbid("exclusions.yaml:%u: %s", yaml_file_line(p->files[POLICY_EXCLUSIONS], "never[%zu]", i),
				      e->never[i].why);
	for (size_t i = 0; i < w->allow_count; i++) {
		const struct line_file *line = &w->allow[i];
		struct policy_verdict v = { .allowed = true };

		if (line_fits(line, rule, target) != FIT_ALL || (rule->risk == RISK_CUSTOM && !names_custom(line, rule)))
			continue;
		v.automatic = line->may == ALLOW_AUTOMATIC && rule->risk == RISK_LOW;
		v.signatures = signatures_for(rule, line);
		snprintf(v.why, sizeof(v.why), "whitelist.yaml:%u: %s", yaml_file_line(p->files[POLICY_WHITELIST], "allow[%zu]", i),
			 line->why);
		return v;
	}
	return forbid_unlisted(p, rule, target);
}
