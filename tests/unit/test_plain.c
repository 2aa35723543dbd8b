/*
 * The short way of decoding gives what the long one gives: each frame of a recorded plant, whole, cut and with damaged
 * headers, is decoded as it is and with two priority tags in front, which mean nothing and which the short way leaves;
 * and all of it once more as a mirror's copy.
 */
#include "tests/unit/plant_frames.h"

#include "sensor/engine/decode.h"

enum { TAGS_BYTES = 8, MIRROR_IP = 14, MIRROR_TOTAL = MIRROR_IP + 2 };

static const uint8_t tags[TAGS_BYTES] = { 0x81, 0, 0, 0, 0x81, 0, 0, 0 };
static const uint16_t untagged[2];

/* MACs, IPv4, GRE with a sequence number, and ERSPAN II of VLAN 7. */
static const uint8_t mirror[] = {
	0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00,
	0x45, 0, 0, 0, 0, 0, 0, 0, 64, 47, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
	0x10, 0, 0x88, 0xbe, 0, 0, 0, 1,
	0x10, 7, 0, 0, 0, 0, 0, 0,
};

struct ways {
	struct decoder *short_one, *long_one;
	uint64_t frames, plain, arp;
};

static ptrdiff_t place(const uint8_t *at, const uint8_t *start)
{
	return at ? at - start : -1;
}

/* `by`: how many bytes stand before b's payload that do not before a's. */
static void assert_same(const struct packet *a, const uint8_t *start, const struct packet *b, const uint8_t *tagged, ptrdiff_t by)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->zone, b->zone);
	assert_int_equal(a->share, b->share);
	assert_int_equal(a->multicast, b->multicast);
	assert_int_equal(a->payload_len, b->payload_len);
	assert_int_equal(a->payload_lost, b->payload_lost);
	assert_int_equal(place(a->payload, start), place(b->payload, tagged) - by);
	/* The tags stand behind the first MACs. */
	assert_int_equal(place(a->ethernet, start), place(b->ethernet, tagged) - (a->ethernet > start ? by : 0));
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
	assert_int_equal(place(a->network, start), place(b->network, tagged) - by);
	if (a->kind == PACKET_TCP) {
		assert_int_equal(a->sequence, b->sequence);
		assert_int_equal(a->acknowledgment, b->acknowledgment);
		assert_int_equal(a->tcp_flags, b->tcp_flags);
	}
}

/* Frames in a row give what each gives alone, up to the first that is not plain or that the limits name. */
static void compare_run(struct ways *w, const struct frame *f, const struct packet *alone)
{
	const struct plain_limits none = { .sure = false }, sure = { .sure = true }, no_arp = { .no_arp = true };
	struct frame frames[3] = { *f, *f, *f };
	struct packet packets[3] = { { .kind = PACKET_NOTHING } };
	const uint64_t *tunnels = &w->short_one->counters->tunnels;
	uint64_t before = *tunnels, of_two;
	unsigned n;

	frames[1].share = SHARE_UNSURE;
	frames[2].linktype = LINKTYPE_RAW;
	assert_int_equal(decode_plain_run(w->short_one, frames, 3, &none, packets), alone ? 2 : 0);
	of_two = *tunnels - before;
	for (int i = 0; alone && i < 2; i++)
		assert_same(alone, f->bytes, &packets[i], f->bytes, 0);
	assert_int_equal(decode_plain_run(w->short_one, frames, 3, &sure, packets), alone ? 1 : 0);
	before = *tunnels;
	n = decode_plain_run(w->short_one, frames, 3, &no_arp, packets);
	assert_int_equal(n, alone && !frame_is_arp(f) ? 2 : 0);
	/* What ends a run is not counted: it is decoded once more. */
	assert_int_equal(*tunnels - before, n ? of_two : 0);
	w->arp += alone && n == 0;
}

static void compare_one(struct ways *w, const struct frame *f)
{
	static uint8_t with_tags[65536 + sizeof mirror + TAGS_BYTES];
	struct packet plain = { 0 }, tagged = { 0 };
	struct cursor c = cursor_over(f->bytes, f->captured);
	struct frame other = *f;

	w->frames++;
	if (!decode_plain(w->short_one, &c, untagged, f->length - f->captured, false, &plain)) {
		compare_run(w, f, NULL);
		return;
	}
	compare_run(w, f, &plain);
	w->plain++;
	memcpy(with_tags, f->bytes, MACS_BYTES);
	memcpy(with_tags + MACS_BYTES, tags, TAGS_BYTES);
	memcpy(with_tags + MACS_BYTES + TAGS_BYTES, f->bytes + MACS_BYTES, f->captured - MACS_BYTES);
	other.bytes = with_tags;
	other.captured += TAGS_BYTES;
	other.length += TAGS_BYTES;
	decode_frame(w->long_one, &other, &tagged);
	assert_same(&plain, f->bytes, &tagged, with_tags, TAGS_BYTES);
}

/* The frame as it is, and as a mirror's copy. */
static void compare(void *context, const struct frame *f)
{
	static uint8_t copy[65536 + sizeof mirror];
	struct frame outside = *f;

	compare_one(context, f);
	memcpy(copy, mirror, sizeof mirror);
	memcpy(copy + sizeof mirror, f->bytes, f->captured);
	outside.bytes = copy;
	outside.captured += sizeof mirror;
	outside.length += sizeof mirror;
	copy[MIRROR_TOTAL] = (uint8_t)((outside.length - MIRROR_IP) >> 8);
	copy[MIRROR_TOTAL + 1] = (uint8_t)(outside.length - MIRROR_IP);
	if (outside.length - MIRROR_IP <= UINT16_MAX)
		compare_one(context, &outside);
}

static void test_as_the_long_way(void **state)
{
	static struct decoder short_one, long_one;
	static struct engine_counters counters;
	struct ways w = { .short_one = &short_one, .long_one = &long_one };

	(void)state;
	assert_true(decoder_init(&short_one, &counters, true) && decoder_init(&long_one, &counters, true));
	each_plant_frame(0, compare, &w);
	assert_true(w.frames > 1000 && w.plain > w.frames * 3 / 4 && w.arp > 0);
	for (uint32_t seed = 1; seed <= ROUNDS; seed++)
		each_plant_frame(seed, compare, &w);
	assert_true(w.plain > w.frames / 3 && w.plain < w.frames);
	decoder_free(&short_one);
	decoder_free(&long_one);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_the_long_way) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
