/* Capture files good and bad, written by the test: every byte order, gzip, pcapng, and every way to be broken. */
#include "sensor/common/time_range.h"
#include "sensor/engine/capture_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { ROOM = 1 << 20, BATCH = 7, CHANGING_FRAMES = 4000, CHANGING_BYTES = 1000, CHANGING_RECORD = 16 + CHANGING_BYTES, CHANGING_HEAD = 24 };

struct file {
	uint8_t bytes[ROOM];
	size_t len;
	bool big_endian;
};

static void put(struct file *f, const void *bytes, size_t len)
{
	assert_true(f->len + len <= ROOM);
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void put_int(struct file *f, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++) {
		uint8_t b = (uint8_t)(v >> 8 * (f->big_endian ? width - 1 - i : i));

		put(f, &b, 1);
	}
}

static void pcap_header(struct file *f, uint32_t magic, uint32_t linktype)
{
	f->len = 0;
	put_int(f, magic, 4);
	put_int(f, 2, 2);
	put_int(f, 4, 2);
	put_int(f, 0, 8);
	put_int(f, 65535, 4);
	put_int(f, linktype, 4);
}

static void pcap_record(struct file *f, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t length)
{
	put_int(f, seconds, 4);
	put_int(f, fraction, 4);
	put_int(f, captured, 4);
	put_int(f, length, 4);
	for (uint32_t i = 0; i < captured; i++)
		put_int(f, i & 0xff, 1);
}

static int descriptor(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

struct outcome {
	enum capture_result result;
	unsigned frames;
	struct frame last;
	uint8_t first_bytes[4];
	char why[256];
	bool opened;
};

static struct outcome read_by(unsigned most, const uint8_t *bytes, size_t len)
{
	struct outcome o = { 0 };
	int fd = descriptor(bytes, len);
	const char *why;
	struct capture_file *file = capture_file_open(fd, &why);

	o.opened = file != NULL;
	if (!file) {
		snprintf(o.why, sizeof o.why, "%s", why);
		close(fd);
		return o;
	}
	for (;;) {
		struct frame frames[BATCH];
		unsigned count = 1;

		o.result = most == 1 ? capture_file_next(file, frames) : capture_file_read(file, frames, most, &count);
		if (most == 1 && o.result != CAPTURE_FRAME)
			count = 0;
		if (count) {
			o.frames += count;
			o.last = frames[count - 1];
			memcpy(o.first_bytes, o.last.bytes, o.last.captured < 4 ? o.last.captured : 4);
		}
		if (o.result == CAPTURE_REFILL)
			capture_file_refill(file);
		else if (o.result != CAPTURE_FRAME)
			break;
	}
	snprintf(o.why, sizeof o.why, "%s", capture_file_why(file));
	capture_file_close(file);
	close(fd);
	return o;
}

/* One by one and in batches it is the same. */
static struct outcome read_all(const uint8_t *bytes, size_t len)
{
	struct outcome one = read_by(1, bytes, len), many = read_by(BATCH, bytes, len);

	assert_int_equal(one.opened, many.opened);
	assert_int_equal(one.result, many.result);
	assert_int_equal(one.frames, many.frames);
	assert_int_equal(one.last.number, many.last.number);
	assert_int_equal(one.last.time_ns, many.last.time_ns);
	assert_int_equal(one.last.captured, many.last.captured);
	assert_int_equal(one.last.length, many.last.length);
	assert_string_equal(one.why, many.why);
	return many;
}

static struct file *new_file(void)
{
	struct file *f = calloc(1, sizeof *f);

	assert_non_null(f);
	return f;
}

static void test_byte_orders(void **state)
{
	struct file *f = new_file();

	(void)state;
	for (int big = 0; big < 2; big++)
		for (int nano = 0; nano < 2; nano++) {
			struct outcome o;

			f->big_endian = big;
			pcap_header(f, nano ? 0xa1b23c4d : 0xa1b2c3d4, 1);
			pcap_record(f, 1700000000, 5, 60, 60);
			pcap_record(f, 1700000001, 7, 64, 1500);
			o = read_all(f->bytes, f->len);
			assert_int_equal(o.result, CAPTURE_END);
			assert_int_equal(o.frames, 2);
			assert_int_equal(o.last.length, 1500);
			assert_int_equal(o.last.captured, 64);
			assert_int_equal(o.last.time_ns, 1700000001000000000 + (nano ? 7 : 7000));
			assert_int_equal(o.last.linktype, LINKTYPE_ETHERNET);
		}
	free(f);
}

/* Many records, so that blocks are cut in the middle of them. */
static void test_many_blocks(void **state)
{
	struct file *f = new_file();
	struct outcome o;

	(void)state;
	pcap_header(f, 0xa1b2c3d4, 1);
	for (uint32_t i = 0; i < 900; i++)
		pcap_record(f, i, 0, 1000 + i % 100, 1500);
	o = read_all(f->bytes, f->len);
	assert_int_equal(o.result, CAPTURE_END);
	assert_int_equal(o.frames, 900);
	free(f);
}

static size_t gzip(const uint8_t *from, size_t len, uint8_t *to, size_t room)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)from;
	z.avail_in = (uInt)len;
	z.next_out = to;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void test_gzip(void **state)
{
	struct file *f = new_file();
	uint8_t *packed = malloc(ROOM);
	size_t half, len;
	struct outcome o;

	(void)state;
	pcap_header(f, 0xa1b2c3d4, 1);
	for (uint32_t i = 0; i < 900; i++)
		pcap_record(f, i, 0, 1000, 1500);
	len = gzip(f->bytes, f->len, packed, ROOM);
	o = read_all(packed, len);
	assert_int_equal(o.result, CAPTURE_END);
	assert_int_equal(o.frames, 900);
	o = read_all(packed, len / 2);
	assert_int_equal(o.result, CAPTURE_CUT);
	assert_true(o.frames > 0);
	assert_non_null(strstr(o.why, "gzip"));
	/* Two members one after the other are one file. */
	half = gzip(f->bytes, f->len / 2, packed, ROOM);
	len = half + gzip(f->bytes + f->len / 2, f->len - f->len / 2, packed + half, ROOM - half);
	o = read_all(packed, len);
	assert_int_equal(o.result, CAPTURE_END);
	assert_int_equal(o.frames, 900);
	free(packed);
	free(f);
}

