/*
 * The file of JSON lines: each event's document, the same bytes as in the stream, one a line, in
 * order. The file itself remembers how far it got: its last whole line names its event.sequence.
 */
#ifndef SENSOR_HUB_JSONL_H
#define SENSOR_HUB_JSONL_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct store;

/*
 * Opens `path` ("-" is stdout, "" none), cuts off a torn last line and finds where to go on. 0, or
 * -1 with the cause in the log. A file that was moved away is opened anew at its path.
 */
int jsonl_open(uv_loop_t *loop, struct store *s, const char *path);

/* Writes what stands in the outbox up to `committed` and isn't in the file. Never waits for a full pipe or disk. */
void jsonl_pump(int64_t committed);

/* Once a second: tries again after an error, follows a file that was moved away, notes the position. */
void jsonl_tick(int64_t committed);

/* Notes the position and closes; the loop has one handle of it to close at most. */
void jsonl_close(void);

/* "off", "writing", "full" (no room on the disk), "blocked" (nobody reads), "failed". */
const char *jsonl_state(void);
int64_t jsonl_written(void);

#endif
