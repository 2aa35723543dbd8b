/*
 * What an analyst says beside approving: deny or revoke a proposal, stop all probing, let it go on,
 * release a device from quarantine, and state facts about devices. Signed like an approval, over a text of
 * one line for each field.
 *
 * A command counts once: its time must be near the receiver's and after the last command that the
 * receiver took from this analyst.
 */
#ifndef ACTIVE_GUARD_COMMAND_H
#define ACTIVE_GUARD_COMMAND_H

#include "active/guard/approval.h"
#include "classifiers/finding/finding.h"

enum command_type {
	COMMAND_NONE,
	COMMAND_DENY,
	COMMAND_REVOKE,
	COMMAND_STOP,
	COMMAND_RESUME,
	COMMAND_RELEASE,
	/* Facts, see command_is_fact(). */
	COMMAND_SET,    /* an attribute of the device, or of a sub-asset, is this */
	COMMAND_MERGE,  /* two assets are one device */
	COMMAND_SPLIT,  /* an address is a device of its own */
	COMMAND_ACCEPT, /* the device belongs here */
	COMMAND_IGNORE, /* the device is nobody's business: it is never asked anything */
	COMMAND_UNDO,   /* a fact holds no longer */
	COMMAND_TYPES
};

enum {
	COMMAND_WHY_BYTES = 200,
	COMMAND_ATTRIBUTE_BYTES = 24,
	COMMAND_TEXT_BYTES = 1280,
	COMMAND_LATE_MS = 600000, /* a command older than this is not taken */
	COMMAND_EARLY_MS = 60000, /* nor one from so far in the future */
};

/* Texts are as in an approval. */
struct command {
	uint8_t type;                       /* enum command_type */
	char sensor[APPROVAL_NAME_BYTES];
	char subject[APPROVAL_NAME_BYTES];  /* id of a proposal; of an asset (release and facts); number of a fact (undo); "" for stop and resume */
	char attribute[COMMAND_ATTRIBUTE_BYTES]; /* set: its name; "" for all others */
	char path[FINDING_PATH_BYTES];      /* set: the sub-asset, "" for the device itself */
	char value[FINDING_VALUE_BYTES];    /* set: the value; merge: the other asset; split: the address; else "" */
	char why[COMMAND_WHY_BYTES];
	int64_t time_ms;                    /* since 1970, UTC */
	struct approval_signature signature;
};

/* "deny", "revoke" ...; NULL for none. */
const char *command_name(enum command_type t);
/* COMMAND_NONE when there is none of that name. */
enum command_type command_of_name(const char *name);

/* True for what states, or takes back, a fact about a device. Such a text has three lines more. */
bool command_is_fact(enum command_type t);

bool command_valid(const struct command *c);

/* The text that is signed; its length, 0 when the command is not valid. */
size_t command_text(const struct command *c, char out[COMMAND_TEXT_BYTES]);

/* True when the command's signature is that of `key` over the text. */
bool command_verify(const struct command *c, const uint8_t key[32]);

#endif
