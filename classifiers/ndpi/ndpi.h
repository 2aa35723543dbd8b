/*
 * nDPI behind one small face: a second opinion on flows that no classifier of ours knows. What it
 * says is kept as one witness. This file alone knows that there are several versions of the library.
 */
#ifndef CLASSIFIERS_NDPI_NDPI_H
#define CLASSIFIERS_NDPI_NDPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ndpi;      /* the library, set up when the first flow needs it: many a capture has none */
struct ndpi_look; /* its memory of one flow */

enum { NDPI_PARTS = 8 };

/*
 * At most `looks` flows at once, as many in each of NDPI_PARTS parts, so that no part takes what another would have got.
 * NULL when there is no memory.
 */
struct ndpi *ndpi_open(uint32_t looks);
void ndpi_close(struct ndpi *n);

/* NULL when all looks of the part are in use, or the library can't be set up. part < NDPI_PARTS. */
struct ndpi_look *ndpi_look_start(struct ndpi *n, uint8_t part);
void ndpi_look_end(struct ndpi *n, struct ndpi_look *look);

/*
 * Shows one packet, from its IP header on. Returns the number of the protocol once nDPI is sure, 0 as
 * long as it isn't.
 */
uint16_t ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns);

/* The label of a number in the form of our protocol names: [a-z0-9_]+, cut to the room. */
void ndpi_label(struct ndpi *n, uint16_t number, char *label, size_t room);

#endif
