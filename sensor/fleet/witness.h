/* A witness: one asset as one sensor tells it, cut down to what a fleet's picture needs. Some 300 bytes instead of a document. */
#ifndef SENSOR_FLEET_WITNESS_H
#define SENSOR_FLEET_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include <uthash.h>

enum {
	WITNESS_ID_BYTES = 20, /* "a-" and 16 hexadecimal digits */
	/* What is kept of a list; of a text 255 bytes are kept. */
	WITNESS_MACS = 16,
	WITNESS_IPS = 32,
	WITNESS_NAMES = 8,
	WITNESS_SERIALS = 4,
};

enum witness_text {
	WITNESS_ZONE,
	WITNESS_CLASS,
	WITNESS_VENDOR,
	WITNESS_PRODUCT,
	WITNESS_ORDER_CODE,
	WITNESS_FIRMWARE,
	WITNESS_FIRST_SEEN,
	WITNESS_LAST_SEEN,
	/* Lists: one text behind the other, the last one followed by an empty one. */
	WITNESS_MAC,
	WITNESS_IP,
	WITNESS_NAME,     /* host names, and the names that the device gives itself */
	WITNESS_SERIAL,   /* "PROTOCOL VALUE" of the device itself, not of what stands behind it */
	WITNESS_TEXTS,
};

struct witness {
	char id[WITNESS_ID_BYTES];
	uint32_t sensor;         /* whose; for the fleet that holds it */
	uint32_t index;          /* in the order of the last matching */
	uint32_t round;          /* of reading in which it came or changed */
	uint32_t len;            /* of text[] */
	uint8_t completeness;    /* per cent */
	bool common_serial;      /* found by the last matching at too many devices to be one's own */
	bool forwards;           /* a router: its MAC carries the addresses of others */
	uint16_t at[WITNESS_TEXTS];
	UT_hash_handle hh;       /* among those of its sensor, by id */
	char text[];
};

/* Of the body of askance:{S}:asset:ID. NULL when it is no asset's document; to be freed by free(). */
struct witness *witness_read(const char *body, size_t len);
struct witness *witness_of(const json_t *document);

/* To be freed by free(); NULL when there is no memory. */
struct witness *witness_copy(const struct witness *w);

/* Times aside: that a device is still there is no change of it. */
bool witness_same(const struct witness *a, const struct witness *b);

/* The text or the first text of a list; "" when there is none. */
static inline const char *witness_text(const struct witness *w, enum witness_text which)
{
	return w->text + w->at[which];
}

/* The first text of one list that stands in the other too, letters' case aside; NULL when none does. */
const char *witness_shared(const struct witness *a, const struct witness *b, enum witness_text list);

/* As much of the text as fits in to[room], whole characters alone. NULL is "". */
void witness_copy_text(char *to, size_t room, const char *text);

/* for (const char *t = witness_text(w, LIST); *t; t = witness_next(t)) */
const char *witness_next(const char *text);

#endif
