/*
 * How several engines read one plain pcap file together. Each fetches every Nth block of it into memory that the others
 * may only read, finds its frames and whose they are, and shows where the next block begins. Every engine then works on
 * its own frames of all blocks, in the order of the file.
 *
 * Nobody is believed more than the file itself: where a frame is said to be is checked before it is read there. Nobody is
 * waited for without end either: see joint_step().
 */
#ifndef SENSOR_ENGINE_JOINT_H
#define SENSOR_ENGINE_JOINT_H

#include "sensor/engine/capture_file.h"

enum joint_step {
	JOINT_READY, /* the next block is at hand */
	JOINT_WAITS, /* it is another's to fetch, who has not done so yet */
	JOINT_BROKEN, /* what the others show can't be, or the file is not what it was */
};

struct joint;

/*
 * Maps the memory of `engines` engines from the descriptors from `boards` on, which it closes; that of `index` is its own. NULL
 * when that fails: then each reads all of the file alone.
 */
struct joint *joint_open(int boards, unsigned index, unsigned engines);
void joint_close(struct joint *j);

/* `file` was just opened on `fd`; both stay. False when it can't be read so. */
bool joint_start(struct joint *j, struct capture_file *file, int fd);

/*
 * Between blocks, when no frame is in use any more: fetches what it can ahead, then turns to the next block. While others are
 * waited for it is called again and again; who does not care to, goes on with joint_leave().
 */
enum joint_step joint_step(struct joint *j);
/* Reads on alone from the end of the last block; nobody need wait for this engine. */
void joint_leave(struct joint *j);

/* What a batch takes, and what it passes over. */
struct joint_batch {
	unsigned most;      /* frames to take, 1 .. ENGINE_BATCH */
	uint64_t most_seen; /* frames to take and to pass over, from 1 */
	unsigned count;     /* taken */
	uint64_t last_number; /* of the last frame seen, whoever's */
	int64_t last_ns;      /* its time, when there was one in this block */
};

/* Fills `frames` with what is or may be ours, up to the end of the block, where the result says what follows: CAPTURE_REFILL asks for joint_step(). */
enum capture_result joint_take(struct joint *j, struct frame *frames, struct joint_batch *batch);

#endif
