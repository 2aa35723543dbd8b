/*
 * The text of an approval that analysts sign, one line for each field, and the check of a signature.
 *
 * Two different approvals never have the same text: every field that is no signature stands in it, in one
 * form only, and no field can hold a line's end.
 */
#include "active/guard/approval.h"

#include "classifiers/finding/text.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VLAN_MOST = 4095, TIME_BYTES = 32 };
/* A day of 2116, the last that sensor/common/time_range.h knows: the difference of any two such times in nanoseconds fits 63 bits. */
#define TIME_MOST INT64_C(4611686018)

_Static_assert((int)APPROVAL_HASH_BYTES == crypto_hash_sha256_BYTES, "hashes are SHA-256");
_Static_assert((int)APPROVAL_SIGNATURE_BYTES == crypto_sign_BYTES, "signatures are Ed25519");

static bool is_zero(const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	while (n--)
		if (*b++)
			return false;
	return true;
}

/* Clean, with nothing hidden behind its end. */
static bool is_text(const char *text, size_t room)
{
	return text_is_clean(text, room) && is_zero(text + strlen(text), room - strlen(text));
}

/* Such a text, not empty, of these characters alone. */
static bool is_word(const char *text, size_t room, const char *may_hold)
{
	return is_text(text, room) && text[0] && text[strspn(text, may_hold)] == '\0';
}

static bool is_target(const struct approval *a)
{
	const struct endpoint *e = &a->target;
	size_t used = e->family == 4 ? 4 : e->family == 6 ? 16 : 0;

	if (e->family != 0 && e->family != 4 && e->family != 6)
		return false;
	if (e->binding != BINDING_NONE || !is_zero(e->ip + used, sizeof(e->ip) - used))
		return false;
	if (a->transport == TRANSPORT_ETHERNET)
		return a->port == 0 && !is_zero(e->mac, sizeof(e->mac));
	return e->family != 0 && a->port != 0 && (a->transport == TRANSPORT_UDP || a->transport == TRANSPORT_TCP);
}

static bool are_signatures(const struct approval *a)
{
	if (a->signatures > APPROVAL_SIGNATURES)
		return false;
	for (size_t i = 0; i < a->signatures; i++) {
		const struct approval_signature *s = &a->signature[i];

		if (!is_text(s->analyst, sizeof(s->analyst)) || !s->analyst[0])
			return false;
		for (size_t n = 0; n < i; n++)
			if (strcmp(a->signature[n].analyst, s->analyst) == 0)
				return false;
	}
	return is_zero(a->signature + a->signatures, (APPROVAL_SIGNATURES - a->signatures) * sizeof(a->signature[0]));
}

bool approval_valid(const struct approval *a)
{
	static const char sensor[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	static const char rule[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	return is_word(a->id, sizeof(a->id), "0123456789abcdef") && strlen(a->id) == sizeof(a->id) - 1 &&
	       a->uses >= 1 && a->uses <= APPROVAL_USES && a->vlan[0] <= VLAN_MOST && a->vlan[1] <= VLAN_MOST &&
	       is_word(a->sensor, sizeof(a->sensor), sensor) && is_text(a->zone, sizeof(a->zone)) &&
	       is_text(a->device_class, sizeof(a->device_class)) && is_text(a->maker, sizeof(a->maker)) && is_target(a) &&
	       is_text(a->path, sizeof(a->path)) && is_word(a->rule, sizeof(a->rule), rule) &&
	       is_text(a->parameters, sizeof(a->parameters)) && a->not_before_s >= 0 && a->not_after_s <= TIME_MOST &&
	       a->not_after_s > a->not_before_s && a->not_after_s - a->not_before_s <= APPROVAL_SECONDS && are_signatures(a);
}

struct writing {
	char *out;
	size_t len;
};

static void put_line(struct writing *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct writing *w, const char *format, ...)
{
	size_t room = APPROVAL_TEXT_BYTES - w->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->out + w->len, room, format, args);
	va_end(args);
	/* The fields' rooms together are smaller than the text's. An error, -1, is larger than any room. */
	w->len += (size_t)n < room ? (size_t)n : 0;
}

static void put_hash(struct writing *w, const char *label, const uint8_t hash[APPROVAL_HASH_BYTES])
{
	char hex[2 * APPROVAL_HASH_BYTES + 1];

	put_line(w, "%s: %s\n", label, sodium_bin2hex(hex, sizeof(hex), hash, APPROVAL_HASH_BYTES));
}

static void put_time(struct writing *w, const char *label, int64_t at_s)
{
	time_t at = (time_t)at_s;
	char text[TIME_BYTES] = "";
	struct tm utc;

	if (gmtime_r(&at, &utc))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	put_line(w, "%s: %s\n", label, text);
}

static void put_target(struct writing *w, const struct endpoint *e)
{
	char ip[INET6_ADDRSTRLEN] = "";

	put_line(w, "target mac: %02x:%02x:%02x:%02x:%02x:%02x\n", e->mac[0], e->mac[1], e->mac[2], e->mac[3], e->mac[4],
		 e->mac[5]);
	if (e->family)
		inet_ntop(e->family == 6 ? AF_INET6 : AF_INET, e->ip, ip, sizeof(ip));
	put_line(w, "target ip: %s\n", ip);
}

size_t approval_text(const struct approval *a, char out[APPROVAL_TEXT_BYTES])
{
	struct writing w = { out, 0 };

	out[0] = '\0';
	if (!approval_valid(a))
		return 0;
	put_line(&w, "askance approval 1\nid: %s\nsensor: %s\nzone: %s\nvlan: %u.%u\n", a->id, a->sensor, a->zone, a->vlan[0],
		 a->vlan[1]);
	put_target(&w, &a->target);
	put_line(&w, "transport: %s\nport: %u\npath: %s\n", transport_name((enum transport)a->transport), a->port, a->path);
	put_line(&w, "class: %s\nmaker: %s\nrule: %s\n", a->device_class, a->maker, a->rule);
	put_hash(&w, "rule sha256", a->rule_sha256);
	put_line(&w, "parameters: %s\n", a->parameters);
	put_hash(&w, "plan sha256", a->plan_sha256);
	put_time(&w, "not before", a->not_before_s);
	put_time(&w, "not after", a->not_after_s);
	put_line(&w, "uses: %u\n", a->uses);
	return w.len;
}

bool approval_verify(const struct approval *a, const struct approval_signature *signature, const uint8_t key[32])
{
	char text[APPROVAL_TEXT_BYTES];
	size_t len = approval_text(a, text);

	return len && crypto_sign_verify_detached(signature->bytes, (const unsigned char *)text, len, key) == 0;
}
