/* From packets to flows and on to those who read them. */
#include "sensor/engine/engine.h"

#include "sensor/common/log.h"

#include <string.h>
#include <unistd.h>

enum {
	EARS_SHARE = 4, /* flows with a detail for each whose server may be heard out at once */
	FORESEE_PACKETS = 12,
	COMING_MOST = 192, /* bytes of a frame that are fetched: who works on a longer one seldom looks behind them */
	RUN_FRAMES = 8,     /* decoded in a row before their flows are fetched */
	SWEEP_ENTRIES = 16, /* flow entries of one share looked at for silence with each stride */
	STRIDES_MAX = 64,   /* more at once are of a source that was far ahead when we came */
	ALL_SHARES = (1 << SHARES) - 1,
	SILENT_TCP_S = 600,
	SILENT_UDP_S = 120,
};

/* The user's files are read while they still can be. False, and told, when one is of no use. */
static bool open_files(struct engine *e)
{
	const struct engine_config *c = &e->config;

	if (c->file[ENGINE_SERVICE_PROBES][0]) {
		e->ears = ears_open(FD_ENGINE_FILES + ENGINE_SERVICE_PROBES, c->file[ENGINE_SERVICE_PROBES], c->details / EARS_SHARE, !c->quiet);
		if (!e->ears)
			return false;
	}
	e->stacks = stacks_open(c->file[ENGINE_P0F][0] ? FD_ENGINE_FILES + ENGINE_P0F : -1, c->file[ENGINE_P0F],
				c->file[ENGINE_OS_DB][0] ? FD_ENGINE_FILES + ENGINE_OS_DB : -1, c->file[ENGINE_OS_DB], !c->quiet);
	if (!e->stacks)
		return false;
	for (int i = 0; i < ENGINE_FILES; i++)
		if (c->file[i][0])
			close(FD_ENGINE_FILES + i);
	return true;
}

/* A table for each share, of which those of other engines are never touched. */
static bool open_flows(struct engine *e)
{
	for (unsigned s = 0; s < SHARES; s++)
		if (!flow_table_init(&e->flows[s], e->config.flows / SHARES, e->decoder.hash_key))
			return false;
	return true;
}

int engine_init(struct engine *e, const struct engine_config *config)
{
	e->config = *config;
	if (!classifier_lists_make(e->lists)) {
		log_error("more than %d classifiers, or %d usual ports, of one transport are built in", CLASSIFIERS_MAX, PORT_HINTS / 2);
		return -1;
	}
	e->shares = config->shares ? config->shares & ALL_SHARES : ALL_SHARES;
	if (!decoder_init(&e->decoder, &e->counters, config->source == ENGINE_FILE) ||
	    !open_flows(e) ||
	    !details_init(&e->details, config->details, config->stream_bytes) ||
	    !pulses_init(&e->pulses, config->pulses, e->decoder.hash_key) || !(e->link_memory = link_memory_new(e->lists)) || !(e->repeats = repeats_new())) {
		log_error("not enough memory for %u flows; lower limits.flows", config->flows);
		return -1;
	}
	if (config->ndpi_flows) {
		e->ndpi = ndpi_open(config->ndpi_flows);
		if (!e->ndpi) {
			log_error("not enough memory for %u looks of nDPI", config->ndpi_flows);
			return -1;
		}
	}
	if (!open_files(e))
		return -1;
	if (teller_open(&e->teller, &e->counters, config->index, config->retell_ms, e->decoder.hash_key[0] ^ e->decoder.hash_key[1]) < 0) {
		log_error("the findings ring could not be mapped");
		return -1;
	}
	e->teller.own = config->own;
	return 0;
}

void engine_free(struct engine *e)
{
	decoder_free(&e->decoder);
	for (unsigned s = 0; s < SHARES; s++)
		flow_table_free(&e->flows[s]);
	details_free(&e->details);
	ears_close(e->ears);
	stacks_close(e->stacks);
	pulses_free(&e->pulses);
	file_index_close(e->file_index);
	if (e->ndpi)
		ndpi_close(e->ndpi);
}

