/*
 * The maker of a network interface, from the registries of the IEEE as Debian's ieee-data brings them.
 *
 * Loaded once; afterwards only memory is read.
 */
#ifndef CLASSIFIERS_HOST_MAKER_H
#define CLASSIFIERS_HOST_MAKER_H

#include <stddef.h>
#include <stdint.h>

struct makers;

/*
 * Reads oui.csv at `oui_file` (24 bits) and beside it mam.csv (28 bits), oui36.csv and iab.csv (36
 * bits). What can't be read is left out and told in `note` (room >= 128 bytes recommended), which is
 * empty when all was well. Returns NULL when no maker at all is known; `note` says why.
 */
struct makers *makers_load(const char *oui_file, char *note, size_t room);

/* Which addresses will be asked for; zeroed: none. */
struct makers_wanted {
	uint64_t bits[1024];
};

void makers_want(struct makers_wanted *w, const uint8_t mac[6]);
/* The same with the prefixes of those addresses, and a few others. NULL also when none of them has a maker. */
struct makers *makers_load_wanted(const char *oui_file, const struct makers_wanted *w, char *note, size_t room);

void makers_free(struct makers *m);

/* How many prefixes are known; 0 for NULL. */
size_t makers_count(const struct makers *m);

/*
 * The organisation that the longest registered prefix of this MAC belongs to, NULL when there is none:
 * multicast and locally administered addresses have no maker. m may be NULL. Lives as long as m.
 */
const char *maker_of(const struct makers *m, const uint8_t mac[6]);

#endif
