/*
 * What engineers do over S7comm: by the function code of a job, and by group and subfunction of user data.
 * Siemens publishes none of it; the codes are those of Wireshark's and Snap7's readers.
 *
 *	job        | function | ...                 28: 28, 7 bytes, 2 length, block, 1 length, name of the service
 *	user data  | 00 01 12 | length | method | type 4 bits, group 4 bits | subfunction | sequence
 */
#ifndef CLASSIFIERS_ICS_S7_ACTIVITY_H
#define CLASSIFIERS_ICS_S7_ACTIVITY_H

#include "classifiers/api/classifier.h"

#include <string.h>

enum s7_function {
	S7_READ = 0x04, S7_WRITE = 0x05, S7_DOWNLOAD = 0x1a, S7_DOWNLOAD_BLOCK = 0x1b, S7_DOWNLOAD_ENDED = 0x1c, S7_UPLOAD_START = 0x1d, S7_UPLOAD = 0x1e,
	S7_UPLOAD_END = 0x1f, S7_PI_SERVICE = 0x28, S7_STOP = 0x29,
};

enum s7_group { S7_GROUP_PROGRAMMER = 1, S7_GROUP_SECURITY = 5 };

/* Program invocation: a text names what is to be done, with the blocks it is to be done to. */
static inline void s7_tell_pi(struct reader *r, struct cursor c)
{
	static const struct {
		const char *name;
		enum activity activity;
	} services[] = {
		{ "P_PROGRAM", ACTIVITY_MODE_RUN },   { "_INSE", ACTIVITY_PROGRAM_DOWNLOAD }, { "_INS2", ACTIVITY_PROGRAM_DOWNLOAD },
		{ "_DELE", ACTIVITY_ONLINE_EDIT },    { "_MODU", ACTIVITY_ONLINE_EDIT },      { "_GARB", ACTIVITY_ONLINE_EDIT },
		{ "_RESET", ACTIVITY_RESET },
	};
	struct cursor name;

	cursor_skip(&c, 7);
	cursor_skip(&c, cursor_u16be(&c));
	name = cursor_take(&c, cursor_u8(&c));
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (cursor_ok(&name) && cursor_left(&name) == strlen(services[i].name) &&
		    cursor_starts(&name, services[i].name, cursor_left(&name)))
			tell_activity(r, NULL, services[i].activity, "PI service %s (0x28)", services[i].name);
}

static inline void s7_tell_job(struct reader *r, struct cursor parameters)
{
	uint8_t function = cursor_u8(&parameters);

	switch (function) {
	case S7_WRITE:
		r->signs |= SIGN_WRITE;
		break;
	case S7_DOWNLOAD:
		tell_activity(r, NULL, ACTIVITY_PROGRAM_DOWNLOAD, "request download (0x1a)");
		break;
	case S7_UPLOAD_START:
		tell_activity(r, NULL, ACTIVITY_PROGRAM_UPLOAD, "start upload (0x1d)");
		break;
	case S7_PI_SERVICE:
		s7_tell_pi(r, parameters);
		break;
	case S7_STOP:
		tell_activity(r, NULL, ACTIVITY_MODE_STOP, "PLC stop (0x29)");
		break;
	default:
		break;
	}
}

static inline void s7_tell_userdata(struct reader *r, struct cursor parameters)
{
	uint8_t kind, function;

	cursor_skip(&parameters, 5);
	kind = cursor_u8(&parameters);
	function = cursor_u8(&parameters);
	if (!cursor_ok(&parameters) || kind >> 4 != 4)
		return;
	if ((kind & 15) == S7_GROUP_SECURITY) {
		tell_activity(r, NULL, ACTIVITY_ENGINEERING_SESSION, "password (group 5, 0x%02x)", function);
		return;
	}
	if ((kind & 15) != S7_GROUP_PROGRAMMER)
		return;
	if (function == 0x09)
		tell_activity(r, NULL, ACTIVITY_FORCE, "force (group 1, 0x09)");
	else if (function == 0x0c)
		tell_activity(r, NULL, ACTIVITY_MEMORY_CLEAR, "memory reset (group 1, 0x0c)");
	else
		tell_activity(r, NULL, ACTIVITY_ENGINEERING_SESSION, "programmer command (group 1, 0x%02x)", function);
}

#endif
