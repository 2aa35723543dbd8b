/*
 * The engine: packets in, findings out. It holds no socket and opens no file; bytes from strangers
 * are read here and nowhere else.
 */
#ifndef SENSOR_ENGINE_ENGINE_H
#define SENSOR_ENGINE_ENGINE_H

#include "sensor/common/config.h"
#include "sensor/common/spread.h"
#include "sensor/engine/classifier_list.h"
#include "sensor/engine/decode.h"
#include "sensor/engine/detail.h"
#include "sensor/engine/ears.h"
#include "sensor/engine/file_index.h"
#include "sensor/engine/flow.h"
#include "sensor/engine/lately.h"
#include "sensor/engine/pulse.h"
#include "sensor/engine/repeat.h"
#include "sensor/engine/stacks.h"
#include "sensor/engine/teller.h"

enum {
	ENGINE_BATCH = FRAMES_AT_HAND, /* frames decoded together, so that their flows come into the cache meanwhile */
	ENGINE_STRIDE = STRIDE_FRAMES, /* frames of the source, of all engines together, between looks for silent flows */
	LABEL_BYTES = FINDING_PROTOCOL_BYTES,
	LINE_BYTES = 64, /* of the cache, to fetch ahead by */
};

struct link_memory;

enum { HOST_SETS = 4096 / LATELY_WAYS / SHARES };

struct engine {
	struct engine_config config;
	struct engine_counters counters;
	struct decoder decoder;
	uint32_t shares; /* a bit for each that is ours */
	uint64_t passed; /* frames of the source behind us, a multiple of ENGINE_STRIDE */
	struct flow_table flows[SHARES];
	struct details details;
	struct pulses pulses;
	struct teller teller;
	struct lately_set hosts[SHARES][HOST_SETS]; /* senders that were told: most flows are of the same few */
	struct ndpi *ndpi; /* NULL when left out */
	struct ears *ears; /* likewise */
	struct stacks *stacks;
	struct classifier_list lists[TRANSPORTS];
	struct link_memory *link_memory;
	struct repeats *repeats; /* NULL: everything is read each time */
	struct repeat repeat; /* the packet that is being read */
	struct told told;
	struct packet packets[ENGINE_BATCH];
	bool flows_moved;    /* since the flows of these were foreseen first */
	struct ring frames;  /* ENGINE_RING: where they come from */
	struct ring probes;  /* config.probes: what the prober sent and got, see own.c */
	uint64_t routine;    /* messages for which a glance was enough, see glance.c */
	bool asked;          /* the frames at hand come from there */
	uint64_t probe_frames;
	struct file_index *file_index; /* ENGINE_FILE: of several engines; NULL for none */
	uint64_t file_bytes; /* ENGINE_FILE: its size, 0 when unknown */
};

/* Takes all memory there will be. 0, or -1 after log_error(). */
int engine_init(struct engine *e, const struct engine_config *config);
void engine_free(struct engine *e);

/*
 * Works on up to ENGINE_BATCH frames; their bytes must stay until it returns. Of several engines, each gets those that
 * are its own by f->share, and all get those of SHARE_UNSURE.
 */
void engine_frames(struct engine *e, const struct frame *frames, unsigned count);

/* The same for frames of the prober's ring: what they tell was asked for. They are not counted. */
void engine_probe_frames(struct engine *e, const struct frame *frames, unsigned count);

/*
 * The source has come to this frame: looks for flows that fell silent. What is told then is the same with any number of
 * engines when it is called for every multiple of ENGINE_STRIDE before a later frame is worked on.
 */
void engine_pass(struct engine *e, uint64_t number, int64_t time_ns);

/* Ends all flows, as at the end of a file whose last frame has that number, so that what was seen of them is told. */
void engine_end_flows(struct engine *e, uint64_t number);

/* Takes hold of the source, before the walls stand. 0, or -1 after log_error(). See run.c. */
int run_open(struct engine *e);

/* Runs the source to its end; the exit code of the process. */
int run_file(struct engine *e);
int run_ring(struct engine *e);
/* The next frame of a ring from another process, checked against its own length. */
enum ring_result run_next_frame(struct ring *ring, struct frame *f);

/* Within the engine: see classify.c, stream.c, link.c. */

/* Who sent a packet and who was to get it. */
struct parties {
	struct endpoint sender;
	struct endpoint receiver;
};

/*
 * own.c: true for a packet from or to where probes come from. On the SPAN port it is passed over: no
 * evidence, and no device of the plant. In the prober's ring it is what was asked for and answered.
 */
bool own_packet(const struct engine *e, const struct packet *p);
/* Reads what the prober told since the last time. RING_BROKEN when it told nonsense. */
enum ring_result own_drain(struct engine *e);

void parties_of(const struct packet *p, struct parties *who);
/* What a classifier told, as a statement about those whose packet it was. */
void statement_of(const struct told_item *item, const struct parties *who, struct statement *s);
void witness_of(const struct engine *e, const struct packet *p, const char *protocol, struct witness *w);

/*
 * An UDP datagram or TCP bytes in order, of a flow that is undecided or ours. Returns bytes taken; of TCP the rest
 * is either the start of a message (*need_more) or nobody's.
 */
size_t classify_bytes(struct engine *e, struct flow *f, const struct packet *p, const uint8_t *bytes, size_t len, bool *need_more);
/* Shows the packet to nDPI while the flow is undecided, and decides when patience ends. */
void classify_look(struct engine *e, struct flow *f, const struct packet *p);
/* Tells what the flow's two ends are, as far as each was heard, for labels of nDPI and unknown services. */
void classify_tell_unread(struct engine *e, struct flow *f, const struct packet *p);
/* Gives up everything held for the flow; an undecided one is decided with what is known. */
void classify_end(struct engine *e, struct flow *f, const struct packet *p);

/*
 * True when the packet, with payload and of a flow that is ours and has a detail, was routine, or repeated what was read
 * lately, and is done with. See glance.c.
 */
bool glance_segment(struct engine *e, const struct flow *f, const struct packet *p);
bool glance_datagram(struct engine *e, const struct flow *f, const struct packet *p);

/* A TCP segment with payload: puts it in order and passes on what is in order. */
void stream_segment(struct engine *e, struct flow *f, const struct packet *p);
/* No more will come: reads what still waits for holes to be filled. `p` stands for the flow; f->detail isn't 0. */
void stream_end(struct engine *e, struct flow *f, struct packet *p);

/* A frame whose protocol stands on Ethernet or IP itself. NULL without memory, or for more of them than there is room for. */
struct link_memory *link_memory_new(const struct classifier_list lists[TRANSPORTS]);
void link_frame(struct engine *e, const struct packet *p);

/*
 * How many of the first frames, in a row, need not be decoded: ARP whose sender said the same a moment ago. Their bytes are counted.
 * A storm is passed over without coming back for each of its frames.
 */
unsigned link_pass_repeats(struct engine *e, const struct frame *frames, unsigned count);

#endif
