/*
 * How a classifier states what it read. What is told is kept only when it answers MINE.
 *
 * Nothing here fails visibly: text is cleaned and bounded (classifiers/finding/text.h), empty values
 * are dropped, and what does not fit in the room of one message is counted in `lost`.
 */
#ifndef CLASSIFIERS_API_TELL_H
#define CLASSIFIERS_API_TELL_H

#include "classifiers/api/cursor.h"
#include "classifiers/finding/finding.h"

enum { TOLD_ITEMS = 64, TOLD_TEXT_BYTES = 8192 };

/* Whose attribute it is. OTHER is an endpoint that the message names, neither its sender nor receiver. */
enum side { SENDER, RECEIVER, OTHER };

struct told_item {
	uint8_t kind;       /* FINDING_ATTRIBUTE, FINDING_SUBASSET, FINDING_HOST or FINDING_ACTIVITY */
	uint8_t attribute;  /* enum attribute; of FINDING_ACTIVITY enum activity */
	uint8_t side;       /* enum side */
	uint8_t confidence; /* per cent */
	uint16_t path;      /* offset of its text */
	uint16_t value;
	struct endpoint other;
};

struct told {
	uint16_t count;
	uint16_t used;
	uint32_t lost;
	struct told_item items[TOLD_ITEMS];
	char text[TOLD_TEXT_BYTES];
};

struct reader;

/* `path` names a sub-asset behind that side ("modbus/502/unit:3"), NULL or "" the device itself. */
void tell(struct reader *r, enum side side, const char *path, enum attribute a, struct cursor text);
void tell_utf16le(struct reader *r, enum side side, const char *path, enum attribute a, struct cursor text);
void tell_text(struct reader *r, enum side side, const char *path, enum attribute a, const char *text);
void tell_format(struct reader *r, enum side side, const char *path, enum attribute a, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* There is something at `path`, whatever else is known of it. */
void tell_subasset(struct reader *r, enum side side, const char *path);

/* The message itself says that this MAC and this IP are of one interface (ARP, DHCP, DCP). */
void tell_binding(struct reader *r, const uint8_t mac[6], uint8_t family, const uint8_t *ip);

/*
 * The sender does this to the receiver, or to the sub-asset `path` behind it. Of requests and commands only, and
 * never of what a cyclic message does. The text names the function by which it was seen: "PLC stop (0x29)".
 */
void tell_activity(struct reader *r, const char *path, enum activity a, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* An attribute of an endpoint that the message names by MAC or IP (the other may be zero). */
void tell_other(struct reader *r, const struct endpoint *who, const char *path, enum attribute a, struct cursor text);

#endif
