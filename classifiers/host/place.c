/* Country and AS of public addresses through libmaxminddb. */
#include "classifiers/host/place.h"

#include "classifiers/finding/text.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct places {
	MMDB_s country;
	MMDB_s network;
	bool has_country;
	bool has_network;
};

struct range {
	uint8_t prefix[16];
	uint8_t bits;
};

/* IANA's special-purpose registry for IPv4: what is not globally reachable, and multicast and class E. */
static const struct range special_v4[] = {
	{ { 0 }, 8 },
	{ { 10 }, 8 },
	{ { 100, 64 }, 10 },
	{ { 127 }, 8 },
	{ { 169, 254 }, 16 },
	{ { 172, 16 }, 12 },
	{ { 192, 0, 0 }, 24 },
	{ { 192, 0, 2 }, 24 },
	{ { 192, 88, 99 }, 24 },
	{ { 192, 168 }, 16 },
	{ { 198, 18 }, 15 },
	{ { 198, 51, 100 }, 24 },
	{ { 203, 0, 113 }, 24 },
	{ { 224 }, 3 },
};

/* Inside 2000::/3, which is all that is given out as global unicast, what is for documentation or protocols. */
static const struct range special_v6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	{ { 0x20, 0x02 }, 16 },
	{ { 0x3f, 0xff, 0x00 }, 20 },
};

static bool within(const uint8_t *ip, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(ip, r->prefix, whole) != 0)
		return false;
	return rest == 0 || ((ip[whole] ^ r->prefix[whole]) >> (8 - rest)) == 0;
}

bool place_is_public(uint8_t family, const uint8_t ip[16])
{
	const struct range *special = family == 4 ? special_v4 : special_v6;
	size_t n = family == 4 ? sizeof(special_v4) / sizeof(special_v4[0]) : sizeof(special_v6) / sizeof(special_v6[0]);

	if (family != 4 && (family != 6 || (ip[0] & 0xe0) != 0x20))
		return false;
	for (size_t i = 0; i < n; i++)
		if (within(ip, &special[i]))
			return false;
	return true;
}

static bool open_file(const char *path, MMDB_s *db, char *note, size_t room)
{
	size_t used = strlen(note);
	int status;

	if (path == NULL || path[0] == 0)
		return false;
	status = MMDB_open(path, MMDB_MODE_MMAP, db);
	if (status == MMDB_SUCCESS)
		return true;
	if (used + 1 < room)
		snprintf(note + used, room - used, "%s%s: %s", used > 0 ? "; " : "", path, MMDB_strerror(status));
	return false;
}

struct places *places_open(const char *country_db, const char *asn_db, char *note, size_t room)
{
	struct places *p = calloc(1, sizeof(*p));

	if (room > 0)
		note[0] = 0;
	if (p == NULL)
		return NULL;
	p->has_country = open_file(country_db, &p->country, note, room);
	p->has_network = open_file(asn_db, &p->network, note, room);
	if (p->has_country || p->has_network)
		return p;
	free(p);
	return NULL;
}

void places_close(struct places *p)
{
	if (p == NULL)
		return;
	if (p->has_country)
		MMDB_close(&p->country);
	if (p->has_network)
		MMDB_close(&p->network);
	free(p);
}

static bool find_entry(const MMDB_s *db, uint8_t family, const uint8_t ip[16], MMDB_entry_s *entry)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	MMDB_lookup_result_s found;
	int status;

	/* An IPv6 address in a file of IPv4 addresses is a question it can't hold, not an error. */
	if (family == 6 && db->metadata.ip_version == 4)
		return false;
	memcpy(&v4.sin_addr, ip, 4);
	memcpy(&v6.sin6_addr, ip, 16);
	found = MMDB_lookup_sockaddr(db, family == 4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &status);
	if (status != MMDB_SUCCESS || !found.found_entry)
		return false;
	*entry = found.entry;
	return true;
}

static bool find_text(MMDB_entry_s *entry, const char *const *path, char *to, size_t room)
{
	MMDB_entry_data_s data;

	if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING)
		return false;
	return text_clean(to, room, data.utf8_string, data.data_size) > 0;
}

static bool find_number(MMDB_entry_s *entry, const char *const *path, uint32_t *number)
{
	MMDB_entry_data_s data;

	if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data)
		return false;
	if (data.type == MMDB_DATA_TYPE_UINT32)
		*number = data.uint32;
	else if (data.type == MMDB_DATA_TYPE_UINT16)
		*number = data.uint16;
	else if (data.type == MMDB_DATA_TYPE_UINT64 && data.uint64 <= UINT32_MAX)
		*number = (uint32_t)data.uint64;
	else
		return false;
	return true;
}

/* MaxMind and DB-IP nest the code below "country"; IPinfo's and other flat files write it as "country_code" or "country". */
static void read_country(MMDB_entry_s *entry, struct place *out)
{
	static const char *const paths[][3] = {
		{ "country", "iso_code", NULL },
		{ "registered_country", "iso_code", NULL },
		{ "country_code", NULL, NULL },
		{ "country", NULL, NULL },
	};
	char text[16];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && out->country[0] == 0; i++)
		if (find_text(entry, paths[i], text, sizeof(text)) && strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2)
			memcpy(out->country, text, sizeof(out->country));
}

/* MaxMind's and DB-IP's words first, then IPinfo's ("asn": "AS64496"). */
static void read_network(MMDB_entry_s *entry, struct place *out)
{
	static const char *const number[] = { "autonomous_system_number", NULL };
	static const char *const organisation[] = { "autonomous_system_organization", NULL };
	static const char *const flat_number[] = { "asn", NULL };
	static const char *const flat_organisation[] = { "as_name", NULL };
	char text[16];

	if (!find_number(entry, number, &out->as_number) && find_text(entry, flat_number, text, sizeof(text)) &&
	    strncmp(text, "AS", 2) == 0)
		out->as_number = (uint32_t)strtoul(text + 2, NULL, 10);
	if (!find_text(entry, organisation, out->as_organisation, sizeof(out->as_organisation)) &&
	    !find_text(entry, flat_organisation, out->as_organisation, sizeof(out->as_organisation)))
		out->as_organisation[0] = 0;
}

bool place_of(const struct places *p, uint8_t family, const uint8_t ip[16], struct place *out)
{
	struct place found = { 0 };
	MMDB_entry_s entry;

	if (p == NULL || !place_is_public(family, ip))
		return false;
	if (p->has_country && find_entry(&p->country, family, ip, &entry))
		read_country(&entry, &found);
	if (p->has_network && find_entry(&p->network, family, ip, &entry))
		read_network(&entry, &found);
	if (found.country[0] == 0 && found.as_number == 0 && found.as_organisation[0] == 0)
		return false;
	*out = found;
	return true;
}
