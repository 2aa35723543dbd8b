/*
 * An approval: which one question may be put to which one device, with which bytes, when and how
 * often; signed by as many analysts as its risk needs.
 *
 * A signature is Ed25519 (RFC 8032) over approval_text(), a text of one line for each field, so that
 * what is signed can be read. Hub and prober both verify; neither takes the other's word.
 */
#ifndef ACTIVE_GUARD_APPROVAL_H
#define ACTIVE_GUARD_APPROVAL_H

#include "classifiers/finding/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	APPROVAL_ID_BYTES = 33,         /* 32 hex digits of the proposal, drawn by chance */
	APPROVAL_NAME_BYTES = 64,
	APPROVAL_RULE_BYTES = 48,
	APPROVAL_CLASS_BYTES = 32,
	APPROVAL_PARAMETERS_BYTES = 768,
	APPROVAL_SIGNATURES = 2,
	APPROVAL_SIGNATURE_BYTES = 64,
	APPROVAL_HASH_BYTES = 32,
	APPROVAL_TEXT_BYTES = 2048,
	APPROVAL_USES = 10,             /* most of one approval */
	APPROVAL_SECONDS = 30 * 86400,  /* longest time between not_before and not_after */
};

struct approval_signature {
	char analyst[APPROVAL_CLASS_BYTES]; /* name in rules/policy/analysts.yaml */
	uint8_t bytes[APPROVAL_SIGNATURE_BYTES];
};

/* Texts end in a zero and are zero from there on; no text holds a control character. */
struct approval {
	char id[APPROVAL_ID_BYTES];
	uint8_t transport;                         /* enum transport */
	uint8_t uses;                              /* 1 .. APPROVAL_USES */
	uint8_t signatures;                        /* 0 .. APPROVAL_SIGNATURES */
	uint16_t port;                             /* 0 for a layer-2 protocol */
	uint16_t vlan[2];                          /* outer, inner; 0 for untagged */
	char sensor[APPROVAL_NAME_BYTES];
	char zone[APPROVAL_NAME_BYTES];
	char device_class[APPROVAL_CLASS_BYTES];   /* what the target was taken for; exclusions look at it */
	char maker[APPROVAL_NAME_BYTES];           /* of its MAC, likewise */
	struct endpoint target;                    /* MAC and address as heard: both must still be true */
	char path[FINDING_PATH_BYTES];             /* sub-asset, "" for the device */
	char rule[APPROVAL_RULE_BYTES];
	uint8_t rule_sha256[APPROVAL_HASH_BYTES];
	char parameters[APPROVAL_PARAMETERS_BYTES]; /* plan_parameters() of active/ruleset/plan.h */
	uint8_t plan_sha256[APPROVAL_HASH_BYTES];   /* plan_digest(): over all bytes that may be sent */
	int64_t not_before_s, not_after_s;         /* since 1970, UTC */
	struct approval_signature signature[APPROVAL_SIGNATURES];
};

/* True when every field is in its range and every text clean; says nothing of signatures. */
bool approval_valid(const struct approval *a);

/* The text that is signed. Its length, without the zero; 0 when the approval is not valid. */
size_t approval_text(const struct approval *a, char out[APPROVAL_TEXT_BYTES]);

/* True when `signature` is that of `key` (32 bytes) over the text. */
bool approval_verify(const struct approval *a, const struct approval_signature *signature, const uint8_t key[32]);

#endif
