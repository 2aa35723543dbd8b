/*
 * The pulse of a Modbus server, measured by an engine: regular, slow, stalling, resetting, asked again; and what a
 * mirror does to frames must look like none of these.
 */
#include "tests/unit/engine_fixture.h"

enum { PULSES = 4096, PORT = 502 };

static const int64_t START_NS = 1700000000000000000, MS = 1000000;

/* A client that asks again and again, over real frames with sequence numbers and identifications. */
struct scene {
	struct fixture *x;
	struct pulse got[PULSES];
	unsigned count;
	int64_t now_ns;
	uint32_t next[2];     /* sequence numbers: client, server */
	uint16_t id[2];
	uint16_t transaction;
	uint64_t lose;        /* bits: 1 the next request, 2 the next reply are not captured */
	bool twice;           /* the mirror brings each frame twice */
	bool no_id;
	unsigned random;
};

static unsigned chance(struct scene *s, unsigned below)
{
	s->random = s->random * 1103515245 + 12345;
	return (s->random >> 16) % below;
}

static void collect(struct scene *s)
{
	const void *record;
	size_t len;

	teller_flush(&s->x->engine.teller);
	while (ring_next(&s->x->hub, &record, &len) == RING_OK) {
		const struct report *r = record;

		if (r->type != REPORT_PULSE)
			continue;
		assert_true(s->count < PULSES);
		assert_int_equal(r->pulse.port, PORT);
		assert_string_equal(r->pulse.protocol, "modbus");
		s->got[s->count++] = r->pulse;
	}
	ring_release(&s->x->hub);
}

static void pass(struct scene *s, int64_t ns)
{
	for (int64_t end = s->now_ns + ns; s->now_ns < end;) {
		s->now_ns += end - s->now_ns < 5 * MS ? end - s->now_ns : 5 * MS;
		pulse_sweep(&s->x->engine, s->now_ns);
	}
	collect(s);
}

static void show(struct scene *s, const struct wire *w)
{
	struct frame f = { .bytes = w->bytes, .captured = w->len, .length = w->len, .linktype = LINKTYPE_ETHERNET };

	for (int i = 0; i <= s->twice; i++) {
		f.number = ++s->x->frames;
		f.time_ns = s->now_ns + i * 40000;
		engine_frames(&s->x->engine, &f, 1);
	}
	collect(s);
}

static void segment(struct scene *s, bool server, uint8_t flags, const void *bytes, size_t len, uint32_t sequence, bool shown)
{
	struct wire w;

	s->id[server]++;
	wire_ethernet(&w, server, 0x0800);
	wire_ipv4(&w, server, 6, (uint16_t)(20 + len), s->no_id ? 0 : s->id[server], 0);
	wire_u16(&w, server ? PORT : 50000);
	wire_u16(&w, server ? 50000 : PORT);
	wire_u32(&w, sequence);
	wire_u32(&w, s->next[!server]);
	wire_u8(&w, 0x50);
	wire_u8(&w, flags);
	wire_u16(&w, 1024);
	wire_u32(&w, 0);
	wire_put(&w, bytes, len);
	if (shown)
		show(s, &w);
}

static void say(struct scene *s, bool server, const void *bytes, size_t len)
{
	bool lost = s->lose & (server ? 2 : 1);

	segment(s, server, TCP_ACK | 8, bytes, len, s->next[server], !lost);
	s->lose &= server ? ~2ull : ~1ull;
	s->next[server] += (uint32_t)len;
}

static void request(struct scene *s)
{
	uint8_t m[] = { 0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1 };

	s->transaction++;
	m[0] = (uint8_t)(s->transaction >> 8);
	m[1] = (uint8_t)s->transaction;
	say(s, false, m, sizeof m);
}

static void reply(struct scene *s, bool well)
{
	uint8_t good[] = { 0, 0, 0, 0, 0, 5, 1, 3, 2, 0, 7 }, bad[] = { 0, 0, 0, 0, 0, 3, 1, 0x83, 4 };

	good[0] = bad[0] = (uint8_t)(s->transaction >> 8);
	good[1] = bad[1] = (uint8_t)s->transaction;
	if (well)
		say(s, true, good, sizeof good);
	else
		say(s, true, bad, sizeof bad);
}

static void exchange(struct scene *s, int64_t period_ns, int64_t rtt_ns)
{
	request(s);
	pass(s, rtt_ns);
	reply(s, true);
	pass(s, period_ns - rtt_ns);
}

static void connect_both(struct scene *s)
{
	segment(s, false, TCP_SYN, "", 0, s->next[0]++, true);
	segment(s, true, TCP_SYN | TCP_ACK, "", 0, s->next[1]++, true);
	segment(s, false, TCP_ACK, "", 0, s->next[0], true);
}

