/* A rule in words: what it asks, why it is of that risk, its bounds, what it fills. */
#include "active/ruleset/script.h"
#include "sensor/ctl/explain.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 78, CLASSES_BYTES = 600 };

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
	fprintf(to, "sha256: %s\n", rule->sha256);
}

/* An address that a line without conditions on addresses fits: what is told then depends on the class alone. */
static struct policy_verdict verdict_for(const struct policy *policy, const struct rule *rule, const char *class)
{
	struct endpoint who = { .mac = { 0x02, 0, 0, 0, 0, 1 }, .family = 4, .ip = { 192, 0, 2, 1 } };
	struct policy_target target = { &who, "", class, "", rule->ports_count ? rule->ports[0] : 0 };

	return policy_verdict(policy, rule, &target);
}

/* For whom the whitelist lets it be proposed, and where that stands. */
static void show_policy(const struct rule *rule, const struct policy *policy, FILE *to)
{
	char classes[CLASSES_BYTES] = "", why[POLICY_WHY_BYTES] = "";
	size_t n = 0;
	uint8_t signatures = 0;

	for (size_t i = 0; policy_class(i) && n < sizeof classes; i++) {
		struct policy_verdict v = verdict_for(policy, rule, policy_class(i));

		if (v.allowed)
			n += (size_t)snprintf(classes + n, sizeof classes - n, "%s%s", n ? ", " : "policy: may be proposed for ",
					      policy_class(i));
		if (v.allowed && !why[0]) {
			signatures = v.signatures;
			memcpy(why, v.why, sizeof why);
		}
	}
	if (!n) {
		fprintf(to, "policy: may not be proposed, as far as class decides: %s\n", verdict_for(policy, rule, "unknown").why);
		return;
	}
	explain_fold(classes, 0, to);
	fprintf(to, "  with %u signature%s; %s\n", signatures, signatures == 1 ? "" : "s", why);
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
		show_policy(rule, policy, to);
	show_bounds(rule, to);
	explain_steps(rule, target, 0, to);
	fprintf(to, "\n`..` is a byte that is known only when a probe is proposed or runs. Nothing else can be sent.\n");
}
