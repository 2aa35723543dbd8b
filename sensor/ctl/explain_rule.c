/* A rule in words: what it asks, why it is of that risk, its bounds, what it fills. */
#include "active/ruleset/script.h"
#include "sensor/ctl/explain.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 78 };

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
		fprintf(to, "%s%u", i ? ", " : ", usually port ", rule->ports[i]);
	fprintf(to, "\n(%s:%u)\n\n", rule->file, rule->line);
}

static void show_needs(const struct rule *rule, FILE *to)
{
	static const char *const signatures[RISKS] = {
		[RISK_LOW] = "one analyst signs, unless the whitelist makes it automatic",
		[RISK_MEDIUM] = "one analyst signs",
		[RISK_HIGH] = "two analysts sign",
		[RISK_CUSTOM] = "two analysts sign",
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
	fprintf(to, "at most: %u packets and %u bytes towards the device%s; %u ms for each reply\n", rule->max_packets,
		rule->max_bytes, rule->transport == TRANSPORT_TCP ? " (SYN, ACKs and FIN counted), in one connection" : "",
		rule->timeout_ms);
	if (rule->multicast)
		fprintf(to, "goes to many: %02x:%02x:%02x:%02x:%02x:%02x\n", rule->destination[0], rule->destination[1],
			rule->destination[2], rule->destination[3], rule->destination[4], rule->destination[5]);
	if (rule->address)
		fprintf(to, "goes through stated values of {%s}\n", rule->address);
	fprintf(to, "sha256: %s\n", rule->sha256);
}

void explain_rule(const struct rule *rule, const struct explain_target *target, FILE *to)
{
	show_place(rule, to);
	explain_fold(rule->why, 2, to);
	if (rule->notes[0]) {
		fputc('\n', to);
		explain_fold(rule->notes, 2, to);
	}
	show_needs(rule, to);
	show_bounds(rule, to);
	explain_steps(rule, target, 0, to);
	fprintf(to, "\n`..` is a byte that is known only when a probe is proposed or runs. Nothing else can be sent.\n");
}
