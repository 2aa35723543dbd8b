/* Hands a command to a sensor through its Redis and waits for what the sensor says to it. */
#ifndef SENSOR_CTL_COMMAND_SEND_H
#define SENSOR_CTL_COMMAND_SEND_H

#include "active/guard/approval.h"
#include "sensor/ctl/key_file.h"
#include "sensor/ctl/rules_load.h"
#include "sensor/ctl/sensor_link.h"

#include <jansson.h>

/* Exit codes beyond those of every verb. */
enum {
	EXIT_REFUSED = 3,  /* the sensor refused it */
	EXIT_UNSOUND = 4,  /* not signed: what the sensor shows is not what our rules make of it */
};

/* Options that all signing verbs share. */
struct signer {
	const char *verb;
	char path[512];                    /* of the key; empty: the default */
	char name[APPROVAL_CLASS_BYTES];   /* in analysts.yaml; empty: looked up by the key */
	struct secret_key key;
};

/* --key and --as, for OPTION_GROUP. */
extern const struct verb_option signer_options[];

/* Reads the key and finds the name. `policy` may be NULL. False after a message. */
bool signer_open(struct signer *s, const struct policy *policy);
void signer_close(struct signer *s);
/* The signature over a text, as base64; valid until the next call. */
const char *signer_sign(const struct signer *s, const char *text, size_t len);

/*
 * Sends the body and waits at most 5 s for the sensor's answer about `name` (the command) and `named` (id of the
 * proposal or asset, "" for none). Takes the body over. Prints the outcome, as JSON on request. Returns the exit code.
 */
int command_send(struct sensor_link *l, json_t *body, const char *name, const char *named, bool as_json);

#endif
