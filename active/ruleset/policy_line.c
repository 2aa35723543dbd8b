/* Holds a rule and a target against one line of the policy; checks such a line when it is read. */
#include "active/ruleset/policy_line.h"

#include "active/ruleset/build.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { IPV4 = 4, IPV6 = 6, MAC_TEXT_BYTES = 18 };

static const char *const classes[] = {
	"plc",    "rtu",         "hmi",                 "io-device", "drive",  "switch", "router", "gateway",
	"printer", "camera",     "server",              "workstation", "engineering-station", "historian", "sensor",
	"meter",  "ied",         "building-controller", "ups",       "phone",  "firewall", "access-point", "robot",
	"other",  "safety",      "unknown",             NULL,
};

const char *policy_class(size_t i)
{
	return i < sizeof(classes) / sizeof(classes[0]) ? classes[i] : NULL;
}

/* 10.0.0.0/8, 10.0.0.1, fd00::/8. False when it is none, or has bits set beyond its length. */
static bool read_network(const char *text, uint8_t *family, uint8_t ip[16], unsigned int *bits)
{
	char address[64];
	size_t n = strcspn(text, "/");
	unsigned int most;
	char *end;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	memset(ip, 0, 16);
	*family = strchr(address, ':') ? IPV6 : IPV4;
	most = *family == IPV6 ? 128 : 32;
	if (inet_pton(*family == IPV6 ? AF_INET6 : AF_INET, address, ip) != 1)
		return false;
	*bits = most;
	if (text[n] == '/') {
		if (text[n + 1] < '0' || text[n + 1] > '9')
			return false;
		*bits = (unsigned int)strtoul(text + n + 1, &end, 10);
		if (*end != '\0' || *bits > most)
			return false;
	}
	for (unsigned int bit = *bits; bit < most; bit++)
		if (ip[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

struct endpoint plain_endpoint(const struct endpoint *who)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct endpoint e = *who;

	if (e.family == IPV6 && memcmp(e.ip, mapped, sizeof(mapped)) == 0) {
		e.family = IPV4;
		memmove(e.ip, e.ip + sizeof(mapped), 4);
	}
	return e;
}

static bool is_in_network(const struct endpoint *who, const char *text)
{
	struct endpoint e = plain_endpoint(who);
	uint8_t family, ip[16];
	unsigned int bits;

	if (!read_network(text, &family, ip, &bits) || family != e.family)
		return false;
	for (unsigned int bit = 0; bit < bits; bit++)
		if ((e.ip[bit / 8] ^ ip[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/* A MAC or the beginning of one: "00:80:2f". */
static bool has_mac(const struct endpoint *who, const char *text)
{
	char mac[MAC_TEXT_BYTES];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", who->mac[0], who->mac[1], who->mac[2], who->mac[3],
		 who->mac[4], who->mac[5]);
	return strncasecmp(mac, text, strlen(text)) == 0;
}

static bool has_word(char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return n == 0;
}

/* Most patterns begin with another letter than the text, which is seen sooner than fnmatch() is called. */
static bool begins_otherwise(const char *pattern, const char *text)
{
	return isalnum((unsigned char)*pattern) && tolower((unsigned char)*pattern) != tolower((unsigned char)*text);
}

static bool has_pattern(char *const *patterns, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!begins_otherwise(patterns[i], text) && fnmatch(patterns[i], text, FNM_CASEFOLD) == 0)
			return true;
	return n == 0;
}

static bool fits_network(const struct line_file *line, const struct endpoint *who)
{
	for (size_t i = 0; i < line->networks_count; i++)
		if (is_in_network(who, line->networks[i]))
			return true;
	return line->networks_count == 0;
}

static bool fits_mac(const struct line_file *line, const struct endpoint *who)
{
	for (size_t i = 0; i < line->macs_count; i++)
		if (has_mac(who, line->macs[i]))
			return true;
	return line->macs_count == 0;
}

static bool fits_port(const struct line_file *line, uint16_t port)
{
	for (size_t i = 0; i < line->ports_count; i++)
		if (line->ports[i] == port)
			return true;
	return line->ports_count == 0;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

enum line_fit line_fits(const struct line_file *line, const struct rule *rule, const struct policy_target *target)
{
	const char *class = or_empty(target->device_class);

	if (!has_pattern(line->rules, line->rules_count, rule->name))
		return FIT_NOT_RULE;
	if (!has_pattern(line->zones, line->zones_count, or_empty(target->zone)))
		return FIT_NOT_ZONE;
	if (!fits_network(line, target->who))
		return FIT_NOT_NETWORK;
	if (!fits_mac(line, target->who))
		return FIT_NOT_MAC;
	if (!has_pattern(line->makers, line->makers_count, or_empty(target->maker)))
		return FIT_NOT_MAKER;
	if (!has_word(line->classes, line->classes_count, class[0] ? class : "unknown"))
		return FIT_NOT_CLASS;
	return fits_port(line, target->port) ? FIT_ALL : FIT_NOT_PORT;
}

const char *line_fit_name(enum line_fit fit)
{
	static const char *const names[] = {
		[FIT_NOT_ZONE] = "zone",   [FIT_NOT_NETWORK] = "network", [FIT_NOT_MAC] = "MAC",
		[FIT_NOT_MAKER] = "maker", [FIT_NOT_CLASS] = "class",     [FIT_NOT_PORT] = "port",
	};

	return or_empty(names[fit]);
}

static bool names_rule(const struct ruleset *set, const char *pattern)
{
	for (size_t i = 0; i < ruleset_count(set); i++)
		if (fnmatch(pattern, ruleset_at(set, i)->name, 0) == 0)
			return true;
	return false;
}

static bool is_class(const char *word)
{
	for (size_t i = 0; classes[i]; i++)
		if (strcmp(classes[i], word) == 0)
			return true;
	return false;
}

/* Whole bytes of a MAC, at least the maker's three. */
static bool is_mac(const char *text)
{
	size_t n = strlen(text);

	if (n != 8 && n != 11 && n != 14 && n != 17)
		return false;
	for (size_t i = 0; i < n; i++)
		if (i % 3 == 2 ? text[i] != ':' : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return true;
}

static void check_words(const struct yaml_file *file, const char *place, const struct line_file *line,
			const struct ruleset *set, struct mistakes *m)
{
	const char *path = yaml_file_path(file);

	for (size_t n = 0; n < line->rules_count; n++)
		if (set && !names_rule(set, line->rules[n]))
			mistake_at(m, path, yaml_file_line(file, "%s.rules[%zu]", place, n),
				   "no rule is named '%s'; `askance rules` lists them", line->rules[n]);
	for (size_t n = 0; n < line->classes_count; n++)
		if (!is_class(line->classes[n]))
			mistake_at(m, path, yaml_file_line(file, "%s.classes[%zu]", place, n),
				   "'%s' is no class of devices; plc, rtu, hmi ... safety and unknown are", line->classes[n]);
}

void line_check(const struct yaml_file *file, const char *key, size_t i, const struct line_file *line,
		const struct ruleset *set, struct mistakes *m)
{
	const char *path = yaml_file_path(file);
	uint8_t family, ip[16];
	unsigned int bits;
	char place[64];

	trim_end(line->why);
	snprintf(place, sizeof(place), "%s[%zu]", key, i);
	check_words(file, place, line, set, m);
	for (size_t n = 0; n < line->networks_count; n++)
		if (!read_network(line->networks[n], &family, ip, &bits))
			mistake_at(m, path, yaml_file_line(file, "%s.networks[%zu]", place, n),
				   "'%s' is no network; write 10.0.0.0/8 with nothing set beyond its length", line->networks[n]);
	for (size_t n = 0; n < line->macs_count; n++)
		if (!is_mac(line->macs[n]))
			mistake_at(m, path, yaml_file_line(file, "%s.macs[%zu]", place, n),
				   "'%s' is no MAC address nor the beginning of one (3 bytes or more)", line->macs[n]);
	for (size_t n = 0; n < line->ports_count; n++)
		if (line->ports[n] == 0)
			mistake_at(m, path, yaml_file_line(file, "%s.ports[%zu]", place, n), "0 is no port");
}
