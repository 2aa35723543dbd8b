/*
 * The signature of a TCP/IP stack as the first packet of a connection shows it, in the form that p0f 3 writes
 * (p0f's docs/README, section 5): what a system chooses freely there, others choose otherwise.
 *
 *   4:64:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0
 *   |  | |  |    |     |  |                 |     payload: 0 or +
 *   |  | |  |    |     |  |                 quirks
 *   |  | |  |    |     |  layout of the TCP options
 *   |  | |  |    |     window scale
 *   |  | |  |    window size, as a multiple of MSS or MTU where it is one
 *   |  | |  MSS
 *   |  | bytes of IP options
 *   |  initial TTL: the next of 32, 64, 128, 255
 *   version of IP
 */
#ifndef CLASSIFIERS_STACK_STACK_SIGNATURE_H
#define CLASSIFIERS_STACK_STACK_SIGNATURE_H

#include "classifiers/api/cursor.h"

enum { STACK_OPTIONS = 40, STACK_TEXT_BYTES = 256, STACK_ECE = 1, STACK_CWR = 2 };

enum stack_quirk {
	QUIRK_DF = 1 << 0, QUIRK_ID_PLUS = 1 << 1, QUIRK_ID_MINUS = 1 << 2, QUIRK_ECN = 1 << 3, QUIRK_ZERO_PLUS = 1 << 4,
	QUIRK_FLOW = 1 << 5, QUIRK_SEQ_MINUS = 1 << 6, QUIRK_ACK_PLUS = 1 << 7, QUIRK_ACK_MINUS = 1 << 8, QUIRK_UPTR_PLUS = 1 << 9,
	QUIRK_URGF_PLUS = 1 << 10, QUIRK_PUSHF_PLUS = 1 << 11, QUIRK_TS1_MINUS = 1 << 12, QUIRK_TS2_PLUS = 1 << 13,
	QUIRK_OPT_PLUS = 1 << 14, QUIRK_EXWS = 1 << 15, QUIRK_BAD = 1 << 16,
	/* What the other version of IP can't show. */
	QUIRKS_IPV4 = QUIRK_DF | QUIRK_ID_PLUS | QUIRK_ID_MINUS | QUIRK_ZERO_PLUS,
	QUIRKS_IPV6 = QUIRK_FLOW,
};

enum stack_window { WINDOW_PLAIN, WINDOW_MSS, WINDOW_MTU, WINDOW_MODULO, WINDOW_ANY };

struct stack_signature {
	uint8_t version;              /* 4 or 6 */
	uint8_t ttl;                  /* as it came */
	uint8_t initial_ttl;
	uint8_t option_bytes;         /* of IP */
	uint8_t scale;
	uint8_t eol_padding;          /* bytes after the end of options */
	uint8_t layout_count;
	bool accepts;                 /* SYN+ACK, not SYN */
	bool payload;
	uint8_t ecn;                  /* its flags' STACK_ECE and STACK_CWR */
	uint8_t reserved;             /* the four bits behind the header's length, which have no use */
	uint8_t window_kind;          /* WINDOW_PLAIN, _MSS or _MTU */
	uint16_t mss;                 /* 0: not stated */
	uint16_t window;
	uint16_t window_times;        /* of MSS or MTU */
	uint32_t quirks;
	uint8_t layout[STACK_OPTIONS]; /* kinds of options in their order */
};

/*
 * Reads a SYN or SYN+ACK from its IP header on. `peer_mss` is what the SYN had stated when this is its answer,
 * else 0. False when it is none, or cut.
 */
bool stack_signature_read(struct cursor ip, uint16_t peer_mss, struct stack_signature *s);

/* Writes it as above; the length. */
size_t stack_signature_write(const struct stack_signature *s, char out[STACK_TEXT_BYTES]);

/* "mss" ... as a kind of option; 256 for no such word. And a quirk's bit, 0 for none. */
unsigned stack_option_of(const char *word);
uint32_t stack_quirk_of(const char *word);

#endif