/* All that a sender is told by. */
static uint64_t hash_sender(const struct engine *e, const struct packet *p)
{
	const uint64_t *key = e->decoder.hash_key;
	uint64_t address[2], mac = p->ethernet ? packet_source_mac(p->ethernet) : 0;

	memcpy(address, p->direction ? p->key.high : p->key.low, sizeof address);
	address[1] ^= (uint64_t)decoder_tags(&e->decoder, p->zone) << 32 ^ p->key.family;
	return hash_mix(hash_mix(address[0] ^ key[0], address[1] ^ key[1]) ^ mac, (uint64_t)p->hop_limit << 1 | (uint64_t)p->multicast << 9 | key[1] << 10 | 1);
}

static void tell_host(struct engine *e, const struct packet *p)
{
	struct statement host = { .kind = FINDING_HOST };
	uint64_t hash = hash_sender(e, p);
	struct lately_set *set = &e->hosts[p->share][hash & (HOST_SETS - 1)];
	struct parties who;
	struct witness w;

	if (e->asked)
		return; /* the prober wrote those addresses itself */
	if (lately_met(set, hash, (uint32_t)(p->time_ns / 1000000000), e->teller.retell_s))
		return;
	parties_of(p, &who);
	host.subject = who.sender;
	witness_of(e, p, "", &w);
	w.transport = TRANSPORT_NONE;
	(void)lately_meet(set, hash, teller_tell(&e->teller, &w, &host, NULL, NULL), 0, NULL);
}

/* A packet that stands for a flow of which none is at hand. */
static void packet_of_flow(const struct engine *e, const struct flow *f, int64_t time_ns, uint64_t frame, struct packet *p)
{
	memset(p, 0, sizeof *p);
	p->key = f->key;
	p->zone = f->key.zone;
	p->kind = f->key.protocol == 6 ? PACKET_TCP : f->key.protocol == 17 ? PACKET_UDP : PACKET_IP;
	p->share = e->details.share;
	p->frame = frame;
	p->time_ns = time_ns;
}

static void end_flow(struct engine *e, struct flow *f, int64_t time_ns, uint64_t frame)
{
	struct packet p;

	if (f->key.protocol != 6 && f->key.protocol != 17)
		return;
	packet_of_flow(e, f, time_ns, frame, &p);
	if (f->detail && f->key.protocol == 6)
		stream_end(e, f, &p);
	classify_end(e, f, &p);
}

/* A flow may last for weeks: whoever goes on in a new window is told again, and after some of them what it does here. */
static void begin_window(struct engine *e, struct flow *f, uint32_t began)
{
	const struct classifier *c;

	f->present = 0;
	if (!(began >> FACT_WINDOW_BITS) || (f->state != FLOW_OURS && !(f->flags & FLOW_TOLD_LOW)))
		return;
	f->flags &= (uint8_t)~(FLOW_TOLD_LOW | FLOW_TOLD_HIGH);
	if (f->state != FLOW_OURS || !f->detail)
		return;
	c = e->lists[f->key.protocol == 6 ? TRANSPORT_TCP : TRANSPORT_UDP].of[f->protocol];
	if (c->forget)
		c->forget(detail_at(&e->details, f->detail)->memo);
}

/* The first packet of one end in a window: who it is, and for flows that nobody reads, that it is there. */
static void hear(struct engine *e, struct flow *f, const struct packet *p)
{
	bool first = !(f->flags & FLOW_HEARD_LOW << p->direction);

	f->present = (f->present | 1u << p->direction) & 3u;
	f->flags |= (uint8_t)(FLOW_HEARD_LOW << p->direction);
	tell_host(e, p);
	/* Told again, it says that both are there: so both must have been heard again. */
	if ((first || f->present == 3) && (f->state == FLOW_LABELLED || f->state == FLOW_UNKNOWN))
		classify_tell_unread(e, f, p);
}

static void start_look(struct engine *e, struct flow *f)
{
	f->state = FLOW_UNDECIDED;
	f->detail = detail_take(&e->details, classifier_list_all(&e->lists[f->key.protocol == 6 ? TRANSPORT_TCP : TRANSPORT_UDP]));
	if (!f->detail)
		e->counters.details_refused++;
}

