/*
 * What an analyst says beside approving: deny or revoke a proposal, stop all probing, let it go on,
 * release a device from quarantine. Signed like an approval, over a text of one line for each field.
 *
 * A command counts once: its time must be near the receiver's and after the last command that the
 * receiver took from this analyst.
 */
#ifndef ACTIVE_GUARD_COMMAND_H
#define ACTIVE_GUARD_COMMAND_H

#include "active/guard/approval.h"

enum command_type { COMMAND_NONE, COMMAND_DENY, COMMAND_REVOKE, COMMAND_STOP, COMMAND_RESUME, COMMAND_RELEASE, COMMAND_TYPES };

enum {
	COMMAND_WHY_BYTES = 200,
	COMMAND_TEXT_BYTES = 768,
	COMMAND_LATE_MS = 600000, /* a command older than this is not taken */
	COMMAND_EARLY_MS = 60000, /* nor one from so far in the future */
};

/* Texts are as in an approval. */
struct command {
	uint8_t type;                       /* enum command_type */
	char sensor[APPROVAL_NAME_BYTES];
	char subject[APPROVAL_NAME_BYTES];  /* id of a proposal, or of an asset (COMMAND_RELEASE); "" for stop and resume */
	char why[COMMAND_WHY_BYTES];
	int64_t time_ms;                    /* since 1970, UTC */
	struct approval_signature signature;
};

/* "deny", "revoke" ...; NULL for none. */
const char *command_name(enum command_type t);
/* COMMAND_NONE when there is none of that name. */
enum command_type command_of_name(const char *name);

bool command_valid(const struct command *c);

/* The text that is signed; its length, 0 when the command is not valid. */
size_t command_text(const struct command *c, char out[COMMAND_TEXT_BYTES]);

/* True when the command's signature is that of `key` over the text. */
bool command_verify(const struct command *c, const uint8_t key[32]);

#endif
