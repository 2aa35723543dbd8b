/* Fills the holes that a target's address and port give, as text or as number, and those of the clock. */
#include "active/ruleset/script.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool fill_text(const struct hole *h, const char *text, struct filling *f)
{
	size_t n = strlen(text);

	if (n < h->low || n > h->high || n > RULE_TEXT_BYTES)
		return false;
	f->len = (uint8_t)n;
	memcpy(f->bytes, text, n);
	return true;
}

static bool read_port(const char *text, uint64_t *number)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*number = n;
	return *text >= '0' && *text <= '9' && *end == '\0' && n <= UINT16_MAX;
}

bool hole_fill_target(const struct hole *h, const char *host, const char *port, struct filling *f)
{
	struct filling filled = { .number = 0 };
	bool is_host = h->type == VALUE_U32BE || (h->type == VALUE_TEXT && strcmp(h->name, "host") == 0);
	struct in_addr address;
	bool done;

	if (h->type == VALUE_TEXT) {
		done = fill_text(h, is_host ? host : port, &filled);
	} else if (is_host) {
		done = inet_pton(AF_INET, host, &address) == 1;
		filled.number = done ? ntohl(address.s_addr) : 0;
	} else {
		done = read_port(port, &filled.number);
	}
	if (done)
		*f = filled;
	return done;
}

uint64_t hole_clock(const struct hole *h, int64_t now_s)
{
	const int64_t seconds_to_1970 = 11644473600, ticks_a_second = 10000000;

	return (uint64_t)(h->type == VALUE_U32BE ? now_s : (now_s + seconds_to_1970) * ticks_a_second);
}
