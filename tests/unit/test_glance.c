/*
 * The short way tells what the long one tells: a recorded plant, whole and with damaged bytes, goes through an engine
 * as it is and through one that knows no glance and no repetition.
 */
#include "tests/unit/engine_fixture.h"

#include "sensor/engine/capture_file.h"

#include <fcntl.h>
#include <stdio.h>

enum { DAMAGES = 12, HEADERS_BYTES = 54, PULSES = 4096 };

struct outcome {
	uint64_t digest; /* of all findings and pulses, whatever their order: flows end in that of random hashes */
	uint64_t findings, messages, rejected, routine;
};

static struct classifier blind[TRANSPORTS][CLASSIFIERS_MAX];

static void take_glances(struct engine *e)
{
	for (int t = 0; t < TRANSPORTS; t++)
		for (uint32_t i = 0; i < e->lists[t].count; i++) {
			blind[t][i] = *e->lists[t].of[i];
			blind[t][i].glance = NULL;
			e->lists[t].of[i] = &blind[t][i];
		}
	free(e->repeats);
	e->repeats = NULL;
}

static uint64_t digest_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t digest = 0xcbf29ce484222325;

	while (len-- > 0)
		digest = (digest ^ *p++) * 0x100000001b3;
	return digest;
}

static void collect(struct fixture *x, struct outcome *o)
{
	const void *record;
	struct finding f;
	size_t len;

	teller_flush(&x->engine.teller);
	while (ring_next(&x->hub, &record, &len) == RING_OK) {
		const struct report *r = record;

		if (r->type == REPORT_FINDING) {
			f = fixture_finding(r, len);
			o->digest += digest_of(&f, sizeof f);
		} else if (r->type == REPORT_PULSE) {
			o->digest += digest_of(&r->pulse, sizeof r->pulse);
		}
		o->findings += r->type == REPORT_FINDING;
	}
	ring_release(&x->hub);
}

static unsigned chance(uint32_t *random, unsigned below)
{
	*random = *random * 1103515245 + 12345;
	return (*random >> 8) % below;
}

/* One byte behind the headers of every 30th frame becomes another. */
static void damage(const struct frame *f, uint8_t *copy, uint32_t *random)
{
	memcpy(copy, f->bytes, f->captured);
	if (f->captured > HEADERS_BYTES && chance(random, 30) == 0)
		copy[HEADERS_BYTES + chance(random, f->captured - HEADERS_BYTES < 60 ? f->captured - HEADERS_BYTES : 60)] = (uint8_t)chance(random, 256);
}

/* `seed` 0 leaves the frames as they are. */
static struct outcome run(const char *path, uint32_t seed, bool glances, uint32_t pulses)
{
	struct outcome o = { 0 };
	struct fixture *x = calloc(1, sizeof *x);
	struct capture_file *file;
	struct frame f;
	enum capture_result result;
	const char *why;
	uint8_t copy[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC), high = fcntl(fd, F_DUPFD_CLOEXEC, 64);

	assert_true(x && high >= 64);
	close(fd);
	for (fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	fixture_start_with(x, (struct engine_config){ .flows = 4096, .details = 1024, .stream_bytes = 8 << 20, .pulses = pulses });
	if (!glances)
		take_glances(&x->engine);
	file = capture_file_open(high, &why);
	assert_non_null(file);
	while ((result = capture_file_next(file, &f)) == CAPTURE_FRAME || (result == CAPTURE_REFILL && capture_file_refill(file))) {
		if (result != CAPTURE_FRAME)
			continue;
		if (seed) {
			damage(&f, copy, &seed);
			f.bytes = copy;
		}
		engine_frames(&x->engine, &f, 1);
		collect(x, &o);
	}
	engine_end_flows(&x->engine, x->frames);
	collect(x, &o);
	o.messages = x->engine.counters.messages;
	o.rejected = x->engine.counters.messages_rejected;
	o.routine = x->engine.routine;
	capture_file_close(file);
	close(high);
	fixture_end(x);
	return o;
}

static void compare(uint32_t seed, uint32_t pulses)
{
	static const char path[] = SOURCE_DIR "/tests/plant/plant.pcap.gz";
	struct outcome with = run(path, seed, true, pulses), without = run(path, seed, false, pulses);

	assert_true(with.findings > 300);
	assert_true(with.routine > with.messages / 4);
	assert_int_equal(without.routine, 0);
	assert_int_equal(with.findings, without.findings);
	assert_int_equal(with.rejected, without.rejected);
	assert_true(with.digest == without.digest);
}

static void test_whole(void **state)
{
	(void)state;
	compare(0, 0);
	compare(0, PULSES);
}

static void test_damaged(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= DAMAGES; seed++)
		compare(seed, PULSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_damaged) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
