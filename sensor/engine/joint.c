/* Reading a file with others; joint.h says how, capture_file.c what a record is. */
#include "sensor/engine/joint.h"

#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/time_range.h"
#include "sensor/engine/engine.h"
#include "sensor/engine/file_map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK_BYTES = 272 * 1024, /* the largest record fits; the blocks of two engines stay in their caches */
	BLOCKS = 4,               /* of each engine: so far one may run ahead */
	RECORD_LEAST = 16,
	FRAMES_MOST = BLOCK_BYTES / RECORD_LEAST,
	STRIDES = FRAMES_MOST / ENGINE_STRIDE + 2, /* that a block has a part in */
};

/* A frame, for whom it is or may be. As little as can be: what one engine writes for another is dear. */
struct entry {
	uint32_t place; /* of its bytes in the block */
	uint16_t index; /* among all frames of the block */
	uint16_t share;
};

struct block {
	uint64_t offset; /* in the file */
	uint64_t frames; /* of the file, before it */
	uint32_t len;    /* what was read of the file */
	uint32_t used;   /* bytes of its whole records */
	uint32_t count;  /* of those */
	uint32_t last;   /* nothing can follow */
	uint32_t entries[CONFIG_ENGINES]; /* of each engine */
	int64_t first_ns, last_ns;   /* of its frames */
	int64_t stride_ns[STRIDES];  /* of the last frame of each stride, counted from the one that the block begins in */
	struct entry entry[CONFIG_ENGINES][FRAMES_MOST];
	uint8_t bytes[BLOCK_BYTES];
};

/* What an engine shows. */
struct board {
	_Atomic uint64_t fetched; /* blocks, of its own */
	_Atomic uint64_t through; /* blocks of the file that it will not look at again */
	struct block block[BLOCKS];
};

_Static_assert(sizeof(struct board) <= JOINT_BYTES, "a board fits its memory");
_Static_assert(FRAMES_MOST <= UINT16_MAX, "an entry can tell which frame it is");

struct joint {
	struct capture_file *file;
	int fd;    /* of it */
	bool gone; /* it is shorter than what was read of it */
	unsigned index;
	unsigned engines;
	uint8_t owner[SHARES]; /* which engine works on a share */
	struct board *own;
	const struct board *board[CONFIG_ENGINES];
	uint64_t offset; /* of the next block to work on */
	uint64_t frames; /* before it */
	uint64_t next;   /* its number, from 0 */
	/* the block at hand, as it was when it was looked at first */
	const struct block *block;
	uint32_t len, count, used, entries, last;
	uint32_t seen;  /* of its frames */
	uint32_t taken; /* of our entries */
};

static const struct block *block_of(const struct joint *j, uint64_t number)
{
	return &j->board[number % j->engines]->block[number / j->engines % BLOCKS];
}

static bool is_fetched(const struct joint *j, uint64_t number)
{
	return atomic_load_explicit(&j->board[number % j->engines]->fetched, memory_order_acquire) > number / j->engines;
}

/* Whoever once held the place of this block is through with it. */
static bool has_room(const struct joint *j, uint64_t number)
{
	uint64_t before = (uint64_t)j->engines * BLOCKS;

	for (unsigned i = 0; i < j->engines && number >= before; i++)
		if (atomic_load_explicit(&j->board[i]->through, memory_order_acquire) <= number - before)
			return false;
	return true;
}

