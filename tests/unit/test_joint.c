/* Several engines read one file together: all frames once, in order, whatever one of them does or shows. */
#include "sensor/engine/joint.h"

#include "sensor/common/memory_file.h"
#include "sensor/common/message.h"
#include "sensor/common/spread.h"
#include "sensor/common/time_range.h"
#include "sensor/engine/engine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 30000, FRAME_MOST = 700, LONG_EVERY = 7000, LONG_FRAME = 150000, EMPTY_FROM = 20001, EMPTY_TO = 26000, BOARDS = 40, HEADER = 24, MOST = 3, ROUNDS = 50, LIES = 200,
	TIMES_FROM = 256, TIMES_BYTES = 4096 /* of the first block that a board shows: they stand behind its head */ };

struct party {
	int fd;
	struct capture_file *file;
	struct joint *joint;
	enum capture_result result;
	uint64_t seen;
	uint32_t shares;
	bool alone;
	bool lied_to;
};

static uint8_t got[FRAMES + 1];
static int first_board = -1; /* to write what engine 0 shows */

/* Some are longer than what is usually read at once; and many one after the other have no bytes. */
static uint32_t length_of(uint32_t n)
{
	if (n >= EMPTY_FROM && n <= EMPTY_TO)
		return 0;
	return n % LONG_EVERY == 0 ? LONG_FRAME : 60 + n % (FRAME_MOST - 60);
}

static bool is_unsure(uint32_t n)
{
	return n % 50 == 0 || length_of(n) == 0;
}

/* IPv4 of 97 hosts, every 50th frame of a kind whose share nobody is sure of. Returns its length. */
static size_t write_capture(int fd)
{
	static uint8_t bytes[HEADER + FRAMES * (16 + FRAME_MOST) + FRAMES / LONG_EVERY * LONG_FRAME];
	const uint8_t header[HEADER] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, [16] = 0xff, 0xff, [20] = 1 };
	size_t at = HEADER;

	memcpy(bytes, header, HEADER);
	for (uint32_t n = 1; n <= FRAMES; n++) {
		uint32_t len = length_of(n), record[4] = { 1700000000 + n / 100, n % 100, len, len };
		uint8_t *f = bytes + at + sizeof record;

		memcpy(bytes + at, record, sizeof record);
		at += sizeof record + len;
		if (!len)
			continue;
		memset(f, 0, len);
		f[12] = 8;
		f[14] = 0x45;
		f[16] = (uint8_t)((len - 14) >> 8);
		f[17] = (uint8_t)(len - 14);
		f[20] = n % 50 == 0 ? 0x20 : 0; /* a fragment */
		f[23] = 17;
		f[26] = f[30] = 10;
		f[29] = (uint8_t)(n % 97);
		f[33] = 200;
		memcpy(f + 42, &n, sizeof n);
	}
	assert_int_equal(write(fd, bytes, at), at);
	return at;
}

static int make_file(size_t cut)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	size_t len = write_capture(fd);

	assert_int_equal(ftruncate(fd, (off_t)(len - cut)), 0);
	return fd;
}

static int open_again(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(again >= 0);
	return again;
}

static void open_readers(struct party *r, unsigned engines, int fd)
{
	int rw[MOST], ro[MOST];

	memset(got, 0, sizeof got);
	for (unsigned i = 0; i < engines; i++)
		assert_int_equal(memory_file_create("board", JOINT_BYTES, &rw[i], &ro[i]), 0);
	for (unsigned i = 0; i < engines; i++) {
		int own = open_again(fd);
		const char *why;

		for (unsigned k = 0; k < engines; k++)
			assert_int_equal(dup2(k == i ? rw[k] : ro[k], BOARDS + (int)k), BOARDS + (int)k);
		r[i] = (struct party){ .fd = own, .file = capture_file_open(own, &why), .shares = shares_of_engine(i, engines), .result = CAPTURE_REFILL };
		assert_non_null(r[i].file);
		r[i].joint = joint_open(BOARDS, i, engines);
		assert_non_null(r[i].joint);
		assert_true(joint_start(r[i].joint, r[i].file, own));
	}
	if (first_board >= 0)
		close(first_board);
	first_board = rw[0];
	for (unsigned i = 0; i < engines; i++) {
		if (i)
			close(rw[i]);
		close(ro[i]);
	}
}

