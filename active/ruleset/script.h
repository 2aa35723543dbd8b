/*
 * The script of a rule: its steps, their bytes with holes, and how a reply is told.
 *
 * Bytes are written as text:
 *
 *   81 0a              hex, blanks anywhere            00*30             a byte thirty times
 *   "SSH-2.0"          text, with \r \n \" \\          # to the line's end: what these bytes are
 *   {unit:u8}          a hole of the rule              {=length-6:u16be} the message's length less 6
 *   {=length(name):u8} the length of a text hole       {=crc-dnp3}       checksum since the last one
 *   {=length(name)+6:u8} that length and 6 more        {=crc-ccitt-0}    from byte 0 of the message to here, high byte first
 *   {=sum8-4}          the sum of all bytes from byte 4 of the message to here; {=xor8-4} likewise
 *   ..                 any byte; in a reply's beginning only
 *
 * Types are u8, u16be, u16le, u24be, u32be, u32le, u48be, u64le, bytesN (N random bytes) and text; also texts that
 * are numbers with dots and become bytes: netid (six of them, "5.1.2.3.1.1") and title (an object identifier
 * in BER with its tag and length: 06 for "1.3.6.1", 80 for ".1.6", relative to a root that both sides know).
 */
#ifndef ACTIVE_RULESET_SCRIPT_H
#define ACTIVE_RULESET_SCRIPT_H

#include "active/ruleset/ruleset.h"

enum {
	PARTS = 104,
	TEMPLATE_BYTES = 512,
	TEMPLATE_LABELS = 1024,
	HOLE_VALUES = 64,   /* of a list, or swept by an order */
	DELIMITER_BYTES = 8,
	WHOLE_MESSAGE = 0xff,
};

/* Where the value comes from. All but `reply`, `own` and `counter` are fixed, and so signed, in a proposal. */
enum hole_source {
	HOLE_FRESH,   /* any number in the range, chosen when the proposal is made */
	HOLE_COUNTER, /* starts at the range's lower end, goes up by one with each message that holds it, then from below again */
	HOLE_CLOCK,   /* the proposal's time: u64le in 100 ns since 1601, u32be in seconds since 1970; hole_clock() */
	HOLE_TARGET,  /* the target's address (name `host`) or port (name `port`): as text, IPv6 in brackets, or as number: an
	               * IPv4 address as u32be, a port as u16be */
	HOLE_SEEN,    /* must have been heard on the wire for this target */
	HOLE_ORDER,   /* stated by the analyst; has a default */
	HOLE_LIST,    /* each of the rule's own values in turn */
	HOLE_REPLY,   /* carried from a reply */
	HOLE_OWN,     /* the prober's end of the connection: IPv4 address (name `own_host`, u32be) or port (`own_port`, u16be) */
	HOLE_SOURCES
};

enum value_type { VALUE_U8, VALUE_U16BE, VALUE_U16LE, VALUE_U24BE, VALUE_U32BE, VALUE_U32LE, VALUE_U48BE, VALUE_U64LE, VALUE_BYTES,
		  VALUE_TEXT, VALUE_TYPES };

/* How a text becomes bytes. */
enum text_form { FORM_PLAIN, FORM_NETID, FORM_TITLE };
enum { NETID_BYTES = 6 };

struct hole {
	const char *name;
	const char *meaning;
	const char *text;      /* the default of a text hole, else NULL */
	uint32_t line;
	uint8_t source;        /* enum hole_source */
	uint8_t type;          /* enum value_type */
	uint8_t width;         /* bytes on the wire; of text the most */
	uint8_t form;          /* enum text_form, of text */
	bool has_form;         /* while templates are read: it was used, not only its length */
	bool has_value;
	uint64_t low, high;    /* range, inclusive; of text the shortest and longest length */
	uint64_t value;        /* default; of HOLE_REPLY the value before the first reply */
	uint8_t values_count;  /* HOLE_LIST */
	uint64_t values[HOLE_VALUES];
};

/* Those that have to know where they begin begin at the part's `less`; DNP3's after the one before. */
enum checksum { CHECKSUM_CRC_DNP3, CHECKSUM_SUM8, CHECKSUM_XOR8, CHECKSUM_CRC_CCITT, CHECKSUMS };

enum part_kind { PART_BYTES, PART_REPEATED, PART_ANY, PART_HOLE, PART_LENGTH, PART_CRC };

struct part {
	uint8_t kind;   /* enum part_kind */
	uint8_t type;   /* enum value_type of a hole or a length, enum checksum of a checksum */
	uint8_t hole;   /* its index; of a length WHOLE_MESSAGE for all of it */
	uint16_t at;    /* first of its bytes in the template */
	uint16_t len;   /* bytes of it, or how many are skipped or repeated */
	uint16_t less;  /* subtracted from a length; first byte of a checksum */
	uint16_t label; /* offset in labels, 0 for none */
	uint8_t form;   /* enum text_form of a text hole */
	uint8_t more;   /* added to the length of a hole */
};

struct template {
	uint8_t count;
	uint16_t bytes_used;
	uint16_t labels_used;
	struct part parts[PARTS];
	uint8_t bytes[TEMPLATE_BYTES];
	char labels[TEMPLATE_LABELS];
};