static void block(struct file *f, uint32_t type, const struct file *body)
{
	uint32_t total = (uint32_t)(12 + (body->len + 3) / 4 * 4);

	put_int(f, type, 4);
	put_int(f, total, 4);
	put(f, body->bytes, body->len);
	put(f, "\0\0\0", (4 - body->len % 4) % 4);
	put_int(f, total, 4);
}

static void pcapng_section(struct file *f, struct file *body)
{
	body->len = 0;
	put_int(body, 0x1a2b3c4d, 4);
	put_int(body, 1, 2);
	put_int(body, 0, 2);
	put_int(body, UINT64_MAX, 8);
	block(f, 0x0a0d0d0a, body);
	body->len = 0;
	put_int(body, 1, 2);
	put_int(body, 0, 2);
	put_int(body, 65535, 4);
	put_int(body, 9, 2); /* if_tsresol: nanoseconds */
	put_int(body, 1, 2);
	put(body, "\x09\0\0\0", 4);
	put_int(body, 0, 4);
	block(f, 1, body);
}

static void pcapng_packet(struct file *f, struct file *body, uint64_t ns, uint32_t captured, uint32_t length)
{
	body->len = 0;
	put_int(body, 0, 4);
	put_int(body, ns >> 32, 4);
	put_int(body, ns & 0xffffffff, 4);
	put_int(body, captured, 4);
	put_int(body, length, 4);
	for (uint32_t i = 0; i < captured; i++)
		put_int(body, i & 0xff, 1);
	block(f, 6, body);
}

static void test_pcapng(void **state)
{
	struct file *f = new_file(), *body = new_file();

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct outcome o;

		f->big_endian = body->big_endian = big;
		f->len = 0;
		pcapng_section(f, body);
		pcapng_packet(f, body, 1700000000000000005, 61, 1400);
		block(f, 5, body); /* a kind of block we do not read */
		pcapng_section(f, body);
		pcapng_packet(f, body, 1700000001000000007, 60, 60);
		o = read_all(f->bytes, f->len);
		assert_int_equal(o.result, CAPTURE_END);
		assert_int_equal(o.frames, 2);
		assert_int_equal(o.last.time_ns, 1700000001000000007);
		o = read_all(f->bytes, f->len - 10);
		assert_int_equal(o.result, CAPTURE_CUT);
		assert_int_equal(o.frames, 1);
	}
	free(f);
	free(body);
}

