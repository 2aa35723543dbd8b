/*
 * The short way of decoding gives what the long one gives: each frame of a recorded plant, whole, cut and with damaged
 * headers, is decoded as it is and with two priority tags in front, which mean nothing and which the short way leaves.
 */
#include "tests/unit/engine_fixture.h"

#include "sensor/engine/capture_file.h"
#include "sensor/engine/decode.h"

#include <fcntl.h>

enum { MACS_BYTES = 12, TAGS_BYTES = 8, HEADERS_BYTES = 70, ROUNDS = 40, ETHERNET = 1 };

static const uint8_t tags[TAGS_BYTES] = { 0x81, 0, 0, 0, 0x81, 0, 0, 0 };
static const uint16_t untagged[2];

struct ways {
	struct decoder *short_one, *long_one;
	uint64_t frames, plain;
};

static unsigned chance(uint32_t *random, unsigned below)
{
	*random = *random * 1103515245 + 12345;
	return (*random >> 8) % below;
}

/* Two bytes of the headers become others, and every fifth frame is cut. */
static void damage(uint8_t *bytes, struct frame *f, uint32_t *random)
{
	for (int i = 0; i < 2 && f->captured > MACS_BYTES; i++)
		bytes[chance(random, f->captured < HEADERS_BYTES ? f->captured : HEADERS_BYTES)] = (uint8_t)chance(random, 256);
	if (chance(random, 5) == 0)
		f->captured = chance(random, f->captured + 1);
}

static ptrdiff_t place(const uint8_t *at, const uint8_t *start)
{
	return at ? at - start : -1;
}

static void assert_same(const struct packet *a, const uint8_t *start, const struct packet *b, const uint8_t *tagged)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->zone, b->zone);
	assert_int_equal(a->multicast, b->multicast);
	assert_int_equal(a->payload_len, b->payload_len);
	assert_int_equal(a->payload_lost, b->payload_lost);
	assert_int_equal(place(a->payload, start), place(b->payload, tagged) - TAGS_BYTES);
	assert_int_equal(place(a->ethernet, start), place(b->ethernet, tagged));
	if (a->kind == PACKET_ETHERNET) {
		assert_int_equal(a->ethertype, b->ethertype);
		return;
	}
	assert_memory_equal(&a->key, &b->key, sizeof a->key);
	assert_int_equal(a->direction, b->direction);
	assert_int_equal(a->hash, b->hash);
	assert_int_equal(a->ip_id, b->ip_id);
	assert_int_equal(a->hop_limit, b->hop_limit);
	assert_int_equal(a->network_len, b->network_len);
	assert_int_equal(place(a->network, start), place(b->network, tagged) - TAGS_BYTES);
	if (a->kind == PACKET_TCP) {
		assert_int_equal(a->sequence, b->sequence);
		assert_int_equal(a->acknowledgment, b->acknowledgment);
		assert_int_equal(a->tcp_flags, b->tcp_flags);
	}
}

static void compare(struct ways *w, const struct frame *f)
{
	static uint8_t with_tags[65536 + TAGS_BYTES];
	struct packet plain = { 0 }, tagged = { 0 };
	struct frame other = *f;

	w->frames++;
	if (!decode_plain(w->short_one, cursor_over(f->bytes, f->captured), untagged, f->length - f->captured, &plain))
		return;
	w->plain++;
	memcpy(with_tags, f->bytes, MACS_BYTES);
	memcpy(with_tags + MACS_BYTES, tags, TAGS_BYTES);
	memcpy(with_tags + MACS_BYTES + TAGS_BYTES, f->bytes + MACS_BYTES, f->captured - MACS_BYTES);
	other.bytes = with_tags;
	other.captured += TAGS_BYTES;
	other.length += TAGS_BYTES;
	decode_frame(w->long_one, &other, &tagged);
	assert_same(&plain, f->bytes, &tagged, with_tags);
}

/* `seed` 0 leaves the frames as they are. */
static void run(struct ways *w, uint32_t seed)
{
	int fd = open(SOURCE_DIR "/tests/plant/plant.pcap.gz", O_RDONLY | O_CLOEXEC);
	struct capture_file *file;
	enum capture_result result;
	struct frame f;
	const char *why;
	static uint8_t copy[65536];

	file = capture_file_open(fd, &why);
	assert_non_null(file);
	while ((result = capture_file_next(file, &f)) == CAPTURE_FRAME || (result == CAPTURE_REFILL && capture_file_refill(file))) {
		if (result != CAPTURE_FRAME || f.linktype != ETHERNET)
			continue;
		memcpy(copy, f.bytes, f.captured);
		f.bytes = copy;
		if (seed)
			damage(copy, &f, &seed);
		compare(w, &f);
	}
	capture_file_close(file);
	close(fd);
}

static void test_as_the_long_way(void **state)
{
	static struct decoder short_one, long_one;
	static struct engine_counters counters;
	struct ways w = { .short_one = &short_one, .long_one = &long_one };

	(void)state;
	assert_true(decoder_init(&short_one, &counters, true) && decoder_init(&long_one, &counters, true));
	run(&w, 0);
	assert_true(w.frames > 1000 && w.plain > w.frames * 3 / 4);
	for (uint32_t seed = 1; seed <= ROUNDS; seed++)
		run(&w, seed);
	assert_true(w.plain > w.frames / 3 && w.plain < w.frames);
	decoder_free(&short_one);
	decoder_free(&long_one);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_the_long_way) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