/* The frame is what was written, and comes to those who should have it. */
static void take(struct party *r, const struct frame *f)
{
	uint32_t n = (uint32_t)f->number;

	if (r->lied_to) {
		assert_true(time_valid(f->time_ns));
		return;
	}
	if (f->captured)
		memcpy(&n, f->bytes + 42, sizeof n);
	assert_int_equal(n, f->number);
	assert_int_equal(f->captured, length_of(n));
	assert_true(f->share == SHARE_UNSURE || r->shares >> f->share & 1);
	assert_int_equal(f->share == SHARE_UNSURE, is_unsure(n));
	got[n]++;
}

/* One batch, or one look for the next block. False when the reader has ended or waits. */
static bool read_on(struct party *r)
{
	struct frame frames[ENGINE_BATCH];
	struct joint_batch batch = { .most = ENGINE_BATCH, .most_seen = ENGINE_STRIDE - r->seen % ENGINE_STRIDE };

	if (r->result == CAPTURE_END || r->result == CAPTURE_CUT || r->alone)
		return false;
	if (r->result == CAPTURE_REFILL) {
		enum joint_step step = joint_step(r->joint);

		r->alone = step == JOINT_BROKEN;
		if (step != JOINT_READY)
			return false;
	}
	r->result = joint_take(r->joint, frames, &batch);
	for (unsigned i = 0; i < batch.count; i++)
		take(r, &frames[i]);
	if (!r->lied_to && (r->result == CAPTURE_FRAME || r->result == CAPTURE_REFILL)) {
		assert_true(batch.last_number >= r->seen);
		r->seen = batch.last_number;
	}
	return !r->lied_to || batch.count || r->result != CAPTURE_FRAME;
}

/* By itself, from where it stands, to the end. */
static void read_alone(struct party *r)
{
	struct frame f;

	joint_leave(r->joint);
	for (;;) {
		r->result = capture_file_next(r->file, &f);
		if (r->result == CAPTURE_REFILL) {
			capture_file_refill(r->file);
			continue;
		}
		if (r->result != CAPTURE_FRAME)
			return;
		f.share = share_of_frame(f.bytes, f.captured, f.linktype);
		assert_int_equal(f.number, r->seen + 1);
		r->seen++;
		if (f.share == SHARE_UNSURE || r->shares >> f.share & 1)
			take(r, &f);
	}
}

static void close_readers(struct party *r, unsigned engines)
{
	for (unsigned i = 0; i < engines; i++) {
		joint_close(r[i].joint);
		capture_file_close(r[i].file);
		close(r[i].fd);
	}
}

static void read_together(unsigned engines, size_t cut, enum capture_result end, unsigned frames)
{
	struct party r[MOST];
	int fd = make_file(cut);
	bool more = true;

	open_readers(r, engines, fd);
	while (more) {
		more = false;
		for (unsigned i = 0; i < engines; i++)
			/* As uneven as it may be. */
			for (unsigned k = 0; k <= 40 * i && read_on(&r[i]); k++)
				more = true;
	}
	for (unsigned i = 0; i < engines; i++) {
		assert_int_equal(r[i].result, end);
		assert_false(r[i].alone);
	}
	for (unsigned n = 1; n <= FRAMES; n++)
		assert_int_equal(got[n], n > frames ? 0 : is_unsure(n) ? engines : 1);
	close_readers(r, engines);
	close(fd);
}

static void test_together(void **state)
{
	(void)state;
	read_together(2, 0, CAPTURE_END, FRAMES);
	read_together(3, 0, CAPTURE_END, FRAMES);
}