/* Seconds from 1970 that an interface adds to its times can make any number of them. */
static void test_times_that_cannot_be(void **state)
{
	static const struct {
		int64_t offset_s, time_ns;
	} cases[] = {
		{ 1700000000, 1700000000000000005 }, { INT64_MAX, 0 }, { INT64_MIN, 0 }, { -1, 0 }, { 0, 5 },
		{ TIME_MOST_S, TIME_MOST_S * 1000000000 + 5 }, { TIME_MOST_S + 1, 0 },
		{ 18446744074, 0 }, /* once around in 64 bits of nanoseconds, and near 1970 again */
	};
	struct file *f = new_file(), *body = new_file();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		f->len = 0;
		pcapng_section(f, body);
		body->len = 0;
		put_int(body, 1, 4);
		put_int(body, 65535, 4);
		put_int(body, 9, 2); /* if_tsresol: nanoseconds */
		put_int(body, 1, 2);
		put(body, "\x09\0\0\0", 4);
		put_int(body, 14, 2); /* if_tsoffset */
		put_int(body, 8, 2);
		put_int(body, (uint64_t)cases[i].offset_s, 8);
		f->len = 28; /* after the section's own block */
		block(f, 1, body);
		pcapng_packet(f, body, 5, 60, 60);
		assert_int_equal(read_all(f->bytes, f->len).last.time_ns, cases[i].time_ns);
	}
	free(f);
	free(body);
}

static void test_snoop(void **state)
{
	struct file *f = new_file();
	struct outcome o;

	(void)state;
	f->big_endian = true;
	put(f, "snoop\0\0\0", 8);
	put_int(f, 2, 4);
	put_int(f, 4, 4);
	for (uint32_t i = 0; i < 2; i++) {
		put_int(f, 1500, 4);
		put_int(f, 61, 4);
		put_int(f, 24 + 64, 4);
		put_int(f, 0, 4);
		put_int(f, 1700000000 + i, 4);
		put_int(f, 5, 4);
		for (uint32_t n = 0; n < 64; n++)
			put_int(f, n, 1);
	}
	o = read_all(f->bytes, f->len);
	assert_int_equal(o.result, CAPTURE_END);
	assert_int_equal(o.frames, 2);
	assert_int_equal(o.last.captured, 61);
	assert_int_equal(o.last.length, 1500);
	assert_int_equal(o.last.time_ns, 1700000001000005000);
	o = read_all(f->bytes, f->len - 1);
	assert_int_equal(o.result, CAPTURE_CUT);
	assert_int_equal(o.frames, 1);
	free(f);
}

static struct outcome read_text(const char *text)
{
	return read_all((const uint8_t *)text, strlen(text));
}

static void test_no_capture(void **state)
{
	struct outcome o;

	(void)state;
	o = read_all((const uint8_t *)"", 0);
	assert_false(o.opened);
	assert_non_null(strstr(o.why, "empty"));
	o = read_text("# a text file, and not a short one either\n");
	assert_false(o.opened);
	assert_non_null(strstr(o.why, "not a capture"));
	o = read_all((const uint8_t *)"\xd4\xc3\xb2\xa1\2\0", 6);
	assert_false(o.opened);
	o = read_text("\x1f\x8b garbage behind the magic of gzip");
	assert_false(o.opened);
	assert_non_null(strstr(o.why, "gzip"));
}

static void test_cut_short(void **state)
{
	struct file *f = new_file();
	struct outcome o;

	(void)state;
	pcap_header(f, 0xa1b2c3d4, 1);
	pcap_record(f, 1, 0, 60, 60);
	pcap_record(f, 2, 0, 60, 60);
	for (size_t cut = 1; cut < 76; cut++) {
		o = read_all(f->bytes, f->len - cut);
		assert_int_equal(o.result, CAPTURE_CUT);
		assert_int_equal(o.frames, 1);
	}
	o = read_all(f->bytes, f->len - 76);
	assert_int_equal(o.result, CAPTURE_END);
	put_int(f, 3, 8);
	put_int(f, 0x7fffffff, 4);
	put_int(f, 0x7fffffff, 4);
	o = read_all(f->bytes, f->len);
	assert_int_equal(o.result, CAPTURE_CUT);
	assert_int_equal(o.frames, 2);
	assert_non_null(strstr(o.why, "impossible length"));
	free(f);
}

/* Each byte of both formats made 0, 255 and one more: never a crash, always an end. */
static void test_mutations(void **state)
{
	struct file *f = new_file(), *body = new_file();

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		f->len = 0;
		if (kind) {
			pcapng_section(f, body);
			pcapng_packet(f, body, 1700000000000000005, 61, 1400);
		} else {
			pcap_header(f, 0xa1b2c3d4, 1);
			pcap_record(f, 1, 0, 60, 60);
		}
		for (size_t n = 0; n < f->len; n++) {
			uint8_t was = f->bytes[n], lies[] = { 0, 255, (uint8_t)(was + 1) };

			for (size_t i = 0; i < sizeof lies; i++) {
				f->bytes[n] = lies[i];
				(void)read_all(f->bytes, f->len);
			}
			f->bytes[n] = was;
		}
	}
	free(f);
	free(body);
}

