/*
 * Reads a capture file from a descriptor: classic pcap (both byte orders, micro- and nanoseconds) and
 * pcapng and snoop, plain or gzip. A plain file is looked at in place; memory is bounded.
 */
#ifndef SENSOR_ENGINE_CAPTURE_FILE_H
#define SENSOR_ENGINE_CAPTURE_FILE_H

#include "sensor/engine/frame.h"

#include <stddef.h>

enum capture_result {
	CAPTURE_FRAME,  /* *f is the next frame */
	CAPTURE_REFILL, /* no further whole frame is in memory: be done with all frames, then capture_file_refill() */
	CAPTURE_END,
	CAPTURE_CUT,    /* the file ends within a record, or goes on with nonsense: see capture_file_why() */
};

struct capture_file;

/*
 * Starts on fd, which stays the caller's and is read from where it stands. NULL, with *why set to a
 * sentence, when what is there is no capture.
 */
struct capture_file *capture_file_open(int fd, const char **why);
void capture_file_close(struct capture_file *file);

enum capture_result capture_file_next(struct capture_file *file, struct frame *f);
/* Up to `most` frames at once. What it returns, when it is not CAPTURE_FRAME, holds behind *count of them. */
enum capture_result capture_file_read(struct capture_file *file, struct frame *frames, unsigned most, unsigned *count);

/* Reads on; frames given out before are gone. False at the end of the descriptor. */
bool capture_file_refill(struct capture_file *file);

/* Bytes of the file itself read so far, as a progress bar wants them. */
uint64_t capture_file_bytes(const struct capture_file *file);
const char *capture_file_why(const struct capture_file *file);

#endif
