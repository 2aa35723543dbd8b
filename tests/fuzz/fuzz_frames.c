/*
 * The whole engine on a sequence of frames: link layers, tunnels, fragments, streams, classifiers. And the first look at each
 * frame, which may name no other share than the decoder.
 *
 * Input: {linktype:1 len:2 bytes} after each other; the link type is an index into those decoded.
 */
#include "sensor/engine/engine.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/must.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

MUTATE_MESSAGES(0)

static struct engine engine;
static struct ring hub;
static struct decoder decoder;
static struct engine_counters counters;

static void start(void)
{
	struct engine_config config = { .version = CONFIG_VERSION, .source = ENGINE_RING, .flows = 1024, .details = 256,
					.stream_bytes = 1 << 20, .retell_ms = 1000 };
	struct ring_fds fds;

	for (int fd = 3; fd < FD_FIRST_FREE; fd++)
		dup2(STDERR_FILENO, fd);
	if (ring_create(&fds, "fuzz", 1 << 20) < 0 || ring_attach_consumer(&hub, fds.records_ro, fds.tail_rw, fds.wake) < 0 ||
	    dup2(fds.records_rw, FD_RECORDS_OUT) < 0 || dup2(fds.tail_ro, FD_TAIL_OUT) < 0 || dup2(fds.wake, FD_WAKE_OUT) < 0 ||
	    engine_init(&engine, &config) < 0 || !decoder_init(&decoder, &counters, true))
		abort();
}

static void drain(void)
{
	const void *record;
	size_t len;

	teller_flush(&engine.teller);
	while (ring_next(&hub, &record, &len) == RING_OK) {
		const struct report *r = record;

		if (r->type == REPORT_FINDING ? ((const char *)record)[len - 1] || !finding_valid(&r->finding) : len != sizeof *r || r->sent_from)
			abort();
		if (r->sent_from > SENT_FROM_BOTH || (r->sent_from & SENT_FROM_IP && !r->finding.subject.family))
			abort();
	}
	ring_release(&hub);
}

static void share_as_decoded(const struct frame *f)
{
	uint8_t share = share_of_frame(f->bytes, f->captured, f->linktype);
	struct packet p;

	must(share <= SHARE_UNSURE);
	if (share == SHARE_UNSURE)
		return;
	decode_frame(&decoder, f, &p);
	must(p.kind == PACKET_NOTHING || p.share == share);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t linktypes[] = { LINKTYPE_ETHERNET, LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_LINUX_SLL,
					      LINKTYPE_LINUX_SLL2, LINKTYPE_NULL, LINKTYPE_PPP, 999 };
	static bool started;
	static uint64_t number;
	struct cursor c = cursor_over(data, size);

	if (!started)
		start();
	started = true;
	while (cursor_left(&c) >= 4) {
		uint8_t type = cursor_u8(&c);
		uint16_t len = cursor_u16be(&c);
		struct cursor bytes = cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c));
		size_t captured = cursor_left(&bytes);
		uint8_t *exact = malloc(captured ? captured : 1);
		uint64_t n = ++number;
		struct frame f = { .bytes = exact, .captured = (uint32_t)captured, .length = (uint32_t)captured + (type >> 7),
				   .linktype = linktypes[type & 7], .number = n, .time_ns = (int64_t)n * 50000000 };

		memcpy(exact, bytes.at, captured);
		share_as_decoded(&f);
		engine_frames(&engine, &f, 1);
		engine_pass(&engine, n, f.time_ns);
		free(exact);
		drain();
	}
	engine_end_flows(&engine, number);
	drain();
	return 0;
}
