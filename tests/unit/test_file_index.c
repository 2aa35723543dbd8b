/*
 * Several engines read one file by an index: each gets, in whatever order they come, the frames that it would have found by
 * itself. So it does when the index holds nonsense or lies, when one of them is gone, and when the file changes.
 */
#include "sensor/engine/capture_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PARTS = 5,
	FRAMES = PARTS * INDEX_PART_FRAMES + 700, /* the last ones fill no part */
	FRAME_MOST = 200,
	HEAD_BYTES = 24,
	RECORD_BYTES = 16,
	BATCH = 128,
	INDEX_BYTES = 8 << 20,
	LIED = INDEX_PART_FRAMES + 1000, /* the frame, or the next of the second of two engines, of which a lie is told */
};

/* What the test wrote. */
struct written {
	uint8_t bytes[FRAME_MOST];
	uint32_t len;
	int64_t time_ns;
	uint8_t share;
};

struct capture {
	int fd;
	struct written *frames;
	off_t *at; /* of each record, and behind the last */
};

/* One of the engines. */
struct reader {
	int fd; /* of its own, as the descriptor's place is */
	struct capture_file *file;
	struct file_index *index;
	uint32_t shares;
	uint64_t next; /* frames before this one, from 0, are ours no more: given out or another's */
	bool ended;
	bool wild; /* what it reads may be anything */
};

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % sides;
}

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* IPv4 with TCP, UDP, a fragment, or something else, between a few hosts. */
static uint32_t make_frame(uint8_t bytes[FRAME_MOST])
{
	uint32_t len = 60 + roll(FRAME_MOST - 60);

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)roll(256);
	if (roll(20) == 0)
		return len;
	put16(bytes + 12, 0x0800);
	bytes[14] = 0x45;
	put16(bytes + 16, len - 14);
	put16(bytes + 20, roll(20) ? 0 : 0x2000);
	bytes[23] = roll(2) ? 6 : 17;
	for (int i = 26; i < 34; i++)
		bytes[i] = (uint8_t)roll(4);
	return len;
}