enum reply_end {
	REPLY_NONE,      /* none is expected: the message ends something */
	REPLY_DATAGRAM,  /* it is one datagram or frame */
	REPLY_LENGTH,    /* a number in it, plus `add`, is its length */
	REPLY_DELIMITER, /* these bytes stand at its end */
	REPLY_DNP3,      /* link frames, until one ends the application's fragment */
	REPLY_IDLE,      /* nothing more came for idle_ms: bytes of a stream, or datagrams of many */
	REPLY_CLOSE,     /* the device closes */
	REPLY_ENDS
};

enum otherwise {
	OTHERWISE_STOP, /* the run ends politely */
	OTHERWISE_NEXT, /* the next step follows */
	OTHERWISE_WAIT, /* one with another beginning is kept and passed over; none ends the run */
};

struct reply {
	uint8_t ends;          /* enum reply_end */
	bool little;           /* REPLY_LENGTH: order of the number */
	uint8_t width;         /* ... its bytes: 1, 2 or 4 */
	uint8_t delimiter_bytes;
	uint8_t delimiter[DELIMITER_BYTES];
	uint16_t offset;       /* ... where it stands */
	int32_t add;
	uint32_t idle_ms;
	uint32_t at_most;      /* bytes that are taken of it, 1 .. 65536 */
	uint8_t otherwise;     /* enum otherwise: what follows on none, or on one with another beginning */
	struct template begins;
};

struct carry {
	uint8_t hole;
	uint16_t offset; /* in the reply; width and order are the hole's */
};

enum { STEP_CARRIES = 4 };

struct step {
	const char *name;
	const char *says;        /* what the message asks */
	uint32_t line;
	bool listens;            /* sends nothing: waits for what the device says */
	bool has_while;          /* sent only while the last reply has this byte there */
	uint8_t while_byte;
	uint16_t while_offset;
	uint16_t rounds;         /* most messages of this step, 1 .. RULE_REPEATS */
	uint8_t over;            /* hole it is repeated for, WHOLE_MESSAGE for none */
	uint32_t pause_ms;       /* between two rounds */
	uint8_t stop_after_silent; /* rounds without a reply in a row that end a sweep; 0: none */
	uint8_t carries_count;
	struct carry carries[STEP_CARRIES];
	struct template send;
	struct reply reply;
};

/* What a hole is filled with. */
struct filling {
	uint64_t number;
	uint8_t len;                     /* of bytes and text */
	uint8_t bytes[RULE_TEXT_BYTES];
};

/*
 * Reads the text of a template. On a mistake false, with a sentence in why and the text's line (from
 * 0) in line. `pattern` allows `..` and refuses computed parts. A hole's first use sets its type.
 */
struct template_error {
	uint32_t line;
	char why[160];
};
bool template_read(struct template *t, const char *text, bool pattern, struct hole *holes, size_t holes_count,
		   struct template_error *error);

/* Fills every hole with its default: the given value, else the lower end, text of the shortest length. */
void rule_defaults(const struct rule *rule, struct filling fillings[RULE_HOLES]);

/*
 * Renders the message of one step. False when a filling is outside its hole's range or the message
 * would not fit; len is 0 for a step that listens.
 */
bool rule_render(const struct rule *rule, size_t step, const struct filling fillings[RULE_HOLES],
		 uint8_t out[RULE_MESSAGE_BYTES], size_t *len);

/* Bytes of one part of a message, with those fillings. */
size_t part_length(const struct part *p, const struct filling *fillings);

/* The longest message that a template can become. */
size_t template_longest(const struct template *t, const struct hole *holes);

/*
 * Calls `see` with messages of a step: every value of holes with up to 256, both ends, their
 * neighbours and a spread of the wider ones, alone and all at an end together. Ends early, false, when `see` says false.
 */
typedef bool script_see(void *context, const struct rule *rule, size_t step, const struct filling fillings[RULE_HOLES],
			const uint8_t *bytes, size_t len);
bool rule_enumerate(const struct rule *rule, size_t step, script_see *see, void *context);

unsigned int value_width(enum value_type t);
const char *value_type_name(enum value_type t);
/* As it is written in a template, "crc-dnp3"; its bytes on the wire. */
const char *checksum_name(enum checksum c);
unsigned int checksum_width(enum checksum c);
const char *hole_source_name(enum hole_source s);

/*
 * Fills a hole by target from the target's address (IPv6 in brackets) and port, both as text. False when
 * the hole can't hold it: an IPv6 address in a number of four bytes, a text that is too long.
 */
bool hole_fill_target(const struct hole *h, const char *host, const char *port, struct filling *f);

/* The value of a hole by clock, in the form that its type asks for. */
uint64_t hole_clock(const struct hole *h, int64_t now_s);

/* True when a text is one that a hole of that form can turn into bytes; those bytes and their number, if asked. */
bool text_encode(enum text_form form, const uint8_t *text, size_t len, uint8_t out[RULE_TEXT_BYTES], size_t *n);

/* True when the value is known only while the rule runs: a plan shows the hole by its name. */
static inline bool hole_is_open(const struct hole *h)
{
	return h->source == HOLE_REPLY || h->source == HOLE_OWN;
}

#endif
