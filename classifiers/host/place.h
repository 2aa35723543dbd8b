/*
 * Country and network operator of a public address, from any file in MaxMind's DB format.
 *
 * Files are opened once, before the walls go up; a lookup then only reads mapped memory.
 */
#ifndef CLASSIFIERS_HOST_PLACE_H
#define CLASSIFIERS_HOST_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places;

struct place {
	char country[3];            /* ISO 3166 code in capitals, empty when unknown */
	uint32_t as_number;         /* 0 when unknown */
	char as_organisation[128];  /* clean UTF-8, empty when unknown */
};

/*
 * Opens the files named (NULL or "" for none; both may be the same file). A file that is missing or
 * broken is left out and told in `note`, which is empty when all was well. NULL when none is open.
 */
struct places *places_open(const char *country_db, const char *asn_db, char *note, size_t room);
void places_close(struct places *p);

/* False for private, loopback, link-local, multicast, documentation and reserved ranges. family: 4 or 6. */
bool place_is_public(uint8_t family, const uint8_t ip[16]);

/* True and *out when something is known of this address. p may be NULL; addresses that aren't public are never looked up. */
bool place_of(const struct places *p, uint8_t family, const uint8_t ip[16], struct place *out);

#endif
