/*
 * Where findings come in: one ring for each engine. What was taken is given back to the ring only
 * when its effect is on disk, and the store remembers how far that was, so that a hub that is killed
 * anywhere neither loses a finding nor tells it twice.
 */
#ifndef SENSOR_HUB_INTAKE_H
#define SENSOR_HUB_INTAKE_H

#include "sensor/common/message.h"
#include "sensor/common/ring.h"
#include "sensor/hub/hub.h"
#include "sensor/hub/store.h"

struct intake {
	struct ring ring;
	unsigned engine;
	int wake;          /* descriptor */
	uint64_t released; /* up to here the ring's room was given back */
	uint64_t skip_to;  /* records before this were in the store already */
	int64_t identity;  /* of the ring's memory: another one starts at 0 again */
	uint64_t skipped;
	uint64_t taken;    /* up to here reports were given out */
	struct report report; /* the next one, when held; see gather.h */
	bool held;
	bool given_up;     /* is not waited for as long as `order` stands at given_up_at */
	unsigned source;   /* engines of one source wait for each other */
	uint64_t order;    /* up to here it has told everything */
	uint64_t given_up_at;
};

/* 0, or -1 after log_error. */
int intake_open(struct intake *in, unsigned engine, struct store *s);

/* As report_next(); records that the store has already are passed over. */
enum ring_result intake_next(struct intake *in, struct report *report);

/* What intake_next() gave last is about to have its effect: it need not be told again. */
void intake_take(struct intake *in);

/* Writes into the open transaction how far the ring was taken. 0 or -1. */
int intake_note(const struct intake *in, struct store *s);

/* After the commit, or when that is better than an engine that stands still. `position`: a value that `taken` had. */
void intake_release_to(struct intake *in, uint64_t position);
/* All that was taken. */
void intake_release(struct intake *in);

/* True when more than half of the ring waits for a store that refuses. */
bool intake_strained(const struct intake *in);

#endif
