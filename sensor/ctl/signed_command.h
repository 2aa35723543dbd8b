/* What an analyst says beside approving: signed here, sent through Redis, answered by the sensor. */
#ifndef SENSOR_CTL_SIGNED_COMMAND_H
#define SENSOR_CTL_SIGNED_COMMAND_H

#include "active/guard/command.h"
#include "sensor/ctl/command_send.h"

/* Begin with zeros and the three parts' verb set. */
struct signed_command {
	struct sensor_link link;
	struct rules_load rules;
	struct signer signer;
	struct command command; /* type, subject and what a fact holds; the rest is filled in */
	bool json;
};

/* --why, --json, and those of the parts, for OPTION_GROUP. */
extern const struct verb_option signed_command_options[];

/* Exit codes of verbs that send one. */
#define SIGNED_COMMAND_EXITS { "taken", "sent and not answered yet", "nothing was done", "the sensor refused it" }

/* The link must be open. Returns the exit code, after a message where it is not 0. */
int signed_command_send(struct signed_command *s);

#endif
