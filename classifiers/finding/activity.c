/* Words for activities, as documents write them. */
#include "classifiers/finding/activity.h"

static const char *const names[ACTIVITIES] = {
	[ACTIVITY_NONE] = "none",
	[ACTIVITY_PROGRAM_DOWNLOAD] = "program-download",
	[ACTIVITY_PROGRAM_UPLOAD] = "program-upload",
	[ACTIVITY_ONLINE_EDIT] = "online-edit",
	[ACTIVITY_MODE_RUN] = "mode-run",
	[ACTIVITY_MODE_STOP] = "mode-stop",
	[ACTIVITY_RESET] = "reset",
	[ACTIVITY_MEMORY_CLEAR] = "memory-clear",
	[ACTIVITY_FIRMWARE_UPDATE] = "firmware-update",
	[ACTIVITY_FORCE] = "force",
	[ACTIVITY_CONFIGURATION] = "configuration",
	[ACTIVITY_ENGINEERING_SESSION] = "engineering-session",
	[ACTIVITY_WRITE_BURST] = "write-burst",
	[ACTIVITY_STARTED] = "started",
};

const char *activity_name(enum activity a)
{
	return a < ACTIVITIES ? names[a] : names[ACTIVITY_NONE];
}

bool activity_is_engineering(enum activity a)
{
	return a > ACTIVITY_NONE && a < ACTIVITY_STARTED;
}