static struct capture make_capture(uint32_t seed, unsigned frames, bool swapped)
{
	struct capture c = { .fd = memfd_create("capture", 0), .frames = calloc(frames, sizeof *c.frames), .at = calloc(frames + 1, sizeof *c.at) };
	uint32_t head[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
	FILE *out = fdopen(dup(c.fd), "w");

	assert_non_null(out);
	dice = seed;
	if (swapped)
		for (int i = 0; i < 6; i++)
			head[i] = i == 1 ? 0x04000200 : __builtin_bswap32(head[i]);
	fwrite(head, sizeof head, 1, out);
	c.at[0] = HEAD_BYTES;
	for (unsigned i = 0; i < frames; i++) {
		struct written *w = &c.frames[i];
		uint32_t record[4] = { 1700000000 + i / 100, i % 100 * 7, 0, 0 };

		w->len = make_frame(w->bytes);
		w->time_ns = (int64_t)record[0] * 1000000000 + (int64_t)record[1] * 1000;
		w->share = share_of_frame(w->bytes, w->len, LINKTYPE_ETHERNET);
		record[2] = record[3] = w->len;
		for (int n = 0; swapped && n < 4; n++)
			record[n] = __builtin_bswap32(record[n]);
		fwrite(record, sizeof record, 1, out);
		fwrite(w->bytes, w->len, 1, out);
		c.at[i + 1] = c.at[i] + RECORD_BYTES + w->len;
	}
	assert_int_equal(fclose(out), 0);
	return c;
}

static void free_capture(struct capture *c)
{
	close(c->fd);
	free(c->frames);
	free(c->at);
}

static int new_index(void)
{
	int fd = memfd_create("index", 0);

	assert_int_equal(ftruncate(fd, INDEX_BYTES), 0);
	return fd;
}

static void open_reader(struct reader *r, const struct capture *c, int index, unsigned engine, unsigned engines)
{
	const char *why;
	char path[32];

	memset(r, 0, sizeof *r);
	snprintf(path, sizeof path, "/proc/self/fd/%d", c->fd);
	assert_non_null(freopen(path, "r", stdin)); /* a description, and so a place, of its own */
	r->fd = dup(STDIN_FILENO);
	r->file = capture_file_open(r->fd, &why);
	assert_non_null(r->file);
	r->shares = shares_of_engine(engine, engines);
	r->index = file_index_open(index, engine, engines);
	assert_non_null(r->index);
	capture_file_share(r->file, r->index);
}

static void close_reader(struct reader *r)
{
	capture_file_close(r->file);
	file_index_close(r->index);
	close(r->fd);
}

static bool is_ours(const struct reader *r, const struct written *w)
{
	return w->share == SHARE_UNSURE || r->shares >> w->share & 1;
}

/* The frame is the next of ours, and nothing of it differs. */
static void check_frame(struct reader *r, const struct capture *c, const struct frame *f)
{
	const struct written *w;

	while (!is_ours(r, &c->frames[r->next]))
		r->next++;
	w = &c->frames[r->next++];
	assert_int_equal(f->number, r->next);
	assert_int_equal(f->captured, w->len);
	assert_int_equal(f->length, w->len);
	assert_int_equal(f->time_ns, w->time_ns);
	assert_int_equal(f->share, w->share);
	assert_int_equal(f->linktype, LINKTYPE_ETHERNET);
	assert_memory_equal(f->bytes, w->bytes, w->len);
}

/* A batch, of which the frames' bytes are all looked at. */
static void read_some(struct reader *r, const struct capture *c)
{
	struct frame frames[BATCH];
	const struct capture_place *place;
	uint64_t before = capture_file_place(r->file)->number;
	unsigned count, most = roll(4) ? BATCH : 1 + roll(BATCH);
	enum capture_result result = capture_file_read_shares(r->file, r->shares, frames, most, &count);
	uint32_t sum = 0;

	assert_in_range(count, 0, most);
	for (unsigned i = 0; i < count; i++) {
		for (uint32_t n = 0; n < frames[i].captured; n++)
			sum += frames[i].bytes[n];
		if (!r->wild)
			check_frame(r, c, &frames[i]);
	}
	__asm__ volatile("" : : "r"(sum));
	place = capture_file_place(r->file);
	/* What is done at the end of a stride is done for each of them, and by its last frame's time, whoever's it is. */
	assert_true(r->wild || place->number / STRIDE_FRAMES <= before / STRIDE_FRAMES + 1);
	if (!r->wild && place->number % STRIDE_FRAMES == 0 && place->number > before) {
		assert_int_equal(place->last_ns, c->frames[place->number - 1].time_ns);
		assert_int_equal(place->first_ns, c->frames[0].time_ns);
	}
	if (result == CAPTURE_REFILL)
		capture_file_refill(r->file);
	else
		r->ended = result != CAPTURE_FRAME;
}

static void read_rest(struct reader *r, const struct capture *c)
{
	while (!r->ended)
		read_some(r, c);
}

/* All that is ours was given out. */
static void check_end(const struct reader *r, const struct capture *c)
{
	assert_int_equal(capture_file_place(r->file)->number, FRAMES);
	for (uint64_t i = r->next; i < FRAMES; i++)
		assert_false(is_ours(r, &c->frames[i]));
}

/* Engines come in any order; some runs let one of them go far ahead, or be gone. */
static void read_together(const struct capture *c, unsigned engines, uint32_t seed)
{
	struct reader r[SHARES];
	int index = new_index();
	unsigned gone = seed % 3 ? SHARES : seed % engines, ended = 0;

	for (unsigned i = 0; i < engines; i++)
		open_reader(&r[i], c, index, i, engines);
	dice = seed;
	while (ended < engines) {
		unsigned at = roll(engines), times = 1 + roll(seed & 1 ? 3 : 300);

		for (; times > 0 && !r[at].ended; times--)
			read_some(&r[at], c);
		r[at].ended |= at == gone && capture_file_place(r[at].file)->number > INDEX_PART_FRAMES + 50;
		for (unsigned i = ended = 0; i < engines; i++)
			ended += r[i].ended;
	}
	for (unsigned i = 0; i < engines; i++) {
		if (i != gone)
			check_end(&r[i], c);
		close_reader(&r[i]);
	}
	close(index);
}

static void test_any_order(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 24; seed++) {
		struct capture c = make_capture(seed, FRAMES, seed & 2);

		read_together(&c, 2 + seed % (SHARES - 1), seed);
		free_capture(&c);
	}
}

