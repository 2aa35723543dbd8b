/* Plays a flow of a transcript to one classifier, as the engine would, and writes down what it says. */
#ifndef TESTS_PROTOCOLS_PLAY_H
#define TESTS_PROTOCOLS_PLAY_H

#include "classifiers/api/classifier.h"
#include "tests/protocols/transcript.h"

enum { PLAY_BUFFER_BYTES = 32 * 1024 };

/* Lines that were said, each finding once. text is NULL when nobody wants to know. */
struct lines {
	char *text;
	size_t len;
};

/* What the engine keeps of a flow: small enough to be copied, so that a test can go back to it. */
struct play {
	const struct classifier *c;
	const struct flow *flow;
	bool forgetful;    /* what it told is forgotten before each message */
	bool by_end;       /* findings are said of the "first" and "second" end, not of "sender" and "receiver" */
	unsigned told;     /* findings, those told again too */
	struct lines *said;
	uint8_t answer[2]; /* of each direction, the last one told; 0 none */
	bool mine;         /* the classifier has the flow */
	bool spoke[2];     /* a message of this direction was the classifier's */
	bool dead;         /* it gave the flow up */
	bool refused;      /* it said NOT_MINE at any time */
	bool gap[2];
	size_t len[2];
	_Alignas(8) uint8_t memo[MEMO_BYTES];
	uint8_t buffer[2][PLAY_BUFFER_BYTES];
};

void play_start(struct play *p, const struct classifier *c, const struct flow *f, struct lines *said);

/* One segment, datagram or frame. Ends the program (after saying why) when the classifier breaks its contract. */
void play_segment(struct play *p, const struct segment *s, bool truncated);

/* True when the engine would offer this flow to the classifier at all. */
bool play_offers(const struct classifier *c, const struct flow *f);

#endif