/* A file of 4 MB, of which each frame is full of a number that is not zero. */
static int changing_file(void)
{
	struct file *f = new_file();
	int fd;

	pcap_header(f, 0xa1b2c3d4, 1);
	fd = descriptor(f->bytes, f->len);
	f->len = 0;
	pcap_record(f, 1, 0, CHANGING_BYTES, CHANGING_BYTES);
	memset(f->bytes + 16, 7, CHANGING_BYTES);
	for (unsigned i = 0; i < CHANGING_FRAMES; i++)
		assert_int_equal(pwrite(fd, f->bytes, f->len, CHANGING_HEAD + (off_t)i * CHANGING_RECORD), f->len);
	free(f);
	return fd;
}

/* Reads on, every byte, up to `most` frames. What is given out is whole, unless the file may have changed since. */
static enum capture_result read_bytes(struct capture_file *file, unsigned most, unsigned *frames, bool changed)
{
	for (*frames = 0; *frames < most;) {
		struct frame f;
		enum capture_result result = capture_file_next(file, &f);

		if (result == CAPTURE_REFILL) {
			capture_file_refill(file);
		} else if (result == CAPTURE_FRAME) {
			assert_true(changed || f.captured == CHANGING_BYTES);
			for (uint32_t i = 0; i < f.captured; i++)
				assert_true(f.bytes[i] == 7 || changed);
			++*frames;
		} else {
			return result;
		}
	}
	return CAPTURE_FRAME;
}

/* Somebody else changes the file after `before` frames of it. */
static struct outcome read_changing(unsigned before, off_t len)
{
	struct outcome o = { 0 };
	int fd = changing_file();
	unsigned more;
	const char *why;
	struct capture_file *file = capture_file_open(fd, &why);

	assert_non_null(file);
	assert_int_equal(read_bytes(file, before, &o.frames, false), CAPTURE_FRAME);
	assert_int_equal(ftruncate(fd, len), 0);
	o.result = read_bytes(file, UINT32_MAX, &more, true);
	o.frames += more;
	snprintf(o.why, sizeof o.why, "%s", capture_file_why(file));
	capture_file_close(file);
	close(fd);
	return o;
}

static void test_file_that_shrinks(void **state)
{
	(void)state;
	for (unsigned before = 1; before < CHANGING_FRAMES; before += 333) {
		/* To nothing; to less than was read of it; within a record, and at the end of one, that come later. */
		struct outcome o = read_changing(before, 0);

		assert_int_equal(o.result, CAPTURE_CUT);
		assert_non_null(strstr(o.why, "shorter"));
		assert_in_range(o.frames, before, CHANGING_FRAMES);
		o = read_changing(before, CHANGING_HEAD + (off_t)before / 2 * CHANGING_RECORD);
		assert_int_equal(o.result, CAPTURE_CUT);
		assert_non_null(strstr(o.why, "shorter"));
	}
	/* The last times it is cut within what is mapped already. */
	for (unsigned before = 3890; before < 3900; before -= 389) {
		struct outcome o = read_changing(before, CHANGING_HEAD + 3900 * CHANGING_RECORD + 500);

		/* The frame that was cut may have been given out, with zeros for what is gone. */
		assert_int_equal(o.result, CAPTURE_CUT);
		assert_in_range(o.frames, 3900, before < 3700 ? 3900 : 3901);
		assert_non_null(strstr(o.why, o.frames == 3900 ? "ends within a record" : "shorter"));
		o = read_changing(before, CHANGING_HEAD + 3900 * CHANGING_RECORD);
		assert_int_equal(o.result, CAPTURE_END);
		assert_int_equal(o.frames, 3900);
	}
}

/* What a capture that still runs adds is read too. */
static void test_file_that_grows(void **state)
{
	int fd = changing_file();
	unsigned frames, more;
	const char *why;
	struct capture_file *file;
	uint8_t last[CHANGING_RECORD];

	(void)state;
	assert_int_equal(pread(fd, last, sizeof last, CHANGING_HEAD), sizeof last);
	file = capture_file_open(fd, &why);
	assert_non_null(file);
	assert_int_equal(read_bytes(file, CHANGING_FRAMES - 5, &frames, false), CAPTURE_FRAME);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(pwrite(fd, last, sizeof last, CHANGING_HEAD + (off_t)(CHANGING_FRAMES + i) * CHANGING_RECORD), sizeof last);
	assert_int_equal(read_bytes(file, UINT32_MAX, &more, false), CAPTURE_END);
	assert_int_equal(frames + more, CHANGING_FRAMES + 500);
	capture_file_close(file);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_orders), cmocka_unit_test(test_many_blocks), cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_pcapng),      cmocka_unit_test(test_snoop),
		cmocka_unit_test(test_no_capture),  cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_mutations),   cmocka_unit_test(test_times_that_cannot_be),
		cmocka_unit_test(test_file_that_shrinks), cmocka_unit_test(test_file_that_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
