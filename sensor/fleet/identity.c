/* Weighs what two witnesses have in common. */
#include "sensor/fleet/identity.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SERIAL_LEAST = 4, NAME_LEAST = 3 };

const char *identity_serial_value(const char *protocol_and_value)
{
	const char *space = strchr(protocol_and_value, ' ');

	return space ? space + 1 : protocol_and_value;
}

static bool is_word_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

/* Makers leave these in where no number was given; a run of one character is one of them. */
bool identity_is_serial(const char *serial)
{
	static const char *const fillers[] = {
		"unknown", "none", "null", "n/a", "not available", "not set", "default", "serial", "serialnumber", "1234", "12345",
		"123456", "1234567", "12345678", "123456789", "1234567890", "0123456789", "to be filled by o.e.m.", "system serial number", NULL,
	};
	size_t alike = 0, n = strlen(serial);

	for (size_t i = 0; i < n; i++)
		alike += serial[i] == serial[n - 1] || ispunct((unsigned char)serial[i]) || serial[i] == ' ';
	return n >= SERIAL_LEAST && alike < n && !is_word_of(serial, fillers);
}

/* Of a name, one that cells share when they were copied says nothing. */
static bool is_name(const char *name)
{
	static const char *const fillers[] = { "localhost", "unknown", "default", "device", "plc", "hmi", "switch", "router", "server", "none", NULL };

	return strlen(name) >= NAME_LEAST && !is_word_of(name, fillers);
}

static bool mac_bytes(const char *mac, unsigned m[6])
{
	return sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) == 6;
}

bool identity_is_mac(const char *mac)
{
	static const char *const shared[] = { "00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:05:73:a0:", "00:00:0c:9f:f", "00:07:b4:00:" };
	unsigned m[6];

	if (!mac_bytes(mac, m) || (m[0] & 1) || !(m[0] | m[1] | m[2] | m[3] | m[4] | m[5]))
		return false;
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		if (strncasecmp(mac, shared[i], strlen(shared[i])) == 0)
			return false;
	return true;
}

/* Software chose it: another machine elsewhere may have the same. */
static bool is_local_mac(const char *mac)
{
	unsigned m[6];

	return mac_bytes(mac, m) && (m[0] & 2);
}

/* One address for one machine in the whole world. */
static bool is_global_ip(const char *text)
{
	unsigned char b[16];

	if (inet_pton(AF_INET6, text, b) == 1)
		return (b[0] & 0xe0) == 0x20 && !(b[0] == 0x20 && b[1] == 1 && b[2] == 0x0d && b[3] == 0xb8);
	if (inet_pton(AF_INET, text, b) != 1)
		return false;
	return !(b[0] == 10 || b[0] == 127 || b[0] == 0 || b[0] >= 224 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
		 (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64) || (b[0] == 192 && b[1] == 0 && b[2] <= 2) ||
		 (b[0] == 198 && (b[1] & 0xfe) == 18) || (b[0] == 198 && b[1] == 51 && b[2] == 100) || (b[0] == 203 && b[1] == 0 && b[2] == 113));
}

/* "Siemens" and "Siemens AG": one begins with the other's words. An empty one agrees with none. */
static bool vendors_agree(const char *a, const char *b)
{
	size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return n > 0 && strncasecmp(a, b, n) == 0 && !isalnum((unsigned char)a[n]) && !isalnum((unsigned char)b[n]);
}