/* SYN and SYN+ACK show who serves. A SYN on a flow that had its say starts a new connection. */
static void see_handshake(struct engine *e, struct flow *f, const struct packet *p)
{
	bool accepts = p->tcp_flags & TCP_ACK;
	uint8_t server = (p->direction == 0) == accepts ? FLOW_SERVER_LOW : FLOW_SERVER_HIGH;

	if (!accepts && f->state != FLOW_NEW && f->packets > 1) {
		end_flow(e, f, p->time_ns, p->frame);
		f->state = FLOW_NEW;
		f->looks = 0;
		f->goodbyes = 0;
		f->flags &= FLOW_HEARD_LOW | FLOW_HEARD_HIGH;
		f->start[!p->direction] = 0;
	}
	f->start[p->direction] = (uint16_t)(((p->sequence + 1) & FLOW_START_MASK) | FLOW_START_SEEN);
	f->flags = (uint8_t)((f->flags & ~(FLOW_SERVER_LOW | FLOW_SERVER_HIGH)) | server | FLOW_FROM_START);
	if (accepts)
		f->flags |= FLOW_ANSWERED;
}

static void tcp_packet(struct engine *e, struct flow *f, const struct packet *p)
{
	if (p->tcp_flags & TCP_SYN) {
		see_handshake(e, f, p);
		stacks_see(e, p);
		if (!(p->tcp_flags & TCP_ACK))
			pulse_connects(e, f, p);
	} else if (e->pulses.entries && f->state == FLOW_OURS && f->detail) {
		pulse_packet(e, f, p);
	}
	if (p->tcp_flags & TCP_RST)
		pulse_resets(e, f, p);
	if (p->payload_len && f->state <= FLOW_OURS && !(f->state == FLOW_OURS && f->detail && glance_segment(e, f, p))) {
		bool was_undecided = f->state != FLOW_OURS;

		if (f->state == FLOW_NEW)
			start_look(e, f);
		if (f->detail)
			stream_segment(e, f, p);
		if (was_undecided && f->state == FLOW_UNDECIDED)
			classify_look(e, f, p);
	}
	if (p->tcp_flags & TCP_FIN)
		f->goodbyes = (f->goodbyes | 1u << p->direction) & 3u;
	if ((p->tcp_flags & TCP_RST || f->goodbyes == 3) && f->state != FLOW_NEW && f->state != FLOW_CLOSED) {
		end_flow(e, f, p->time_ns, p->frame);
		f->state = FLOW_CLOSED;
	}
}

static void udp_packet(struct engine *e, struct flow *f, const struct packet *p)
{
	bool need_more;

	if (f->state > FLOW_OURS || p->payload_len == 0)
		return;
	if (f->state == FLOW_NEW)
		start_look(e, f);
	if (f->state == FLOW_OURS && f->detail) {
		if (e->pulses.entries)
			pulse_packet(e, f, p);
		if (glance_datagram(e, f, p))
			return;
	}
	if (f->detail)
		classify_bytes(e, f, p, p->payload, p->payload_len, &need_more);
	if (e->ears && f->detail)
		ears_datagram(e, f, p);
	if (f->state == FLOW_UNDECIDED)
		classify_look(e, f, p);
}

/* The packet's flow: where it was foreseen, unless it is new, stands far from its place, or flows have moved since. */
static inline struct flow *flow_of(struct engine *e, const struct packet *p, struct flow *foreseen)
{
	struct flow_table *t = &e->flows[p->share];
	struct flow evicted, *f;
	uint64_t changes;

	if (foreseen && !e->flows_moved)
		return foreseen;
	changes = t->changes;
	f = flow_find(t, p, &evicted);
	e->flows_moved |= t->changes != changes;
	if (evicted.packets) {
		e->counters.flows_evicted += (uint32_t)(p->time_ns / 1000000000) - evicted.last_s <= SILENT_TCP_S / 2;
		end_flow(e, &evicted, p->time_ns, p->frame);
	}
	return f;
}

static void ip_packet(struct engine *e, const struct packet *p, struct flow *foreseen)
{
	struct flow *f = flow_of(e, p, foreseen);
	uint32_t now_s = (uint32_t)(p->time_ns / 1000000000);
	uint32_t began = teller_window(p->hash, f->last_s, now_s);

	if (f->packets++ == 0)
		e->counters.flows++;
	f->last_s = now_s;
	if (began)
		begin_window(e, f, began);
	if (!(f->present >> p->direction & 1))
		hear(e, f, p);
	if (p->kind == PACKET_TCP)
		tcp_packet(e, f, p);
	else if (p->kind == PACKET_UDP)
		udp_packet(e, f, p);
	else if (p->payload_len)
		link_frame(e, p);
}

