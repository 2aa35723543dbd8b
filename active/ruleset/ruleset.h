/*
 * The probe rules: what may be asked, byte for byte, and what is known of each question.
 *
 * A ruleset is read once from DIR/probes/NAME.yaml, checked wholly, and then constant. Whoever holds
 * one can look rules up and render their bytes; nothing here opens or sends anything.
 */
#ifndef ACTIVE_RULESET_RULESET_H
#define ACTIVE_RULESET_RULESET_H

#include "classifiers/finding/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RULE_PORTS = 8,
	RULE_SEEN = 4,
	RULE_GUARDS = 8,
	RULE_HOLES = 12,
	RULE_STEPS = 12,
	RULE_REPEATS = 256,        /* most rounds of one step */
	RULE_MESSAGES = 512,       /* most messages of one rule */
	RULE_PACKETS = 1024,       /* ceiling of max_packets */
	RULE_BYTES = 65536,        /* ceiling of max_bytes */
	RULE_MESSAGE_BYTES = 1024, /* most bytes of one rendered message */
	RULE_TEXT_BYTES = 128,     /* most bytes of a text hole */
	RULE_TIMEOUT_MS = 30000,   /* ceiling of timeout_ms */
};

/*
 * How much can go wrong, and so how many analysts must sign: low (one stateless request) may be
 * automatic where the whitelist says so; medium (opens a session) one; high (may take a master's
 * place, or reaches a bus) two; custom (a foreign probe file) two and never automatic.
 */
enum risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CUSTOM, RISKS };

/*
 * From which port of the target replies are taken (UDP only). Some stacks answer from a fresh port: only the
 * address can be told then, and the socket must not be a connected one.
 */
enum reply_port {
	REPLY_PORT_SERVICE, /* the one that was asked */
	REPLY_PORT_ANY,     /* any; what follows goes to the service's port all the same */
	REPLY_PORT_FOLLOW,  /* any; what follows the first reply goes to the port that it came from */
	REPLY_PORTS
};

struct guard_answer; /* active/guard/guard.h */
struct hole; /* active/ruleset/script.h */
struct step;

struct rule {
	const char *name;      /* begins with protocol; unique in the set */
	const char *protocol;  /* file name under classifiers/ */
	const char *file;      /* where it stands, for messages */
	const char *why;       /* what it asks and what that costs the device; sentences for an analyst */
	const char *notes;     /* the risk in words, sources, known trouble; may be "" */
	const char *address;   /* sub-asset hole ("unit", "slot") that it sweeps, NULL when it asks one */
	uint32_t line;
	uint8_t transport;     /* enum transport */
	uint8_t risk;          /* enum risk */
	uint8_t reply_port;    /* enum reply_port */
	bool sub_assets;       /* finds or reads what stands behind the service */
	bool session;          /* the device holds state for it: connection below it aside, a login, channel, association */
	bool multicast;        /* one packet to many: never a part of a normal proposal */
	uint8_t ports_count;
	uint16_t ports[RULE_PORTS]; /* usual ones, a hint for people; the port asked is the one where the service was seen */
	uint8_t seen_count;
	const char *seen[RULE_SEEN]; /* protocols of which one must have been seen there by structure */
	uint8_t fills_count;
	uint8_t fills[ATTRIBUTES];  /* enum attribute; in the file's order, each once */
	uint32_t max_packets;  /* most packets towards the target, TCP's SYN, ACKs and FIN among them */
	uint32_t max_bytes;    /* most payload bytes towards the target */
	uint32_t timeout_ms;   /* for one reply */
	uint16_t ethertype;    /* TRANSPORT_ETHERNET only */
	uint8_t destination[6]; /* TRANSPORT_ETHERNET: a group address, or zeros for the target's own */
	char sha256[65];       /* for rule_sha256() alone */
	uint8_t guards_count;  /* RISK_CUSTOM only: one of these protocols' guards must read its bytes; none: the hash alone binds them */
	const char *guards[RULE_GUARDS];
	uint8_t custom_sha256[32]; /* RISK_CUSTOM only: of the one message */
	uint8_t holes_count;
	uint8_t steps_count;
	const struct hole *holes;
	const struct step *steps;
};

struct ruleset;

/*
 * Told of every mistake. `line` is from 1, 0 when the whole file is meant; `what` is a sentence that
 * says what is wrong and what to do. The texts live as long as the call.
 */
typedef void ruleset_complain(void *context, const char *file, uint32_t line, const char *what);

/*
 * Reads DIR/probes with its base (classifiers/files/rule_folder.h), and DIR/policy/custom.yaml where there is one
 * (active/ruleset/custom.h). NULL when there was a single mistake: all of them were complained of then. An absent or
 * empty folder is a mistake too.
 */
struct ruleset *ruleset_load(const char *dir, ruleset_complain *complain, void *context);
/* The same for a process that sends nothing and orders nothing: the messages that its probes can make are not held before the guard. */
struct ruleset *ruleset_load_unsent(const char *dir, ruleset_complain *complain, void *context);
void ruleset_free(struct ruleset *set);

size_t ruleset_count(const struct ruleset *set);
/* In the order of names, i < ruleset_count(). */
const struct rule *ruleset_at(const struct ruleset *set, size_t i);
/* NULL when there is none. */
const struct rule *ruleset_find(const struct ruleset *set, const char *name);
/*
 * The next rule of a protocol after `after` (NULL: the first), the least risk first, then the fewest
 * packets; NULL at the end. TRANSPORT_NONE takes every transport.
 */
const struct rule *ruleset_next(const struct ruleset *set, const char *protocol, enum transport transport,
				const struct rule *after);

/*
 * The rules whose must_have_seen names that protocol, in the order of their names: the first when *place is 0, then
 * those after it; NULL when there are no more. *place is of no other use.
 */
const struct rule *ruleset_asking(const struct ruleset *set, const char *protocol, size_t *place);

/*
 * True when a service that was heard at its transport is one that the rule's must_have_seen asks for: a protocol
 * of that name, read by structure. "null" there stands for any TCP service whose protocol nobody has read.
 */
bool rule_asks_service(const struct rule *rule, enum transport transport, const char *protocol, bool by_structure);

/* True when the rule may be asked at that port: any, but for a custom rule, which names its own. */
bool rule_takes_port(const struct rule *rule, uint16_t port);

/* True when a reply to it can tell that attribute. */
bool rule_fills(const struct rule *rule, enum attribute a);

/*
 * 64 hex digits over all that matters of the rule: a comment or a blank changes nothing. Made when first asked for,
 * because most who load rules never do; not for two threads at once. Lives as long as the rule.
 */
const char *rule_sha256(const struct rule *rule);

/*
 * The guard's word on a message of a rule, whole and as it would go on the wire: guard_allows() of its protocol;
 * of a custom rule that the bytes are the bound ones, and what its guards say.
 */
struct guard_answer rule_guard(const struct rule *rule, const uint8_t *bytes, size_t len);

const char *risk_name(enum risk r);
/* RISKS when there is none of that name. */
enum risk risk_of_name(const char *name);

#endif
