/* Capture's rings: each frame of a recorded plant reaches the engine whose share it is, numbered, and all where that is not sure. */
#include "tests/unit/plant_frames.h"

#include "sensor/capture/outlet.h"
#include "sensor/common/spread.h"

enum { ENGINES = 4, RING_BYTES = 1 << 20, SMALL_BYTES_OF_RING = 1 << 16, SAFE_FD = 200 };

struct played {
	struct outlet outlet;
	struct ring_fds fds[ENGINES];
	struct ring engine[ENGINES];
	unsigned rings;
	uint64_t put;
	uint64_t unsure;
	uint64_t taken[ENGINES];
};

/* The producers' ends stand where capture expects them; the test's own are moved out of their way. */
static void attach(struct played *x, unsigned i, size_t bytes)
{
	struct ring_fds *f = &x->fds[i];
	int first = fd_of_ring(FD_RECORDS_OUT, i);

	assert_int_equal(ring_create(f, "frames", bytes), 0);
	f->records_ro = fcntl(f->records_ro, F_DUPFD_CLOEXEC, SAFE_FD);
	f->tail_rw = fcntl(f->tail_rw, F_DUPFD_CLOEXEC, SAFE_FD);
	f->records_rw = fcntl(f->records_rw, F_DUPFD_CLOEXEC, SAFE_FD);
	f->tail_ro = fcntl(f->tail_ro, F_DUPFD_CLOEXEC, SAFE_FD);
	f->wake = fcntl(f->wake, F_DUPFD_CLOEXEC, SAFE_FD);
	assert_true(dup2(f->records_rw, first) >= 0 && dup2(f->tail_ro, first + 1) >= 0 && dup2(f->wake, first + 2) >= 0);
	assert_int_equal(ring_attach_consumer(&x->engine[i], f->records_ro, f->tail_rw, f->wake), 0);
}

static void open_outlet(struct played *x, unsigned rings, size_t bytes)
{
	memset(x, 0, sizeof *x);
	x->rings = rings;
	for (unsigned i = 0; i < rings; i++)
		attach(x, i, bytes);
	assert_int_equal(outlet_open(&x->outlet, rings), 0);
}

static void close_outlet(struct played *x)
{
	for (unsigned i = 0; i < x->rings; i++) {
		ring_detach(&x->engine[i]);
		ring_detach(&x->outlet.ring[i]);
		ring_close_fds(&x->fds[i]);
	}
}

static void put(struct played *x, const struct frame *f)
{
	struct frame_header h = { .time_ns = f->time_ns, .captured = f->captured, .length = f->length, .linktype = f->linktype };

	outlet_put(&x->outlet, &h, f->bytes);
	x->put++;
	assert_int_equal(h.number, x->put);
}

/* The frame must be in the rings that its share says, with its number and its bytes, and in no other. */
static void expect_in_rings(struct played *x, const struct frame *f)
{
	uint8_t share = x->rings == 1 ? SHARE_UNSURE : share_of_frame(f->bytes, f->captured, f->linktype);

	outlet_publish(&x->outlet);
	x->unsure += share == SHARE_UNSURE;
	for (unsigned i = 0; i < x->rings; i++) {
		bool its = share == SHARE_UNSURE || share % x->rings == i;
		struct frame_header h;
		const void *record;
		size_t len;

		assert_int_equal(ring_next(&x->engine[i], &record, &len), its ? RING_OK : RING_EMPTY);
		assert_int_equal(ring_counter(&x->engine[i], CAPTURE_NUMBER), x->put);
		if (!its)
			continue;
		x->taken[i]++;
		memcpy(&h, record, sizeof h);
		assert_int_equal(h.number, x->put);
		assert_int_equal(len, sizeof h + f->captured);
		assert_memory_equal((const uint8_t *)record + sizeof h, f->bytes, f->captured);
		ring_release(&x->engine[i]);
	}
}

static void put_and_expect(void *context, const struct frame *f)
{
	put(context, f);
	expect_in_rings(context, f);
}

static void test_each_its_own(void **state)
{
	static struct played x;
	uint64_t taken;

	(void)state;
	for (unsigned rings = 1; rings <= ENGINES; rings++) {
		open_outlet(&x, rings, RING_BYTES);
		each_plant_frame(0, put_and_expect, &x);
		assert_true(x.put > 1000);
		assert_true(rings == 1 || x.unsure < x.put / 4);
		taken = 0;
		for (unsigned i = 0; i < rings; i++) {
			assert_true(x.taken[i] > x.put / 100);
			taken += x.taken[i];
		}
		assert_int_equal(taken, x.put + (rings - 1) * x.unsure);
		outlet_show_counts(&x.outlet, 3, 5);
		for (unsigned i = 0; i < rings; i++)
			assert_int_equal(ring_counter(&x.engine[i], CAPTURED_FRAMES), x.taken[i]);
		assert_int_equal(ring_counter(&x.engine[0], CAPTURE_KERNEL_DROPS), 3);
		assert_int_equal(ring_counter(&x.engine[0], CAPTURE_INTERFACE_DROPS), 5);
		close_outlet(&x);
	}
}

static void put_alone(void *context, const struct frame *f)
{
	put(context, f);
}

/* Engines that take nothing: what their rings have no room for is counted, frame by frame. */
static void test_full(void **state)
{
	static struct played x;
	uint64_t accounted = 0;
	const void *record;
	size_t len;

	(void)state;
	open_outlet(&x, 1, SMALL_BYTES_OF_RING);
	each_plant_frame(0, put_alone, &x);
	outlet_publish(&x.outlet);
	outlet_show_counts(&x.outlet, 0, 0);
	while (ring_next(&x.engine[0], &record, &len) == RING_OK)
		accounted++;
	assert_true(accounted > 0 && ring_counter(&x.engine[0], CAPTURE_RING_DROPS) > 0);
	assert_int_equal(accounted + ring_counter(&x.engine[0], CAPTURE_RING_DROPS), x.put);
	close_outlet(&x);
}

/* A successor of a killed capture numbers on, so that no number means two frames. */
static void test_successor(void **state)
{
	static struct played x;
	struct outlet first;

	(void)state;
	open_outlet(&x, 1, SMALL_BYTES_OF_RING);
	each_plant_frame(0, put_alone, &x);
	outlet_publish(&x.outlet);
	first = x.outlet;
	assert_true(dup2(x.fds[0].records_rw, FD_RECORDS_OUT) >= 0 && dup2(x.fds[0].tail_ro, FD_TAIL_OUT) >= 0);
	assert_int_equal(outlet_open(&x.outlet, 1), 0);
	assert_int_equal(x.outlet.number, x.put);
	assert_int_equal(x.outlet.counts[0][CAPTURE_STARTS], first.counts[0][CAPTURE_STARTS] + 1);
	ring_detach(&first.ring[0]);
	close_outlet(&x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_its_own),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_successor),
	};

	for (int fd = 3; fd < SAFE_FD; fd++)
		dup2(STDERR_FILENO, fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
