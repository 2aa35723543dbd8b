/* The fleet's inside, for the files of this folder alone. */
#ifndef SENSOR_FLEET_PARTS_H
#define SENSOR_FLEET_PARTS_H

#include "sensor/fleet/fleet.h"

enum { NOBODY = UINT32_MAX };

/* A sensor with what is held of it. */
struct member {
	struct fleet_sensor sensor;   /* first, so that a pointer to it is one to the member */
	struct witness *witnesses;    /* by id */
	uint64_t epoch;               /* of its store: another one begins its numbers again */
	double read_to;               /* score in askance:{S}:changed up to which all was read */
	unsigned server;              /* where its keys are */
	bool found;                   /* by the search that runs */
	bool known;                   /* its health was read once */
};

/* A union of two witnesses, and why. */
struct edge {
	uint32_t a, b;
	uint32_t next;                /* of the same device, NOBODY for none */
	enum bond bond;
	uint32_t decision;            /* of BOND_ANALYST */
};

/* What fleet_match() makes; arrays by witness->index. */
struct matching {
	size_t count;
	struct witness **witness;
	uint32_t *root, *next;        /* next: the device's witnesses, NOBODY at its end */
	uint32_t *last, *size;        /* of roots */
	uint32_t *serial_of;          /* of roots: a witness with a serial, NOBODY for none */
	uint32_t *edges_first, *edges_last;
	bool *split;                  /* of roots: a decision keeps a witness of it apart */
	struct edge *edge;
	size_t edges;
	uint32_t *device;             /* the first witness of each device */
	size_t devices;
	struct fleet_pair doubt[FLEET_DOUBTS];
	size_t doubts;
	uint64_t doubts_not_kept;
};

struct fleet {
	size_t most, held;
	struct member **member;       /* in the order of their names */
	size_t members, room;
	uint32_t round;
	size_t changes;
	uint64_t bytes, unreadable, refused;
	struct fleet_decision *decision;
	size_t decisions;
	struct matching matching;
};

/* The sensor of this name, made when `make` is; NULL when there is none, or no room. */
struct member *fleet_member(struct fleet *f, const char *name, size_t len, bool make);
void fleet_drop_member(struct fleet *f, size_t i);

/* Everything of one sensor, or one witness of it. They count as changes. */
void fleet_forget(struct fleet *f, struct member *m);
void fleet_drop(struct fleet *f, struct member *m, const char *id);

/* Takes w over; it takes the place of the one with the same id. */
void fleet_keep(struct fleet *f, struct member *m, struct witness *w);

void matching_clear(struct matching *m);

/* From the health document into m. False when it is none. */
bool fleet_read_health(struct member *m, const char *body, size_t len, bool *new_epoch);

#endif
