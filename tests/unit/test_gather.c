/* What several engines tell is read in one order, and nobody is waited for who has nothing earlier to tell, or is given up. */
#include "sensor/hub/gather.h"

#include "classifiers/finding/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ENGINES = 3, RING_BYTES = 1 << 16 };

struct played {
	struct ring_fds fds[ENGINES];
	struct ring engine[ENGINES];
	struct intake intakes[ENGINES];
	struct gather gather;
};

static int start(void **state)
{
	struct played *x = calloc(1, sizeof *x);

	for (unsigned i = 0; x && i < ENGINES; i++) {
		struct ring_fds *f = &x->fds[i];

		x->intakes[i].engine = i;
		if (ring_create(f, "findings", RING_BYTES) < 0 || ring_attach_producer(&x->engine[i], f->records_rw, f->tail_ro, f->wake) < 0 ||
		    ring_attach_consumer(&x->intakes[i].ring, f->records_ro, f->tail_rw, f->wake) < 0)
			return -1;
	}
	if (!x)
		return -1;
	x->gather = (struct gather){ .intakes = x->intakes, .count = ENGINES };
	*state = x;
	return 0;
}

static int end(void **state)
{
	struct played *x = *state;

	for (unsigned i = 0; i < ENGINES; i++) {
		ring_detach(&x->engine[i]);
		ring_detach(&x->intakes[i].ring);
		ring_close_fds(&x->fds[i]);
	}
	free(x);
	return 0;
}

static void tell(struct played *x, unsigned engine, uint64_t order)
{
	struct report *r = ring_reserve(&x->engine[engine], sizeof *r);

	assert_non_null(r);
	memset(r, 0, sizeof *r);
	r->type = REPORT_COUNTERS;
	r->engine = (uint16_t)engine;
	r->order = order;
	ring_commit(&x->engine[engine], sizeof *r);
	ring_publish(&x->engine[engine]);
}

static void come_to(struct played *x, unsigned engine, uint64_t order)
{
	ring_count(&x->engine[engine], NOTE_ORDER, order);
}

static void expect(struct played *x, unsigned engine, uint64_t order)
{
	const struct report *report;
	unsigned from;

	assert_int_equal(gather_next(&x->gather, &report, &from), GATHER_REPORT);
	assert_int_equal(from, engine);
	assert_int_equal(report->order, order);
}

static void expect_none(struct played *x, enum gather_result why)
{
	const struct report *report;
	unsigned from;

	assert_int_equal(gather_next(&x->gather, &report, &from), why);
}

static void test_order(void **state)
{
	struct played *x = *state;

	expect_none(x, GATHER_EMPTY);
	for (unsigned n = 0; n < 30; n++)
		tell(x, n * 7 % ENGINES, n);
	for (unsigned i = 0; i < ENGINES; i++)
		come_to(x, i, 29);
	for (unsigned n = 0; n < 30; n++)
		expect(x, n * 7 % ENGINES, n);
	expect_none(x, GATHER_EMPTY);
}

static void test_waits(void **state)
{
	struct played *x = *state;

	tell(x, 1, 10);
	come_to(x, 0, 5);
	come_to(x, 2, 20);
	expect_none(x, GATHER_WAIT);
	tell(x, 0, 6);
	expect(x, 0, 6);
	expect_none(x, GATHER_WAIT);
	come_to(x, 0, 10);
	expect(x, 1, 10);
	expect_none(x, GATHER_EMPTY);
}

/* Who was given up is waited for again once it has moved on. */
static void test_given_up(void **state)
{
	struct played *x = *state;

	come_to(x, 2, UINT64_MAX);
	tell(x, 1, 10);
	tell(x, 1, 30);
	expect_none(x, GATHER_WAIT);
	gather_give_up(&x->gather);
	expect(x, 1, 10);
	come_to(x, 0, 20);
	expect_none(x, GATHER_WAIT);
	x->gather.hasty = true;
	expect(x, 1, 30);
}

static void test_other_sources(void **state)
{
	struct played *x = *state;

	for (unsigned i = 0; i < ENGINES; i++)
		x->intakes[i].source = i;
	tell(x, 1, 10);
	expect(x, 1, 10);
}

static void test_nonsense(void **state)
{
	struct played *x = *state;
	struct report *r = ring_reserve(&x->engine[0], sizeof *r);

	assert_non_null(r);
	memset(r, 0xff, sizeof *r);
	ring_commit(&x->engine[0], sizeof *r);
	ring_publish(&x->engine[0]);
	expect_none(x, GATHER_BROKEN);
}

/* Sleep is announced on the rings that gave nothing; what came meanwhile is not slept over. */
static void test_sleep(void **state)
{
	struct played *x = *state;

	expect_none(x, GATHER_EMPTY);
	assert_true(gather_sleep(&x->gather));
	tell(x, 2, 1);
	assert_false(gather_sleep(&x->gather));
	expect_none(x, GATHER_WAIT);
	assert_true(gather_sleep(&x->gather));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_order), TEST(test_waits), TEST(test_given_up), TEST(test_other_sources), TEST(test_nonsense), TEST(test_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