/* Where the index says that this frame stands. */
static uint8_t *find_entry(uint8_t *memory, const struct capture *c, uint64_t frame)
{
	uint16_t of_part = frame % INDEX_PART_FRAMES;
	uint32_t offset = (uint32_t)(c->at[frame] - c->at[frame - of_part]);
	uint8_t entry[7];

	memcpy(entry, &offset, 4);
	memcpy(entry + 4, &of_part, 2);
	entry[6] = c->frames[frame].share;
	return memmem(memory, INDEX_BYTES, entry, sizeof entry);
}

/* The second engine comes when the first has gone through some parts, and the memory was changed by `change`. */
static struct reader read_second(const struct capture *c, void (*change)(uint8_t *memory, const struct capture *c))
{
	struct reader first, second;
	int index = new_index();
	uint8_t *memory = mmap(NULL, INDEX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, index, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	open_reader(&first, c, index, 0, 2);
	open_reader(&second, c, index, 1, 2);
	while (capture_file_place(first.file)->number < 3 * INDEX_PART_FRAMES)
		read_some(&first, c);
	change(memory, c);
	munmap(memory, INDEX_BYTES);
	close(index);
	close_reader(&first);
	return second;
}

static uint64_t ours_after(const struct capture *c, uint64_t frame)
{
	const struct reader second = { .shares = shares_of_engine(1, 2) };

	while (c->frames[frame].share == SHARE_UNSURE || !is_ours(&second, &c->frames[frame]))
		frame++;
	return frame;
}

/* The entry of a frame says that it stands where the first one of its part does. */
static void lie_of_place(uint8_t *memory, const struct capture *c)
{
	uint8_t *entry = find_entry(memory, c, ours_after(c, LIED));

	assert_non_null(entry);
	memset(entry, 0, 4);
}

static void test_it_is_used(void **state)
{
	struct capture c = make_capture(77, FRAMES, false);
	struct reader r = read_second(&c, lie_of_place);
	uint64_t lied = ours_after(&c, LIED);
	struct frame f;
	unsigned count;

	(void)state;
	do
		assert_int_equal(capture_file_read_shares(r.file, r.shares, &f, 1, &count), CAPTURE_FRAME);
	while (!count || f.number <= lied);
	assert_int_equal(f.number, lied + 1);
	assert_int_equal(f.captured, c.frames[INDEX_PART_FRAMES].len);
	assert_memory_equal(f.bytes, c.frames[INDEX_PART_FRAMES].bytes, f.captured);
	close_reader(&r);
	free_capture(&c);
}

/* A frame is said to be another; the one before it comes first in the list, and was given out. */
static void lie_of_number(uint8_t *memory, const struct capture *c)
{
	uint8_t *entry = find_entry(memory, c, ours_after(c, LIED));

	assert_non_null(entry);
	memset(entry + 4, 0, 2);
}

static void lie_of_share(uint8_t *memory, const struct capture *c)
{
	uint8_t *entry = find_entry(memory, c, ours_after(c, LIED));

	assert_non_null(entry);
	entry[6] = SHARE_UNSURE + 1;
}

/* Behind the end of the file. */
static void lie_of_end(uint8_t *memory, const struct capture *c)
{
	uint8_t *entry = find_entry(memory, c, ours_after(c, LIED));

	assert_non_null(entry);
	memset(entry, 0xff, 4);
}

/* The first part is said to end behind the end of the file, or where it began. */
static void lie_of_next(uint8_t *memory, uint64_t is, uint64_t says)
{
	uint8_t *found;

	assert_non_null(memmem(memory, INDEX_BYTES, &is, sizeof is));
	while ((found = memmem(memory, INDEX_BYTES, &is, sizeof is)) != NULL)
		memcpy(found, &says, sizeof says);
}

static void lie_of_late_next(uint8_t *memory, const struct capture *c)
{
	lie_of_next(memory, (uint64_t)c->at[INDEX_PART_FRAMES], (uint64_t)c->at[FRAMES] + 1);
}

static void lie_of_no_next(uint8_t *memory, const struct capture *c)
{
	lie_of_next(memory, (uint64_t)c->at[INDEX_PART_FRAMES], (uint64_t)c->at[0]);
}

/* More frames than a part has. */
static void lie_of_count(uint8_t *memory, const struct capture *c)
{
	struct reader engines[2] = { { .shares = shares_of_engine(0, 2) }, { .shares = shares_of_engine(1, 2) } };
	uint32_t count[2] = { 0 };
	uint8_t *found;

	for (uint64_t i = 0; i < INDEX_PART_FRAMES; i++)
		for (unsigned n = 0; n < 2; n++)
			count[n] += is_ours(&engines[n], &c->frames[i]);
	found = memmem(memory, INDEX_BYTES, count, sizeof count);
	assert_non_null(found);
	memset(found, 0xff, sizeof count);
}

/* What can be seen to be wrong is not relied on: nothing is lost, and nothing comes twice. */
static void test_lies_that_show(void **state)
{
	void (*const lies[])(uint8_t *, const struct capture *) = { lie_of_number, lie_of_share, lie_of_end, lie_of_late_next, lie_of_no_next, lie_of_count };
	struct capture c = make_capture(78, FRAMES, true);

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct reader r = read_second(&c, lies[i]);

		read_rest(&r, &c);
		check_end(&r, &c);
		close_reader(&r);
	}
	free_capture(&c);
}

