/* The end of a stream, as Redis's answer to XINFO STREAM shows it. */
#ifndef SENSOR_HUB_STREAM_END_H
#define SENSOR_HUB_STREAM_END_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_end {
	bool missing;         /* there is no such key */
	uint64_t epoch, seq;  /* last ID given, also of an entry since trimmed; 0-0 when none was */
	const char *body;     /* of the entry with that ID; NULL when it is gone. Points into the reply */
	size_t body_len;
};

/* Reads the answer (an error stands for a missing key). 0, or -1 when it has another shape. */
int stream_end_read(struct stream_end *end, const redisReply *r);

/* "<epoch>-<seq>" */
bool stream_id_read(const char *text, uint64_t *epoch, uint64_t *seq);

#endif
