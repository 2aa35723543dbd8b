/* Reads the body of a command: JSON that anybody may have written. */
#ifndef SENSOR_HUB_COMMAND_READ_H
#define SENSOR_HUB_COMMAND_READ_H

#include "active/guard/command.h"

/* Texts are clean and "" when not there, also after a mistake. */
struct command_read {
	bool approves;
	char name[16];
	char id[APPROVAL_NAME_BYTES];         /* of the proposal or asset; number of a fact */
	char analyst[APPROVAL_CLASS_BYTES];   /* zero from its end on */
	uint8_t signature[APPROVAL_SIGNATURE_BYTES];
	int64_t not_before_s, not_after_s;    /* of an approval */
	uint8_t uses;
	struct command command;               /* of all others */
};

/* False with a sentence in why. Members that are not known are a mistake, and so is anything twice. */
bool command_read(struct command_read *c, const char *sensor, const char *body, size_t len, char *why, size_t room);

#endif
