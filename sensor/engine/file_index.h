/*
 * Where the frames stand in a capture file that several engines read at once. Each must know where every frame begins, but
 * need not find it out: the file is cut into parts of as many frames, one engine goes through a part and writes down for each
 * of them which frames are its own, and where. Who comes first to a part's beginning goes through the next ones, so that who is ahead
 * takes work from who is behind. Nobody waits: a part that nobody has gone through yet is walked through by whoever needs it.
 *
 * It lies in memory that all of them write. None believes another: a place in the file is looked at through a cursor over all
 * of it, so what one writes wrongly gives others wrong frames, and nothing worse.
 */
#ifndef SENSOR_ENGINE_FILE_INDEX_H
#define SENSOR_ENGINE_FILE_INDEX_H

#include "sensor/common/spread.h"
#include "sensor/engine/pcap_record.h"

enum {
	INDEX_PART_FRAMES = 4096,
	INDEX_PART_STRIDES = INDEX_PART_FRAMES / STRIDE_FRAMES,
};

/* How far a file was read. */
struct capture_place {
	uint64_t number; /* of the last frame, from 1; 0 before the first */
	int64_t first_ns;
	int64_t last_ns;
};

/* The frame was read, whoever's it is. */
static inline void capture_place_pass(struct capture_place *place, struct frame *f)
{
	f->number = ++place->number;
	place->last_ns = f->time_ns;
	if (!place->first_ns)
		place->first_ns = f->time_ns;
}

struct file_index;

/*
 * Maps a memory file, all zeros at first, as the one with this index of `engines` (2 .. SHARES). The larger it is, the further may
 * engines be apart; of it as much is in use as they are. NULL when it is too small or can't be mapped. fd stays the caller's.
 */
struct file_index *file_index_open(int fd, unsigned engine, unsigned engines);
void file_index_close(struct file_index *x);

/*
 * This engine is at the beginning of a part, numbered from 0, that stands at `offset` of the file. While file_index_begin()
 * says so it is to go through another part: file_index_walk(), then file_index_publish(), or file_index_give_up() when
 * that is no whole part; then nobody goes through another.
 */
void file_index_arrive(struct file_index *x, uint64_t part, uint64_t offset);
bool file_index_begin(struct file_index *x);
/* `file` is all of it. False when the part isn't all there. */
bool file_index_walk(struct file_index *x, const struct cursor *file, const struct pcap_form *form);
void file_index_publish(struct file_index *x);
void file_index_give_up(struct file_index *x);

/* True when the part it has arrived at can be read. */
bool file_index_enter(struct file_index *x);
/*
 * Up to `most` of its own frames of the part, up to the end of a stride (see STRIDE_FRAMES). *place goes on from frame to frame, and at
 * the end of a stride behind all of its frames. False when the index makes no sense: *count frames are good, and it must be left.
 */
bool file_index_read(struct file_index *x, const struct cursor *file, const struct pcap_form *form, struct capture_place *place, struct frame *frames,
		     unsigned most, unsigned *count);
/* Of the part that was entered: its number, where in the file it begins, and where the next one does. */
uint64_t file_index_part(const struct file_index *x);
uint64_t file_index_start(const struct file_index *x);
uint64_t file_index_end(const struct file_index *x);

#endif