/* Whose memory is used from here on, and where in the order of the frames it is told. */
static inline void turn_to(struct engine *e, uint8_t share, uint64_t moment)
{
	e->details.share = share;
	e->teller.order = report_order(moment, share);
}

/* Flows that fell silent give their memory back, a few looked at with each stride. */
static void sweep(struct engine *e, uint64_t frame, int64_t time_ns)
{
	uint8_t share = (uint8_t)(frame / ENGINE_STRIDE % SHARES);
	uint32_t now_s = (uint32_t)(time_ns / 1000000000);
	struct flow *f;
	/* What the prober asks comes to one engine, whatever its share. */
	uint64_t n = e->shares >> share & 1 || e->config.probes ? flow_table_sweep(&e->flows[share], &f, SWEEP_ENTRIES) : 0;

	turn_to(e, share, 2 * frame + 1);
	for (; n-- > 0; f++) {
		uint32_t limit_s = f->key.protocol == 6 ? SILENT_TCP_S : SILENT_UDP_S;

		/* One branch: which entries are free nobody can foresee, and silent ones are rare. */
		if ((f->packets != 0) & (now_s > f->last_s) & (now_s - f->last_s > limit_s) && (f->detail || f->state == FLOW_NEW)) {
			end_flow(e, f, time_ns, frame);
			f->state = FLOW_CLOSED;
		}
	}
}

void engine_pass(struct engine *e, uint64_t number, int64_t time_ns)
{
	if (number > e->passed + STRIDES_MAX * ENGINE_STRIDE)
		e->passed = number / ENGINE_STRIDE * ENGINE_STRIDE - STRIDES_MAX * ENGINE_STRIDE;
	while (e->passed + ENGINE_STRIDE <= number) {
		e->passed += ENGINE_STRIDE;
		sweep(e, e->passed, time_ns);
	}
}

/* The flow's entry has come into the cache by now; what hangs on it is fetched a few packets ahead. */
static inline struct flow *foresee(const struct engine *e, const struct packet *p)
{
	struct flow *f = p->kind != PACKET_ETHERNET ? flow_peek(&e->flows[p->share], p) : NULL;

	if (f && f->detail) {
		const char *detail = pool_at(&e->details.details, f->detail);

		__builtin_prefetch(detail, 1);
		__builtin_prefetch(detail + LINE_BYTES, 1);
	}
	return f;
}

/*
 * Behind a batch, in a file as in a ring, lies the next one. It is fetched bit by bit while this one is worked on: all at once
 * would have to wait for the memory.
 */
struct coming {
	uintptr_t at;
	size_t step; /* for each packet of this batch */
};

static struct coming coming_behind(const struct frame *frames, unsigned count)
{
	uintptr_t from = (uintptr_t)frames[0].bytes, to = (uintptr_t)frames[count - 1].bytes + frames[count - 1].captured;

	return (struct coming){ .at = to, .step = to > from ? (to - from) / count : 0 };
}

static inline void fetch_coming(struct coming *c)
{
	for (size_t at = 0; at < c->step && at < COMING_MOST; at += LINE_BYTES)
		__builtin_prefetch((const void *)(c->at + at));
	c->at += c->step;
}

static void work(struct engine *e, unsigned count, struct coming *coming)
{
	struct flow *foreseen[ENGINE_BATCH];
	unsigned ahead = 0;

	e->flows_moved = false;
	for (; ahead < count && ahead < FORESEE_PACKETS; ahead++)
		foreseen[ahead] = foresee(e, &e->packets[ahead]);
	for (unsigned i = 0; i < count; i++) {
		const struct packet *p = &e->packets[i];

		if (ahead < count) {
			foreseen[ahead] = foresee(e, &e->packets[ahead]);
			ahead++;
		}
		fetch_coming(coming);
		turn_to(e, p->share, 2 * p->frame);
		if (p->kind == PACKET_ETHERNET)
			link_frame(e, p);
		else
			ip_packet(e, p, foreseen[i]);
	}
}

/* Every engine decodes a frame of which it was not sure whose it is; one counts it. False when that is another. */
static bool decode_unsure(struct engine *e, const struct frame *f, struct packet *p)
{
	struct engine_counters before = e->counters;

	decode_frame(&e->decoder, f, p);
	if (e->shares >> p->share & 1)
		return true;
	e->counters = before;
	e->counters.frames--;
	e->counters.bytes -= f->length;
	return false;
}