static bool same_but_blanks(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

/* What is known of one alone does not contradict. Order codes are exact; product names are often cut. */
static bool models_agree(const struct witness *a, const struct witness *b)
{
	const char *x = witness_text(a, WITNESS_ORDER_CODE), *y = witness_text(b, WITNESS_ORDER_CODE);

	if (x[0] && y[0])
		return same_but_blanks(x, y);
	x = witness_text(a, WITNESS_PRODUCT);
	y = witness_text(b, WITNESS_PRODUCT);
	return !x[0] || !y[0] || strcasestr(x, y) || strcasestr(y, x);
}

/* The value that both told, by whatever protocol. */
static const char *shared_serial(const struct witness *a, const struct witness *b)
{
	if (a->common_serial || b->common_serial)
		return NULL;
	for (const char *x = witness_text(a, WITNESS_SERIAL); *x; x = witness_next(x))
		for (const char *y = witness_text(b, WITNESS_SERIAL); *y; y = witness_next(y))
			if (strcasecmp(identity_serial_value(x), identity_serial_value(y)) == 0 && identity_is_serial(identity_serial_value(x)))
				return identity_serial_value(x);
	return NULL;
}

bool identity_contradicts(const struct witness *a, const struct witness *b)
{
	bool differ = false;

	if (shared_serial(a, b))
		return false;
	for (const char *x = witness_text(a, WITNESS_SERIAL); *x; x = witness_next(x))
		for (const char *y = witness_text(b, WITNESS_SERIAL); *y; y = witness_next(y)) {
			size_t n = (size_t)(identity_serial_value(x) - x);

			differ |= n > 0 && strncmp(x, y, n) == 0 && identity_is_serial(x + n) && identity_is_serial(y + n);
		}
	return differ;
}

struct likeness identity_by_serial(const struct witness *a, const struct witness *b)
{
	struct likeness l = { .what = shared_serial(a, b) };
	const char *x = witness_text(a, WITNESS_VENDOR), *y = witness_text(b, WITNESS_VENDOR);

	if (!l.what)
		return l;
	if (!vendors_agree(x, y))
		l.but = x[0] && y[0] ? "their vendors differ" : "the vendor of one is not known";
	else if (!models_agree(a, b))
		l.but = "their models differ";
	else
		l.bond = BOND_SERIAL;
	return l;
}

/* What the device itself says, or an address that the whole Internet routes to it. */
static const char *further_evidence(const struct witness *a, const struct witness *b)
{
	const char *serial = shared_serial(a, b);

	if (serial)
		return serial;
	for (const char *x = witness_text(a, WITNESS_NAME); *x; x = witness_next(x))
		for (const char *y = witness_text(b, WITNESS_NAME); *y; y = witness_next(y))
			if (strcasecmp(x, y) == 0 && is_name(x))
				return x;
	for (const char *x = witness_text(a, WITNESS_IP); *x; x = witness_next(x))
		for (const char *y = witness_text(b, WITNESS_IP); *y; y = witness_next(y))
			if (strcmp(x, y) == 0 && is_global_ip(x))
				return x;
	return NULL;
}

/* IPv4 alone: of IPv6 a machine has many, and each sensor hears others of them. */
static bool has_ipv4(const struct witness *w)
{
	for (const char *x = witness_text(w, WITNESS_IP); *x; x = witness_next(x))
		if (!strchr(x, ':'))
			return true;
	return false;
}

/* Two addresses behind one MAC may be a machine that moved, or a router that neither sensor has found out. */
static bool addresses_differ(const struct witness *a, const struct witness *b)
{
	return has_ipv4(a) && has_ipv4(b) && !witness_shared(a, b, WITNESS_IP);
}

struct likeness identity_by_mac(const struct witness *a, const struct witness *b, const char *mac, bool same_zone)
{
	struct likeness l = { .what = mac, .evidence = further_evidence(a, b) };

	if (identity_contradicts(a, b))
		l.but = "their serial numbers differ";
	else if (same_zone && !addresses_differ(a, b))
		l.bond = BOND_MAC;
	else if (!same_zone && is_local_mac(mac))
		l.but = "software chose this MAC, and the zones differ";
	else if (!l.evidence)
		l.but = same_zone ? "their addresses differ and nothing else is shared" : "the zones differ and nothing else is shared";
	else
		l.bond = same_zone ? BOND_MAC : BOND_MAC_OF_TWO_ZONES;
	if (l.bond == BOND_MAC && !addresses_differ(a, b))
		l.evidence = NULL; /* was not needed */
	return l;
}

/* Vendor, model and firmware, all known and all the same. */
static const char *same_build(const struct witness *a, const struct witness *b)
{
	const char *x = witness_text(a, WITNESS_FIRMWARE), *model = witness_text(a, WITNESS_ORDER_CODE);
	enum witness_text which = model[0] ? WITNESS_ORDER_CODE : WITNESS_PRODUCT;

	model = witness_text(a, which);
	if (!x[0] || strcasecmp(x, witness_text(b, WITNESS_FIRMWARE)) != 0 || !model[0] || !same_but_blanks(model, witness_text(b, which)))
		return NULL;
	return vendors_agree(witness_text(a, WITNESS_VENDOR), witness_text(b, WITNESS_VENDOR)) ? model : NULL;
}

struct likeness identity_by_ip(const struct witness *a, const struct witness *b, const char *ip)
{
	struct likeness l = { .what = ip, .evidence = further_evidence(a, b) };

	if (!l.evidence)
		l.evidence = same_build(a, b);
	if (identity_contradicts(a, b))
		l.but = "their serial numbers differ";
	else if (witness_shared(a, b, WITNESS_MAC))
		l.what = NULL; /* the MAC has been looked at */
	else if (*witness_text(a, WITNESS_MAC) && *witness_text(b, WITNESS_MAC))
		l.but = "their MACs differ";
	else if (!l.evidence)
		l.but = "an address alone is no identity";
	else
		l.bond = BOND_IP;
	return l;
}