/* Any nonsense, between any two reads: it may give wrong frames, but reads nothing outside of the file, and ends. */
static void test_nonsense(void **state)
{
	struct capture c = make_capture(79, FRAMES, false);

	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct reader r[2];
		int index = new_index();
		uint8_t *memory = mmap(NULL, INDEX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, index, 0);

		for (unsigned i = 0; i < 2; i++) {
			open_reader(&r[i], &c, index, i, 2);
			r[i].wild = true;
		}
		dice = seed;
		for (unsigned n = 0; n < 4 * FRAMES && !(r[0].ended && r[1].ended); n++) {
			unsigned at = roll(2);

			for (unsigned times = roll(40); times > 0; times--)
				memory[roll(2) ? roll(4096) : roll(INDEX_BYTES / 4)] = (uint8_t)(roll(3) ? roll(256) : 0);
			if (!r[at].ended)
				read_some(&r[at], &c);
		}
		assert_true(r[0].ended && r[1].ended);
		close_reader(&r[0]);
		close_reader(&r[1]);
		munmap(memory, INDEX_BYTES);
		close(index);
	}
	free_capture(&c);
}

/* Cut off while it is read: what was before is given out once, and the rest is missed. */
static void test_file_that_shrinks(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 12; seed++) {
		struct capture c = make_capture(seed, FRAMES, false);
		struct reader r[2];
		int index = new_index();
		uint64_t left = INDEX_PART_FRAMES + 10 + seed * 1000;

		for (unsigned i = 0; i < 2; i++)
			open_reader(&r[i], &c, index, i, 2);
		for (unsigned n = 0; n < 40 + seed * 3; n++)
			read_some(&r[n % 2], &c);
		assert_int_equal(ftruncate(c.fd, seed % 4 ? c.at[left] : c.at[left] + 20), 0);
		for (unsigned i = 0; i < 2; i++) {
			/* On the file's last page there may be one that was cut. */
			while (!r[i].ended) {
				r[i].wild = capture_file_place(r[i].file)->number + 2 * STRIDE_FRAMES > left;
				read_some(&r[i], &c);
			}
			assert_in_range(capture_file_place(r[i].file)->number, left, left + 1);
			close_reader(&r[i]);
		}
		close(index);
		free_capture(&c);
	}
}

/* Memory that is too small, or none. */
static void test_no_index(void **state)
{
	int fd = memfd_create("small", 0);

	(void)state;
	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_null(file_index_open(fd, 0, 2));
	close(fd);
	assert_null(file_index_open(-1, 0, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order),         cmocka_unit_test(test_it_is_used), cmocka_unit_test(test_lies_that_show),
		cmocka_unit_test(test_nonsense),          cmocka_unit_test(test_file_that_shrinks), cmocka_unit_test(test_no_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