/* How frames are taken, and how many of their packets wait in e->packets for work(). */
struct taking {
	struct plain_limits limits;
	bool to_pass_over; /* what the sensor itself does to the plant */
	unsigned held;
	struct coming coming;
};

/* A packet that is to be worked on: its flow is on its way into the cache. False for what is passed over. */
static inline bool is_held(struct engine *e, const struct taking *t, const struct packet *p)
{
	if (p->kind == PACKET_NOTHING || (t->to_pass_over && own_packet(e, p)))
		return false;
	/* Of one on Ethernet too, whose hash is an older packet's: to tell them apart here costs more. */
	flow_prefetch(&e->flows[p->share], p->hash);
	return true;
}

/* The packets of a run of plain frames stand behind those that are held. */
static void hold_run(struct engine *e, struct taking *t, const struct frame *frames, unsigned count)
{
	struct packet *packets = &e->packets[t->held];
	unsigned held = 0;

	for (unsigned i = 0; i < count; i++) {
		e->counters.bytes += frames[i].length;
		if (!is_held(e, t, &packets[i]))
			continue;
		if (held != i)
			packets[held] = packets[i];
		held++;
	}
	t->held += held;
}

/* Nearly all frames are plain. A few at a time: the cache can wait for so many flows, and the next would be held up. Returns how many it took. */
static unsigned take_plain(struct engine *e, struct taking *t, const struct frame *frames, unsigned count)
{
	unsigned taken = 0, wanted, n;

	do {
		wanted = count - taken < RUN_FRAMES ? count - taken : RUN_FRAMES;
		n = decode_plain_run(&e->decoder, &frames[taken], wanted, &t->limits, &e->packets[t->held]);
		hold_run(e, t, &frames[taken], n);
		taken += n;
	} while (n == RUN_FRAMES);
	return taken;
}

/* Any frame. */
static void take_one(struct engine *e, struct taking *t, const struct frame *f)
{
	struct packet *p = &e->packets[t->held];

	e->counters.bytes += f->length;
	if (!t->limits.sure || f->share != SHARE_UNSURE)
		decode_frame(&e->decoder, f, p);
	else if (!decode_unsure(e, f, p))
		return;
	if (!is_held(e, t, p))
		return;
	t->held++;
	/* The reassembler's memory is good until the next fragment only. */
	if (p->reassembled) {
		work(e, t->held, &t->coming);
		t->held = 0;
	}
}

void engine_frames(struct engine *e, const struct frame *frames, unsigned count)
{
	bool all = e->shares == ALL_SHARES || e->asked, to_pass_over = !e->asked && e->config.own.family;
	/* Where there is a prober, ARP may be the sensor's own: each frame is looked at. */
	struct taking t = { .limits = { .sure = !all, .no_arp = !to_pass_over }, .to_pass_over = to_pass_over };

	if (!count)
		return;
	t.coming = coming_behind(frames, count);
	e->counters.frames += count;
	for (unsigned at = 0; at < count; at++) {
		at += take_plain(e, &t, &frames[at], count - at);
		if (at < count && t.limits.no_arp && frame_is_arp(&frames[at]))
			at += link_pass_repeats(e, &frames[at], count - at);
		/* Here stands what ended the run, or what came behind the repeats. */
		if (at < count)
			take_one(e, &t, &frames[at]);
	}
	work(e, t.held, &t.coming);
	pulse_sweep(e, frames[count - 1].time_ns);
}

void engine_probe_frames(struct engine *e, const struct frame *frames, unsigned count)
{
	uint64_t heard = e->counters.frames, bytes = e->counters.bytes;

	e->asked = true;
	engine_frames(e, frames, count);
	e->asked = false;
	e->counters.frames = heard;
	e->counters.bytes = bytes;
}

void engine_end_flows(struct engine *e, uint64_t number)
{
	for (uint8_t s = 0; s < SHARES; s++) {
		turn_to(e, s, 2 * (number + 1));
		for (uint64_t i = 0; i < e->flows[s].size; i++) {
			struct flow *f = &e->flows[s].entries[i];

			if (f->packets)
				end_flow(e, f, (int64_t)f->last_s * 1000000000, number);
		}
	}
}
