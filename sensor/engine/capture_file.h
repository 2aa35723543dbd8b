/*
 * Reads a capture file from a descriptor: classic pcap (both byte orders, micro- and nanoseconds) and
 * pcapng and snoop, plain or gzip. A plain file is looked at in place; memory is bounded.
 */
#ifndef SENSOR_ENGINE_CAPTURE_FILE_H
#define SENSOR_ENGINE_CAPTURE_FILE_H

#include "sensor/engine/file_index.h"
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
/*
 * The same for one of several engines, up to the end of a stride (see STRIDE_FRAMES): passes over what surely belongs to none of
 * `shares` (bit s for share s of sensor/common/spread.h). Frames that it gives out have their share set.
 */
enum capture_result capture_file_read_shares(struct capture_file *file, uint32_t shares, struct frame *frames, unsigned most, unsigned *count);
/* Before the first frame: capture_file_read_shares() is to use this index, which stays the caller's, if the file allows for it. */
void capture_file_share(struct capture_file *file, struct file_index *index);
/* Frames that were passed over count. */
const struct capture_place *capture_file_place(const struct capture_file *file);

/* Reads on; frames given out before are gone. False at the end of the descriptor. */
bool capture_file_refill(struct capture_file *file);

/* Bytes of the file itself read so far, as a progress bar wants them. */
uint64_t capture_file_bytes(const struct capture_file *file);
const char *capture_file_why(const struct capture_file *file);

#endif
