/* Puts the fragments of IP datagrams together, in memory of fixed size. RFC 791, RFC 8200 section 4.5. */
#ifndef SENSOR_ENGINE_FRAGMENT_H
#define SENSOR_ENGINE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

struct fragments;

struct fragment {
	uint8_t source[16];
	uint8_t target[16];
	uint32_t id;
	uint16_t zone;
	uint8_t protocol;
	uint8_t family;
	uint16_t offset; /* in bytes */
	bool more;       /* more fragments follow */
	const uint8_t *bytes;
	uint32_t len;
	int64_t time_ns;
};

struct fragments *fragments_new(void);
void fragments_free(struct fragments *all);

/*
 * Adds one fragment. True when its datagram is whole: *bytes and *len are the joined payload, valid until
 * the next call. *dropped counts datagrams that were given up (too old, too many, overlapping, too long).
 */
bool fragments_add(struct fragments *all, const struct fragment *f, const uint8_t **bytes, uint32_t *len, uint64_t *dropped);

#endif
