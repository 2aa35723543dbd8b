/* A rule in words: what it asks, why it is of that risk, its bounds, what it fills. */
#include "active/ruleset/script.h"
#include "sensor/ctl/explain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 78, CLASSES_BYTES = 600, INDENT = 4 };

void explain_fold(const char *text, int indent, FILE *to)
{
	int column = indent;

	fprintf(to, "%*s", indent, "");
	while (*text) {
		size_t n = strcspn(text, " \n");

		if (column > indent && column + 1 + (int)n > COLUMNS) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
		}
		if (column > indent) {
			fputc(' ', to);
			column++;
		}
		fwrite(text, 1, n, to);
		column += (int)n;
		text += n + strspn(text + n, " \n");
	}
	fputc('\n', to);
}

static void show_place(const struct rule *rule, FILE *to)
{
	fprintf(to, "%s: %s risk, over %s", rule->name, risk_name((enum risk)rule->risk),
		transport_name((enum transport)rule->transport));
	if (rule->transport == TRANSPORT_ETHERNET)
		fprintf(to, ", ethertype 0x%04x", rule->ethertype);
	for (size_t i = 0; i < rule->ports_count; i++)
		fprintf(to, "%s%u", i ? ", " : rule->risk == RISK_CUSTOM ? ", only at port " : ", usually port ", rule->ports[i]);
	fprintf(to, "\n(%s:%u)\n\n", rule->file, rule->line);
}

static void show_needs(const struct rule *rule, FILE *to)
{
	static const char *const signatures[RISKS] = {
		[RISK_LOW] = "one analyst signs, unless the whitelist makes it automatic",
		[RISK_MEDIUM] = "one analyst signs",
		[RISK_HIGH] = "two analysts sign",
		[RISK_CUSTOM] = "two analysts sign, and whitelist.yaml names the rule and its port exactly",
	};

	fprintf(to, "\nmust have been seen: ");
	for (size_t i = 0; i < rule->seen_count; i++)
		fprintf(to, "%s%s", i ? " or " : "", rule->seen[i]);
	fprintf(to, ", by the structure of its messages, at that address%s\n",
		rule->transport == TRANSPORT_ETHERNET ? "" : " and port");
	fprintf(to, "can tell: ");
	for (size_t i = 0; i < rule->fills_count; i++)
		fprintf(to, "%s%s", i ? ", " : "", attribute_name((enum attribute)rule->fills[i]));
	fprintf(to, "%s%s\n", rule->fills_count ? "" : "nothing but that the protocol is spoken there",
		rule->sub_assets ? "; of what stands behind the service" : "");
	fprintf(to, "approval: %s; the whitelist may ask for more\n", signatures[rule->risk]);
}

static void show_bounds(const struct rule *rule, FILE *to)
{
	fprintf(to, "at most: %u packet%s and %u bytes towards the device%s; %u ms for each reply\n", rule->max_packets,
		rule->max_packets == 1 ? "" : "s", rule->max_bytes, rule->transport == TRANSPORT_TCP ? " (SYN, ACKs and FIN counted), in one connection" : "",
		rule->timeout_ms);
	if (rule->multicast)
		fprintf(to, "goes to many: %02x:%02x:%02x:%02x:%02x:%02x\n", rule->destination[0], rule->destination[1],
			rule->destination[2], rule->destination[3], rule->destination[4], rule->destination[5]);
	if (rule->reply_port != REPLY_PORT_SERVICE)
		fprintf(to, "replies are taken from any port of the device%s\n",
			rule->reply_port == REPLY_PORT_FOLLOW ? "; what follows the first goes to the port it came from" : "");
	if (rule->address)
		fprintf(to, "goes through stated values of {%s}\n", rule->address);
	fprintf(to, "sha256: %s\n", rule_sha256(rule));
}

/*
 * The target as far as it is known. Without one, an address that a line without conditions on addresses fits: what
 * is told then depends on the class alone.
 */
static struct policy_verdict verdict_for(const struct policy *policy, const struct rule *rule, const struct explain_target *t, const char *class)
{
	struct endpoint who = { .mac = { 0x02, 0, 0, 0, 0, 1 }, .family = 4, .ip = { 192, 0, 2, 1 } };
	struct policy_target target = { &who, "", class, "", rule->ports_count ? rule->ports[0] : 0 };
	char host[sizeof t->host], *cut;
	struct policy_verdict v;

