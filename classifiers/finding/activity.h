/*
 * What people and their programs do to a controller, beyond reading and writing its values: the
 * closed list of activities that classifiers state and the hub makes events of.
 *
 * The order is free to grow at the end only, as with attributes.
 */
#ifndef CLASSIFIERS_FINDING_ACTIVITY_H
#define CLASSIFIERS_FINDING_ACTIVITY_H

#include <stdbool.h>

enum activity {
	ACTIVITY_NONE,
	ACTIVITY_PROGRAM_DOWNLOAD,    /* program, blocks or projects are sent into the device */
	ACTIVITY_PROGRAM_UPLOAD,      /* ... are read out of it */
	ACTIVITY_ONLINE_EDIT,         /* a program is changed or deleted in place */
	ACTIVITY_MODE_RUN,            /* told to run: start, warm or cold start */
	ACTIVITY_MODE_STOP,           /* told to stop, pause or to wait for a program */
	ACTIVITY_RESET,               /* told to start again, or back to its factory state */
	ACTIVITY_MEMORY_CLEAR,        /* program, files or values are deleted as a whole */
	ACTIVITY_FIRMWARE_UPDATE,
	ACTIVITY_FORCE,               /* inputs or outputs are held at a value */
	ACTIVITY_CONFIGURATION,       /* name, address, clock, password or parameters of the device are set */
	ACTIVITY_ENGINEERING_SESSION, /* rights to change the device are taken: a reservation, a programming session */
	ACTIVITY_WRITE_BURST,         /* values are written far more often than usual; stated by the hub alone */
	ACTIVITY_STARTED,             /* the subject itself says that it has just started, or goes down */
	ACTIVITIES
};

/* The activity's word in documents ("program-download"); never NULL for values below ACTIVITIES. */
const char *activity_name(enum activity a);

/* True for what an engineer does: while it goes on, nobody else should ask the devices of that zone anything. */
bool activity_is_engineering(enum activity a);

#endif