static size_t fill(int fd, uint8_t *bytes, uint64_t offset)
{
	size_t len = 0;

	while (len < BLOCK_BYTES) {
		ssize_t n = pread(fd, bytes + len, BLOCK_BYTES - len, (off_t)(offset + len));

		if (n > 0)
			len += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	return len;
}

/* An entry for who surely is to work on the frame, or for everybody. */
static inline void deal(const struct joint *j, struct block *b, const struct frame *f)
{
	struct entry e = { (uint32_t)(f->bytes - b->bytes), (uint16_t)b->count, share_of_frame(f->bytes, f->captured, f->linktype) };

	b->count++;
	if (f->number % ENGINE_STRIDE == 0)
		b->stride_ns[f->number / ENGINE_STRIDE - (b->frames + 1) / ENGINE_STRIDE] = f->time_ns;
	if (e.share != SHARE_UNSURE) {
		unsigned who = j->owner[e.share];

		b->entry[who][b->entries[who]++] = e;
		return;
	}
	for (unsigned i = 0; i < j->engines; i++)
		b->entry[i][b->entries[i]++] = e;
}

/* Finds each whole record of the block and whose its frame is. */
static void find_frames(struct joint *j, struct block *b)
{
	struct frame frames[ENGINE_BATCH];
	enum capture_result result;
	unsigned n;

	capture_file_place(j->file, b->bytes, b->len, b->offset, b->len < BLOCK_BYTES);
	capture_file_move(j->file, 0, b->frames);
	memset(b->entries, 0, sizeof b->entries);
	b->count = 0;
	do {
		result = capture_file_read(j->file, frames, ENGINE_BATCH, &n);
		if (n && b->count == 0)
			b->first_ns = frames[0].time_ns;
		for (unsigned i = 0; i < n; i++)
			deal(j, b, &frames[i]);
		if (n)
			b->last_ns = frames[n - 1].time_ns;
	} while (result == CAPTURE_FRAME);
	b->used = (uint32_t)capture_file_position(j->file);
	b->last = result != CAPTURE_REFILL;
}

/* The next block of our own, once it is known where it begins and there is room for it. */
static bool fetch(struct joint *j)
{
	uint64_t own = atomic_load_explicit(&j->own->fetched, memory_order_relaxed), number = own * j->engines + j->index;
	struct block *b = &j->own->block[own % BLOCKS];
	uint64_t offset = j->offset, frames = j->frames;

	if (number > j->next) {
		const struct block *before = block_of(j, number - 1);

		if (!is_fetched(j, number - 1) || before->last)
			return false;
		offset = before->offset + before->used;
		frames = before->frames + before->count;
	}
	if (number < j->next || offset > INT64_MAX - BLOCK_BYTES || !has_room(j, number))
		return false;
	b->offset = offset;
	b->frames = frames;
	b->len = (uint32_t)fill(j->fd, b->bytes, offset);
	j->gone = b->len == 0 && file_length(j->fd) < (off_t)offset;
	if (j->gone)
		return false;
	find_frames(j, b);
	atomic_store_explicit(&j->own->fetched, own + 1, memory_order_release);
	return true;
}

static void *map(int fd, int protection)
{
	struct stat st;
	void *at = MAP_FAILED;

	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(struct board))
		at = mmap(NULL, sizeof(struct board), protection, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

struct joint *joint_open(int boards, unsigned index, unsigned engines)
{
	struct joint *j = calloc(1, sizeof *j);
	bool well = j;

	for (unsigned i = 0; i < engines; i++) {
		int board = boards + (int)i;

		if (well && i == index)
			j->board[i] = j->own = map(board, PROT_READ | PROT_WRITE);
		else if (well)
			j->board[i] = map(board, PROT_READ);
		well = well && j->board[i];
		close(board);
	}
	if (!well) {
		joint_close(j);
		return NULL;
	}
	j->index = index;
	j->engines = engines;
	for (unsigned s = 0; s < SHARES; s++)
		j->owner[s] = (uint8_t)(s % engines);
	return j;
}

bool joint_start(struct joint *j, struct capture_file *file, int fd)
{
	j->file = file;
	j->fd = fd;
	return capture_file_is_plain(file, &j->offset);
}

void joint_close(struct joint *j)
{
	for (unsigned i = 0; j && i < CONFIG_ENGINES; i++)
		if (j->board[i])
			munmap((void *)j->board[i], sizeof(struct board));
	free(j);
}

/* Frames are taken from the block at hand again. */
static void show(const struct joint *j)
{
	capture_file_place(j->file, j->block->bytes, j->len, j->offset, j->last);
}

/* What another shows is taken over once, and must be where ours ended. */
static bool turn_to(struct joint *j, const struct block *b)
{
	j->len = b->len;
	j->last = b->last;
	j->count = b->count;
	j->used = b->used;
	j->entries = b->entries[j->index];
	if (b->offset != j->offset || b->frames != j->frames || j->len > BLOCK_BYTES || j->used > j->len || j->count > FRAMES_MOST ||
	    j->entries > j->count || (!j->used && !j->last))
		return false;
	j->block = b;
	j->seen = j->taken = 0;
	show(j);
	return true;
}

/* The block at hand is done with. */
static void end_block(struct joint *j)
{
	j->offset += j->used;
	j->frames += j->count;
	j->next++;
	j->block = NULL;
	atomic_store_explicit(&j->own->through, j->next, memory_order_release);
}

enum joint_step joint_step(struct joint *j)
{
	if (j->block)
		end_block(j);
	while (fetch(j))
		;
	if (j->gone)
		return JOINT_BROKEN;
	if (!is_fetched(j, j->next))
		return JOINT_WAITS;
	return turn_to(j, block_of(j, j->next)) ? JOINT_READY : JOINT_BROKEN;
}

void joint_leave(struct joint *j)
{
	atomic_store_explicit(&j->own->through, UINT64_MAX, memory_order_release);
	capture_file_resume(j->file, j->offset, j->frames);
}

/* False when no record is where it says. */
static inline bool take(const struct joint *j, const struct entry *e, struct frame *f)
{
	f->share = (uint8_t)e->share;
	return e->share <= SHARE_UNSURE && capture_file_pick(j->file, e->place, j->frames + e->index + 1, f);
}

/* Of the block's frame before `end`: the last of a stride, or of the block, or the file's first, which comes alone. */
static int64_t time_before(const struct joint *j, uint32_t end)
{
	const struct block *b = j->block;
	int64_t time_ns = b->first_ns;

	if (end == j->count)
		time_ns = b->last_ns;
	else if ((j->frames + end) % ENGINE_STRIDE == 0)
		time_ns = b->stride_ns[(j->frames + end) / ENGINE_STRIDE - (j->frames + 1) / ENGINE_STRIDE];
	return end && time_valid(time_ns) ? time_ns : 0;
}

/* What follows the last frame of a block. There is none more, unless somebody lied of where they end. */
static enum capture_result look_behind(struct joint *j)
{
	struct frame f;
	enum capture_result result;

	capture_file_move(j->file, j->used, j->frames + j->count);
	result = capture_file_next(j->file, &f);
	return result == CAPTURE_FRAME ? CAPTURE_REFILL : result;
}

enum capture_result joint_take(struct joint *j, struct frame *frames, struct joint_batch *batch)
{
	const struct entry *all = j->block->entry[j->index];
	uint32_t end = j->count - j->seen > batch->most_seen ? j->seen + (uint32_t)batch->most_seen : j->count;
	unsigned n = 0;

	/* Others may wait for it: a block is found where the one before ends, and so one engine after the other. */
	if (fetch(j))
		show(j);
	while (n < batch->most && j->taken < j->entries) {
		struct entry e = all[j->taken];

		if (e.index < j->seen || e.index >= end)
			break;
		j->taken++;
		if (!take(j, &e, &frames[n]))
			continue;
		/* Another's cache may hold it. */
		__builtin_prefetch(frames[n].bytes);
		__builtin_prefetch(frames[n].bytes + 64);
		n++;
	}
	batch->count = n;
	if (n == batch->most)
		end = (uint32_t)(frames[n - 1].number - j->frames);
	j->seen = end;
	batch->last_number = j->frames + end;
	batch->last_ns = n == batch->most ? frames[n - 1].time_ns : time_before(j, end);
	return end < j->count ? CAPTURE_FRAME : look_behind(j);
}