static struct scene *scene_start(void)
{
	struct scene *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->x = calloc(1, sizeof *s->x);
	assert_non_null(s->x);
	for (int fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	fixture_start_with(s->x, (struct engine_config){ .flows = 4096, .details = 1024, .stream_bytes = 8 << 20, .pulses = 64 });
	s->now_ns = START_NS;
	s->next[0] = 0xfffffff0; /* sequence numbers wrap early */
	s->next[1] = 5000;
	connect_both(s);
	return s;
}

static void scene_end(struct scene *s)
{
	fixture_end(s->x);
	free(s);
}

static void run(struct scene *s, unsigned exchanges)
{
	for (unsigned i = 0; i < exchanges; i++)
		exchange(s, 100 * MS, 2 * MS);
}

static struct pulse sum(const struct scene *s, unsigned from)
{
	struct pulse all = { 0 };

	for (unsigned i = from; i < s->count; i++) {
		const struct pulse *p = &s->got[i];

		all.why |= p->why;
		all.requests += p->requests;
		all.replies += p->replies;
		all.unanswered += p->unanswered;
		all.duplicates += p->duplicates;
		all.unseen += p->unseen;
		all.errors += p->errors;
		all.writes += p->writes;
		all.connects += p->connects;
		all.gap_sum_us += p->gap_sum_us;
		all.gap_jitter_us += p->gap_jitter_us;
		all.rtt_sum_us += p->rtt_sum_us;
		for (int side = 0; side < 2; side++) {
			all.retransmits[side] += p->retransmits[side];
			all.resets[side] += p->resets[side];
		}
		if (p->gap_max_us > all.gap_max_us)
			all.gap_max_us = p->gap_max_us;
		if (p->rtt_max_us > all.rtt_max_us)
			all.rtt_max_us = p->rtt_max_us;
	}
	return all;
}

static void assert_quiet(const struct scene *s, unsigned from)
{
	struct pulse all = sum(s, from);

	assert_int_equal(all.why, PULSE_TICK);
	assert_int_equal(all.unanswered, 0);
	assert_int_equal(all.retransmits[0] + all.retransmits[1] + all.resets[0] + all.resets[1] + all.errors, 0);
}

static void test_regular(void **state)
{
	struct scene *s = scene_start();
	struct pulse all;

	(void)state;
	run(s, 300);
	all = sum(s, 0);
	assert_quiet(s, 0);
	assert_in_range(s->count, 29, 31);
	assert_in_range(all.requests, 285, 300);
	assert_in_range(all.replies, 285, 300);
	assert_int_equal(all.gap_max_us, 100000);
	assert_int_equal(all.gap_jitter_us, 0);
	assert_int_equal(all.rtt_max_us, 2000);
	assert_int_equal(s->got[20].rtt_sum_us, s->got[20].replies * 2000);
	scene_end(s);
}

static void test_twice(void **state)
{
	struct scene *s = scene_start();
	struct pulse all;

	(void)state;
	s->twice = true;
	run(s, 300);
	all = sum(s, 0);
	assert_quiet(s, 0);
	assert_in_range(all.duplicates, 570, 600);
	assert_in_range(all.requests, 285, 300);
	assert_int_equal(all.gap_max_us, 100000);
	scene_end(s);
	/* Without identifications, as in IPv6 or behind a firewall that takes them away. */
	s = scene_start();
	s->twice = s->no_id = true;
	run(s, 300);
	assert_quiet(s, 0);
	assert_in_range(sum(s, 0).requests, 285, 300);
	scene_end(s);
}

static void test_lossy_capture(void **state)
{
	struct scene *s = scene_start();
	struct pulse all;

	(void)state;
	run(s, 100);
	for (int i = 0; i < 2000; i++) {
		unsigned c = chance(s, 20);

		/* One frame in twenty, and now and then both of an exchange. */
		s->lose = c == 0 ? 1 : c == 1 ? 2 : c == 2 && chance(s, 10) == 0 ? 3 : 0;
		exchange(s, 100 * MS, 2 * MS);
	}
	all = sum(s, 0);
	assert_int_equal(all.why & (PULSE_OVERDUE | PULSE_RESET | PULSE_RETRANSMIT | PULSE_ERRORS), 0);
	assert_int_equal(all.retransmits[0] + all.retransmits[1], 0);
	assert_int_equal(all.unanswered, 0);
	assert_true(all.unseen > 50);
	scene_end(s);
}

/* From when the server's last word was to when trouble was told, in cycles of 100 ms. */
static double cycles_until(const struct scene *s, unsigned from, int64_t last_ns, uint8_t why)
{
	for (unsigned i = from; i < s->count; i++)
		if (s->got[i].why & why)
			return (double)(s->got[i].time_ns - last_ns) / (double)(100 * MS);
	return 1e9;
}

static void test_no_reply(void **state)
{
	struct scene *s = scene_start();
	unsigned before;
	int64_t last_ns;

	(void)state;
	run(s, 100);
	before = s->count;
	last_ns = s->now_ns - 98 * MS;
	request(s);
	pass(s, 1000 * MS);
	assert_true(cycles_until(s, before, last_ns, PULSE_OVERDUE) <= 2.3);
	assert_true(cycles_until(s, before, last_ns + 98 * MS, PULSE_OVERDUE) <= 2);
	scene_end(s);
}

static void test_silence(void **state)
{
	struct scene *s = scene_start();
	unsigned before;
	int64_t last_ns;

	(void)state;
	run(s, 100);
	before = s->count;
	last_ns = s->now_ns - 98 * MS;
	pass(s, 3000 * MS);
	assert_true(cycles_until(s, before, last_ns, PULSE_SILENT) <= 2);
	/* Once. */
	assert_int_equal(s->count - before <= 2, 1);
	scene_end(s);
}

static void test_asked_again(void **state)
{
	struct scene *s = scene_start();
	uint8_t m[] = { 1, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1 };
	unsigned before;

	(void)state;
	run(s, 100);
	before = s->count;
	say(s, false, m, sizeof m);
	pass(s, 30 * MS);
	segment(s, false, TCP_ACK | 8, m, sizeof m, s->next[0] - (uint32_t)sizeof m, true);
	assert_int_equal(sum(s, before).retransmits[PULSE_CLIENT], 1);
	assert_true(sum(s, before).why & PULSE_RETRANSMIT);
	/* What keeps a silent connection alive is one byte that was sent before. */
	s->transaction = 0x100;
	reply(s, true);
	before = s->count;
	pass(s, 20 * MS);
	segment(s, false, TCP_ACK, "\1", 1, s->next[0] - 1, true);
	pass(s, 20 * MS);
	run(s, 20);
	assert_int_equal(sum(s, before).retransmits[PULSE_CLIENT], 0);
	scene_end(s);
}

static void test_reset(void **state)
{
	struct scene *s = scene_start();
	unsigned before;

	(void)state;
	run(s, 100);
	before = s->count;
	request(s);
	segment(s, true, TCP_RST | TCP_ACK, "", 0, s->next[1], true);
	assert_int_equal(s->count, before + 1);
	assert_int_equal(s->got[before].why & PULSE_RESET, PULSE_RESET);
	assert_int_equal(s->got[before].resets[PULSE_SERVER], 1);
	/* A new connection is refused. */
	pass(s, 50 * MS);
	segment(s, false, TCP_SYN, "", 0, 77, true);
	segment(s, true, TCP_RST | TCP_ACK, "", 0, 0, true);
	assert_int_equal(sum(s, before).resets[PULSE_SERVER], 2);
	assert_int_equal(sum(s, before).connects, 1);
	scene_end(s);
	/* A connection that both ended is no trouble, even when one side then sends a RST. */
	s = scene_start();
	run(s, 100);
	segment(s, false, TCP_FIN | TCP_ACK, "", 0, s->next[0]++, true);
	segment(s, true, TCP_FIN | TCP_ACK, "", 0, s->next[1]++, true);
	segment(s, false, TCP_RST, "", 0, s->next[0], true);
	assert_quiet(s, 0);
	scene_end(s);
}

static void test_errors(void **state)
{
	struct scene *s = scene_start();
	unsigned before;

	(void)state;
	run(s, 100);
	before = s->count;
	for (int i = 0; i < 4; i++) {
		request(s);
		pass(s, 2 * MS);
		reply(s, false);
		pass(s, 98 * MS);
	}
	run(s, 15);
	assert_int_equal(sum(s, before).errors, 4);
	assert_true(sum(s, before).why & PULSE_ERRORS);
	scene_end(s);
}

static void test_slow(void **state)
{
	struct scene *s = scene_start();
	unsigned before;

	(void)state;
	run(s, 100);
	before = s->count;
	for (int i = 0; i < 30; i++)
		exchange(s, 100 * MS, 60 * MS);
	assert_int_equal(sum(s, before).rtt_max_us, 60000);
	assert_int_equal(sum(s, before).why, PULSE_TICK);
	scene_end(s);
}

/* Four times as many pairs as there are entries: nothing grows, and what gave way is counted. */
static void test_full(void **state)
{
	struct scene *s = scene_start();
	uint8_t m[] = { 0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1 }, a[] = { 0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7 };

	(void)state;
	for (uint32_t i = 0; i < 256; i++) {
		struct wire w;

		for (int server = 0; server < 2; server++) {
			wire_ethernet(&w, server, 0x0800);
			wire_ipv4(&w, server, 17, (uint16_t)(8 + (server ? sizeof a : sizeof m)), (uint16_t)(i + 1), 0);
			w.bytes[server ? 33 : 29] = (uint8_t)i;
			w.bytes[server ? 32 : 28] = 9;
			wire_u16(&w, server ? PORT : 50000);
			wire_u16(&w, server ? 50000 : PORT);
			wire_u16(&w, 8 + (unsigned)(server ? sizeof a : sizeof m));
			wire_u16(&w, 0);
			wire_put(&w, server ? a : m, server ? sizeof a : sizeof m);
			show(s, &w);
		}
		pass(s, 10 * MS);
	}
	assert_true(s->x->engine.counters.pulses_evicted > 100);
	scene_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regular), cmocka_unit_test(test_twice), cmocka_unit_test(test_lossy_capture),
		cmocka_unit_test(test_no_reply), cmocka_unit_test(test_silence), cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_reset), cmocka_unit_test(test_errors), cmocka_unit_test(test_slow), cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
