/*
 * Paths of CIP (EPATH): the way to a module, then the object that is meant there.
 *
 * ODVA, The CIP Networks Library, volume 1 appendix C-1.
 *
 *	port segment     000 E pppp  [length of a long address] address      E: long address, p: port
 *	logical segment  001 ttt ff  value       t: 0 class, 1 instance, 4 attribute; f: 0 8 bit, 1 16 bit, 2 32 bit
 *	0x34             electronic key, 8 bytes after its format
 */
#ifndef CLASSIFIERS_ICS_CIP_PATH_H
#define CLASSIFIERS_ICS_CIP_PATH_H

#include "classifiers/api/cursor.h"

/* The device itself; a route longer than one hop; a question or connection whose opening was not heard. */
enum { SLOT_NONE = 0xff, SLOT_FAR = 0xfe, SLOT_UNHEARD = 0xfd };

/* A path's object and where it leads: segments up to the object are the route. */
struct cip_path {
	uint16_t class;
	uint32_t instance;
	uint16_t attribute;
	uint8_t slot;
	bool good;
};

/* A port segment: a port number and the address behind it. One hop over a backplane is a slot. */
static inline void cip_read_port(struct cursor *c, uint8_t segment, struct cip_path *p)
{
	uint8_t port = segment & 15, length = segment & 16 ? cursor_u8(c) : 0, link = 0;

	if (port == 15)
		cursor_skip(c, 2);
	if (segment & 16)
		cursor_skip(c, length + (length & 1u));
	else
		link = cursor_u8(c);
	p->slot = p->slot == SLOT_NONE && port == 1 && !(segment & 16) && link < SLOT_UNHEARD ? link : SLOT_FAR;
}

static inline uint32_t cip_read_logical(struct cursor *c, uint8_t segment)
{
	switch (segment & 3) {
	case 0:
		return cursor_u8(c);
	case 1:
		cursor_skip(c, 1);
		return cursor_u16le(c);
	case 2:
		cursor_skip(c, 1);
		return cursor_u32le(c);
	default:
		cursor_fail(c);
		return 0;
	}
}

static inline void cip_read_segment(struct cursor *c, struct cip_path *p)
{
	uint8_t segment = cursor_u8(c);

	if (segment >> 5 == 0) {
		cip_read_port(c, segment, p);
	} else if (segment == 0x34) { /* electronic key: what the client wants to find */
		cursor_skip(c, 9);
	} else if (segment >> 5 == 1 && (segment >> 2 & 7) == 0) {
		p->class = (uint16_t)cip_read_logical(c, segment);
	} else if (segment >> 5 == 1 && (segment >> 2 & 7) == 1) {
		p->instance = cip_read_logical(c, segment);
	} else if (segment >> 5 == 1 && (segment >> 2 & 7) == 4) {
		p->attribute = (uint16_t)cip_read_logical(c, segment);
	} else if (segment >> 5 == 1) {
		(void)cip_read_logical(c, segment);
	} else { /* symbols and data: no object that is of interest here */
		(void)cursor_rest(c);
	}
}

static inline struct cip_path cip_read_path(struct cursor c)
{
	struct cip_path p = { .slot = SLOT_NONE };

	while (cursor_left(&c))
		cip_read_segment(&c, &p);
	p.good = cursor_ok(&c);
	return p;
}

#endif
