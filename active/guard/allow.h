/*
 * One protocol's part of the guard: active/guard/allow_NAME.c defines `const struct allow allow_NAME`
 * and is found by the build from its file name.
 */
#ifndef ACTIVE_GUARD_ALLOW_H
#define ACTIVE_GUARD_ALLOW_H

#include "active/guard/guard.h"
#include "classifiers/api/cursor.h"

struct ask {
	struct cursor bytes; /* the whole message; judge() must come to its end exactly */
	size_t len;
	enum transport transport;
	struct guard_answer *answer; /* for ask_reads() and ask_refuse(); NULL when nobody wants their words */
};

struct allow {
	const char *name;   /* of the protocol */
	uint8_t transports; /* 1 << enum transport, or-ed */
	const char *may;    /* what it may send, for people */
	/*
	 * True when the message is one that only reads; says so with ask_reads(), or why not with
	 * ask_refuse(). A cursor that failed or has bytes left is refused by the caller.
	 */
	bool (*judge)(struct ask *q);
};

/* All protocols, ended by NULL; written by the build. */
extern const struct allow *const allows[];

/* Always false. */
bool ask_refuse(struct ask *q, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Always true. */
bool ask_reads(struct ask *q, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes n bytes and holds them against `expected`. */
bool ask_takes(struct ask *q, const void *expected, size_t n);

/* True when value stands among the n in list. */
bool ask_among(uint32_t value, const uint32_t *list, size_t n);
#define ASK_AMONG(value, list) ask_among((value), (list), sizeof(list) / sizeof((list)[0]))

#endif
