/*
 * The tags that BACnet's data are made of, ASHRAE 135 clause 20.2:
 *
 *   number << 4 | context << 3 | length, 6 opens, 7 closes
 */
#ifndef CLASSIFIERS_ICS_BACNET_TAG_H
#define CLASSIFIERS_ICS_BACNET_TAG_H

#include "classifiers/api/cursor.h"

#include <stdbool.h>

enum { BACNET_DEVICE = 8 /* the type of the object that stands for the device */ };
enum bacnet_application_tag { TAG_UNSIGNED = 2, TAG_STRING = 7, TAG_ENUMERATED = 9, TAG_OBJECT = 12 };

struct bacnet_tag {
	uint8_t number;
	bool context;
	bool opening;
	bool closing;
	struct cursor content;
};

/* Clause 20.2.1. False when the tag or its content isn't all there. */
static inline bool bacnet_read_tag(struct cursor *c, struct bacnet_tag *t)
{
	uint8_t first = cursor_u8(c), kind = first & 7;
	uint32_t len = kind;

	t->number = first >> 4;
	if (t->number == 15)
		t->number = cursor_u8(c);
	t->context = first & 8;
	t->opening = t->context && kind == 6;
	t->closing = t->context && kind == 7;
	if (kind == 5)
		len = cursor_u8(c);
	if (kind == 5 && len == 254)
		len = cursor_u16be(c);
	else if (kind == 5 && len == 255)
		len = cursor_u32be(c);
	/* An application boolean (tag 1) carries its value in the place of the length. */
	if (t->opening || t->closing || (!t->context && t->number == 1))
		len = 0;
	t->content = cursor_take(c, len);
	return cursor_ok(c);
}

/* An application tag of up to four bytes. False when the next is another. */
static inline bool bacnet_read_number(struct cursor *c, uint8_t number, uint32_t *value)
{
	struct bacnet_tag t;

	if (!bacnet_read_tag(c, &t) || t.number != number || t.context || cursor_left(&t.content) - 1 > 3)
		return false;
	*value = (uint32_t)cursor_be(&t.content, cursor_left(&t.content));
	return true;
}

/*
 * True when a device object may be named in properties that were read: 0c 02 and an instance, or the same with a longer form of
 * length or number. What only looks like it is read the long way.
 */
static inline bool bacnet_names_device(struct cursor c)
{
	ptrdiff_t at;
	uint8_t before = 0;

	while ((at = cursor_find(&c, BACNET_DEVICE >> 2)) >= 0) {
		if (at > 0)
			before = cursor_peek(&c, (size_t)at - 1);
		cursor_skip(&c, (size_t)at + 1);
		if ((before == 0x0c || before == 4 || before == 0) && cursor_left(&c) && cursor_peek(&c, 0) < 0x40)
			return true;
		before = BACNET_DEVICE >> 2;
	}
	return false;
}

#endif