	if (t->host[0]) {
		/* IPv6 stands in brackets there. */
		snprintf(host, sizeof host, "%s", t->host[0] == '[' ? t->host + 1 : t->host);
		host[strcspn(host, "]")] = '\0';
		who.family = strchr(host, ':') ? 6 : 4;
		memset(who.ip, 0, sizeof who.ip);
		inet_pton(who.family == 6 ? AF_INET6 : AF_INET, host, who.ip);
	}
	if (t->port[0])
		target.port = (uint16_t)atoi(t->port);
	v = policy_verdict(policy, rule, &target);
	/* One line that lacks many classes is told once. */
	cut = strstr(v.why, ", but not for class '");
	if (cut)
		snprintf(cut, sizeof v.why - (size_t)(cut - v.why), ", but not for these classes");
	return v;
}

/* Each line of the policy that decides, with the classes it decides for. */
static void show_verdicts(const struct rule *rule, const struct policy *policy, const struct explain_target *t, FILE *to)
{
	for (size_t i = 0; policy_class(i); i++) {
		struct policy_verdict v = verdict_for(policy, rule, t, policy_class(i));
		char classes[CLASSES_BYTES] = "", line[CLASSES_BYTES + 8];
		bool before = false;
		size_t n = 0;

		for (size_t k = 0; k < i && !before; k++)
			before = strcmp(verdict_for(policy, rule, t, policy_class(k)).why, v.why) == 0;
		for (size_t k = i; !before && policy_class(k) && n < sizeof classes; k++)
			if (strcmp(verdict_for(policy, rule, t, policy_class(k)).why, v.why) == 0)
				n += (size_t)snprintf(classes + n, sizeof classes - n, "%s%s", n ? ", " : "", policy_class(k));
		if (before)
			continue;
		if (v.allowed)
			fprintf(to, "  may be proposed, %u signature%s%s\n", v.signatures, v.signatures == 1 ? "" : "s", v.automatic ? ", automatic" : "");
		else
			fprintf(to, "  forbidden\n");
		explain_fold(v.why, INDENT, to);
		snprintf(line, sizeof line, "for: %s", classes);
		explain_fold(line, INDENT, to);
	}
}

static void show_window(const struct policy *policy, FILE *to)
{
	time_t now = time(NULL), at = (time_t)policy_window_changes(policy, "", now);
	struct policy_window w = policy_window(policy, "", now);
	char when[64] = "";
	struct tm utc;

	if (at && gmtime_r(&at, &utc))
		strftime(when, sizeof when, w.open ? ", until %Y-%m-%d %H:%M UTC" : "; the next opens %Y-%m-%d %H:%M UTC", &utc);
	fprintf(to, "window now: %s%s\n", w.why, when);
}

static void show_budget(const char *name, const struct policy_budget *b, FILE *to)
{
	fprintf(to, "  %-7s %u packets, %u bytes, %u connections a minute; %u, %u, %u a day\n", name, b->packets_a_minute, b->bytes_a_minute,
		b->connections_a_minute, b->packets_a_day, b->bytes_a_day, b->connections_a_day);
}

/* What the whitelist and the exclusions say of it, where that stands, when it may be asked and how much. */
static void show_policy(const struct rule *rule, const struct policy *policy, const struct explain_target *t, FILE *to)
{
	const struct policy_budgets *b = policy_budgets(policy);

	fprintf(to, "policy%s%s%s%s:\n", t->host[0] ? " for " : "", t->host, t->host[0] && t->port[0] ? ":" : "", t->host[0] ? t->port : "");
	show_verdicts(rule, policy, t, to);
	show_window(policy, to);
	fprintf(to, "budgets (budgets.yaml): %u s between two runs against a device, the same rule after %u days, one device at a time\n",
		b->cool_down_s, b->repeat_days);
	show_budget("device", &b->target, to);
	show_budget("zone", &b->zone, to);
	show_budget("sensor", &b->sensor, to);
}

void explain_rule(const struct rule *rule, const struct policy *policy, const struct explain_target *target, FILE *to)
{
	show_place(rule, to);
	explain_fold(rule->why, 2, to);
	if (rule->notes[0]) {
		fputc('\n', to);
		explain_fold(rule->notes, 2, to);
	}
	show_needs(rule, to);
	if (policy)
		show_policy(rule, policy, target, to);
	show_bounds(rule, to);
	explain_steps(rule, target, 0, to);
	fprintf(to, "\n`..` is a byte that is known only when a probe is proposed or runs. Nothing else can be sent.\n");
}