static void test_cut(void **state)
{
	(void)state;
	read_together(2, 1, CAPTURE_CUT, FRAMES - 1);
}

/* One of two stops: the other notices, and reads on alone. */
static void test_left(void **state)
{
	struct party r[2];
	int fd = make_file(0);
	unsigned own = 0;

	(void)state;
	open_readers(r, 2, fd);
	for (unsigned i = 0; i < 100; i++)
		if (!read_on(&r[1]))
			read_on(&r[0]);
	while (read_on(&r[1]))
		;
	assert_int_equal(joint_step(r[1].joint), JOINT_WAITS);
	read_alone(&r[1]);
	assert_int_equal(r[1].result, CAPTURE_END);
	assert_int_equal(r[1].seen, FRAMES);
	/* Neither is waited for who has left. */
	while (read_on(&r[0]))
		;
	read_alone(&r[0]);
	for (unsigned n = 1; n <= FRAMES; n++)
		own += got[n] == (is_unsure(n) ? 2 : 1);
	assert_int_equal(own, FRAMES);
	close_readers(r, 2);
	close(fd);
}

/* Whatever another's board holds: no access out of bounds, and an end. */
static void test_lies(void **state)
{
	unsigned left = 0;

	(void)state;
	srand(1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct party r[2];
		int fd = make_file(0);

		open_readers(r, 2, fd);
		r[0].lied_to = r[1].lied_to = true;
		for (unsigned i = 0; i < LIES; i++) {
			uint32_t lie = (uint32_t)rand() >> rand() % 32;

			read_on(&r[0]);
			/* Heads of blocks, most of all. */
			assert_int_equal(pwrite(first_board, &lie, sizeof lie, rand() % (i % 4 ? 256 : JOINT_BYTES) & ~3), sizeof lie);
			read_on(&r[1]);
		}
		for (unsigned i = 0; i < FRAMES && read_on(&r[1]); i++)
			;
		left += r[1].alone;
		close_readers(r, 2);
		close(fd);
	}
	assert_in_range(left, 1, ROUNDS);
}

/* Times are held against the same range as those of the ring that capture fills. */
static void test_times(void **state)
{
	static uint8_t never[TIMES_BYTES];
	struct party r[2];
	int fd = make_file(0);

	(void)state;
	open_readers(r, 2, fd);
	r[1].lied_to = true;
	read_on(&r[0]);
	memset(never, 0xff, sizeof never);
	assert_int_equal(pwrite(first_board, never, sizeof never, TIMES_FROM), sizeof never);
	assert_true(read_on(&r[1]));
	while (read_on(&r[1]))
		;
	close_readers(r, 2);
	close(fd);
}

/* The file gets shorter than what was read of it: each notices, tells so, and gives out nothing that can't be. */
static void test_shrinks(void **state)
{
	(void)state;
	for (unsigned steps = 1; steps < 130; steps += 16) { /* about half of the file */
		struct party r[2];
		int fd = make_file(0);

		open_readers(r, 2, fd);
		for (unsigned i = 0; i < steps; i++)
			for (unsigned k = 0; k < 2; k++)
				read_on(&r[k]);
		assert_int_equal(ftruncate(fd, HEADER + 50), 0);
		r[0].lied_to = r[1].lied_to = true;
		while (read_on(&r[0]) || read_on(&r[1]))
			;
		for (unsigned k = 0; k < 2; k++) {
			struct frame f;

			/* Who waits for the other, or is told to leave, finds out by himself; who ends must have. */
			assert_int_not_equal(r[k].result, CAPTURE_END);
			joint_leave(r[k].joint);
			while ((r[k].result = capture_file_next(r[k].file, &f)) == CAPTURE_REFILL)
				capture_file_refill(r[k].file);
			assert_int_equal(r[k].result, CAPTURE_CUT);
			assert_non_null(strstr(capture_file_why(r[k].file), "shorter"));
		}
		close_readers(r, 2);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
