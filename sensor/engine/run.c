/* The engine's two loops: over a capture file to its end, and over the frame ring for as long as it lives. */
#include "sensor/common/log.h"
#include "sensor/common/time_range.h"
#include "sensor/engine/capture_file.h"
#include "sensor/engine/engine.h"
#include "sensor/engine/note.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
	EXIT_BROKEN_RING = 70,
	REPORT_INTERVAL_MS = 1000,
	PROGRESS_INTERVAL_MS = 200,
	IDLE_MS = 50, /* longest sleep while no frame comes */
	PACE_SLEEP_MS = 500, /* longest sleep between recorded frames: nobody may take us for dead */
	FLUSH_BATCHES = 256, /* of a file: often enough for a person, seldom enough not to wake the hub for little */
};

/* Far more than come in a lifetime. */
#define FRAMES_MOST (UINT64_C(1) << 53)

static volatile sig_atomic_t stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

int run_open(struct engine *e)
{
	struct stat st;

	if (e->config.source == ENGINE_FILE) {
		/* Without it, all engines go through all of the file. */
		if (e->config.engines > 1)
			e->file_index = file_index_open(FD_FILE_INDEX, e->config.index, e->config.engines);
		if (fstat(FD_CAPTURE_FILE, &st) == 0 && S_ISREG(st.st_mode))
			e->file_bytes = (uint64_t)st.st_size;
		return 0;
	}
	if (e->config.probes && ring_attach_consumer(&e->probes, FD_PROBES_IN, FD_PROBES_TAIL, FD_PROBES_WAKE) < 0) {
		log_error("the ring of the prober could not be mapped");
		return -1;
	}
	if (ring_attach_consumer(&e->frames, FD_RECORDS_IN, FD_TAIL_IN, FD_WAKE_IN) == 0)
		return 0;
	log_error("the frame ring could not be mapped");
	return -1;
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The clock of live frames: silence has none. */
static int64_t frame_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void report_counters(struct engine *e)
{
	struct report r = { .type = REPORT_COUNTERS };

	r.counters = e->counters;
	r.counters.quarantined = e->config.quarantined;
	teller_report(&e->teller, &r);
}

/* What a file run has to say of itself. */
struct journey {
	struct capture_file *file;
	uint64_t bytes_total;
	struct capture_place place;
	int64_t reported_ms;
};

static void report_progress(struct engine *e, struct journey *j, enum report_type type, enum end_status status, const char *why)
{
	struct report r = { .type = type };

	r.progress.bytes_read = j->file ? capture_file_bytes(j->file) : 0;
	r.progress.bytes_total = j->bytes_total;
	r.progress.frames = j->place.number;
	r.progress.first_ns = j->place.first_ns;
	r.progress.last_ns = j->place.last_ns;
	r.progress.status = status;
	snprintf(r.progress.why, sizeof r.progress.why, "%s", why);
	teller_report(&e->teller, &r);
	teller_flush(&e->teller);
}

/* Sleeps so that frames come as far apart as they were recorded. */
static void keep_pace(struct engine *e, struct journey *j, const struct frame *f)
{
	static int64_t started_ms;
	int64_t ahead_ms;

	if (!started_ms)
		started_ms = clock_ms();
	while (!stopping && (ahead_ms = (f->time_ns - j->place.first_ns) / 1000000 - (clock_ms() - started_ms)) > 0) {
		struct timespec wait = { .tv_nsec = (ahead_ms < PACE_SLEEP_MS ? ahead_ms : PACE_SLEEP_MS) * 1000000 };

		nanosleep(&wait, NULL);
		ring_beat(&e->teller.ring);
	}
}

/* Reads on until a batch is full, a stride of everybody's frames is over, or memory must be refilled. */
static enum capture_result read_batch(struct engine *e, struct journey *j, struct frame *frames, unsigned *count)
{
	unsigned most = e->config.pace == PACE_RECORDED ? 1 : ENGINE_BATCH;
	unsigned left = ENGINE_STRIDE - (unsigned)(j->place.number % ENGINE_STRIDE);
	enum capture_result result;

	if (e->config.shares)
		result = capture_file_read_shares(j->file, e->config.shares, frames, most, count);
	else
		result = capture_file_read(j->file, frames, most < left ? most : left, count);
	j->place = *capture_file_place(j->file);
	if (*count && e->config.pace == PACE_RECORDED)
		keep_pace(e, j, &frames[0]);
	return result;
}

static void pause_between(struct engine *e, struct journey *j, unsigned batch)
{
	int64_t now_ms;

	if (e->config.pace != PACE_RECORDED && batch % FLUSH_BATCHES)
		return;
	teller_flush(&e->teller);
	note_order(e, 2 * j->place.number + 1);
	now_ms = clock_ms();
	if (now_ms - j->reported_ms < PROGRESS_INTERVAL_MS)
		return;
	j->reported_ms = now_ms;
	if (e->config.progress)
		report_progress(e, j, REPORT_PROGRESS, END_COMPLETE, "");
	report_counters(e);
}

/* How the file ended, and a sentence when there is something to say of it. */
static enum end_status judge_end(const struct engine *e, const struct journey *j, enum capture_result result, char *why, size_t room)
{
	uint64_t unknown = e->counters.unknown_linktype;

	why[0] = 0;
	if (result == CAPTURE_CUT || stopping) {
		snprintf(why, room, "%s", result == CAPTURE_CUT ? capture_file_why(j->file) : "stopped before its end");
		return END_CUT_SHORT;
	}
	if (unknown)
		snprintf(why, room, "%llu of %llu frames have a link type that is not decoded (%u); Ethernet, cooked, raw IP, PPP and loopback are",
			 (unsigned long long)unknown, (unsigned long long)j->place.number, e->decoder.unknown_linktype);
	return unknown && unknown == j->place.number ? END_UNREADABLE : END_COMPLETE;
}

int run_file(struct engine *e)
{
	struct frame frames[ENGINE_BATCH];
	struct journey j = { 0 };
	const char *why;
	enum capture_result result = CAPTURE_FRAME;
	enum end_status status;
	char sentence[sizeof ((struct progress *)0)->why];
	unsigned count;

	signal(SIGTERM, stop);
	j.bytes_total = e->file_bytes;
	j.file = capture_file_open(FD_CAPTURE_FILE, &why);
	if (!j.file) {
		report_progress(e, &j, REPORT_END, END_UNREADABLE, why);
		note_order(e, UINT64_MAX);
		return 0;
	}
	if (e->file_index)
		capture_file_share(j.file, e->file_index);
	for (unsigned batch = 1; !stopping && result != CAPTURE_END && result != CAPTURE_CUT; batch++) {
		ring_beat(&e->teller.ring);
		result = read_batch(e, &j, frames, &count);
		engine_frames(e, frames, count);
		engine_pass(e, j.place.number, j.place.last_ns);
		pause_between(e, &j, batch);
		if (result == CAPTURE_REFILL)
			capture_file_refill(j.file);
	}
	engine_end_flows(e, j.place.number);
	report_counters(e);
	status = judge_end(e, &j, result, sentence, sizeof sentence);
	report_progress(e, &j, REPORT_END, status, sentence);
	note_order(e, UINT64_MAX);
	capture_file_close(j.file);
	return 0;
}

/* Copies what capture counted; the ring's producer shows it beside the records. */
static void take_capture_counters(struct engine *e, const struct ring *ring)
{
	e->counters.kernel_drops = ring_counter(ring, CAPTURE_KERNEL_DROPS);
	e->counters.interface_drops = ring_counter(ring, CAPTURE_INTERFACE_DROPS);
	e->counters.ring_drops = ring_counter(ring, CAPTURE_RING_DROPS);
}

enum ring_result run_next_frame(struct ring *ring, struct frame *f)
{
	const struct frame_header *h;
	const void *record;
	size_t len;
	enum ring_result result = ring_next(ring, &record, &len);

	if (result != RING_OK)
		return result;
	h = record;
	if (len < sizeof *h || h->captured != len - sizeof *h || h->length < h->captured || h->number > FRAMES_MOST || !time_valid(h->time_ns))
		return RING_BROKEN;
	f->bytes = (const uint8_t *)(h + 1);
	f->captured = h->captured;
	f->length = h->length;
	f->time_ns = h->time_ns;
	f->number = h->number;
	f->share = h->share;
	f->linktype = h->linktype;
	f->has_vlan = h->has_vlan;
	f->vlan_tci = h->vlan_tci;
	return RING_OK;
}

/* What the prober tells can wait for the longest sleep. Of several engines, each wakes to say that it has nothing earlier to tell. */
static void wait_for_frames(struct engine *e, uint64_t number)
{
	struct pollfd wake = { .fd = e->frames.wake, .events = POLLIN };

	if (!ring_sleep(&e->frames))
		return;
	poll(&wake, 1, e->config.shares && ring_counter(&e->frames, CAPTURE_NUMBER) != number ? 0 : IDLE_MS);
	ring_woken(&e->frames);
}

/*
 * Works on the frames at hand, `*number` being that of the last one before. Where others listen too, an empty ring means that
 * what was captured up to `heard` is theirs.
 */
static enum ring_result take_frames(struct engine *e, unsigned most, uint64_t heard, uint64_t *number, unsigned *count)
{
	struct frame frames[ENGINE_BATCH];
	enum ring_result result = RING_OK;
	unsigned n = 0;

	while (n < most && (result = run_next_frame(&e->frames, &frames[n])) == RING_OK)
		n++;
	note_batch(e, n);
	engine_frames(e, frames, n);
	if (n)
		*number = frames[n - 1].number;
	if (result == RING_EMPTY && e->config.shares && heard > *number && heard <= FRAMES_MOST)
		*number = heard;
	engine_pass(e, *number, n ? frames[n - 1].time_ns : frame_clock_ns());
	note_batch(e, 0);
	*count = n;
	return result;
}

int run_ring(struct engine *e)
{
	struct ring *ring = &e->frames;
	int64_t reported_ms = 0;
	uint64_t number = 0, taken = 0;

	signal(SIGTERM, stop);
	for (;;) {
		uint64_t heard = ring_counter(ring, CAPTURE_NUMBER);
		unsigned count;
		enum ring_result result;
		int64_t now_ms;

		ring_beat(&e->teller.ring);
		result = take_frames(e, note_batch_most(e, taken), heard, &number, &count);
		taken += count;
		if (count == 0)
			pulse_sweep(e, frame_clock_ns());
		teller_flush(&e->teller);
		note_order(e, 2 * number + 1);
		/* Only now may the frames go: should this process die before, its successor reads them again. */
		ring_release(ring);
		if (e->config.probes && own_drain(e) == RING_BROKEN)
			result = RING_BROKEN;
		if (result == RING_BROKEN) {
			log_error("the frame ring holds nonsense; starting again");
			return EXIT_BROKEN_RING;
		}
		now_ms = clock_ms();
		if (now_ms - reported_ms >= REPORT_INTERVAL_MS) {
			reported_ms = now_ms;
			take_capture_counters(e, ring);
			report_counters(e);
			teller_flush(&e->teller);
			ring_count(&e->teller.ring, NOTE_WAITING, ring_waiting(ring));
		}
		if (count == 0) {
			if (stopping)
				break;
			wait_for_frames(e, number);
		}
	}
	engine_end_flows(e, number);
	take_capture_counters(e, ring);
	report_counters(e);
	teller_flush(&e->teller);
	note_order(e, UINT64_MAX);
	return 0;
}
