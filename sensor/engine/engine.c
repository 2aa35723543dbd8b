/* From packets to flows and on to those who read them. */
#include "sensor/engine/engine.h"

#include "sensor/common/log.h"

#include <string.h>
#include <unistd.h>

enum {
	EARS_SHARE = 4, /* flows with a detail for each whose server may be heard out at once */
	FORESEE_PACKETS = 4,
	SWEEP_ENTRIES = 4, /* flow entries looked at for silence with each batch */
	SILENT_TCP_S = 600,
	SILENT_UDP_S = 120,
};

static bool is_of_plants(const struct classifier *c)
{
	for (int i = 0; classifiers_of_plants[i]; i++)
		if (classifiers_of_plants[i] == c)
			return true;
	return false;
}

/* False when there are more than a flow's set of candidates has bits for. */
static bool list_classifiers(struct engine *e)
{
	for (int i = 0; classifiers[i]; i++)
		for (int t = 0; t < TRANSPORTS; t++) {
			struct classifier_list *list = &e->lists[t];

			if (!(classifiers[i]->transports & 1u << t))
				continue;
			if (list->count == CLASSIFIERS_MAX)
				return false;
			list->plants |= (uint64_t)is_of_plants(classifiers[i]) << list->count;
			list->of[list->count++] = classifiers[i];
		}
	return true;
}

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

int engine_init(struct engine *e, const struct engine_config *config)
{
	e->config = *config;
	if (!list_classifiers(e)) {
		log_error("more than %d classifiers of one transport are built in", CLASSIFIERS_MAX);
		return -1;
	}
	if (!decoder_init(&e->decoder, &e->counters, config->source == ENGINE_FILE) ||
	    !flow_table_init(&e->flows, config->flows, e->decoder.hash_key) ||
	    !details_init(&e->details, config->details, config->stream_bytes) ||
	    !pulses_init(&e->pulses, config->pulses, e->decoder.hash_key) || !(e->link_memory = link_memory_new(e->lists))) {
		log_error("not enough memory for %u flows; lower limits.flows", config->flows);
		return -1;
	}
	if (config->ndpi_flows) {
		e->ndpi = ndpi_open(config->ndpi_flows);
		if (!e->ndpi) {
			log_error("nDPI could not be set up");
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
	flow_table_free(&e->flows);
	details_free(&e->details);
	ears_close(e->ears);
	stacks_close(e->stacks);
	pulses_free(&e->pulses);
	if (e->ndpi)
		ndpi_close(e->ndpi);
}

static uint64_t all_of(const struct classifier_list *list)
{
	return list->count >= 64 ? ~0ull : (1ull << list->count) - 1;
}

static void tell_host(struct engine *e, const struct packet *p)
{
	struct statement host = { .kind = FINDING_HOST };
	struct parties who;
	struct witness w;

	if (e->asked)
		return; /* the prober wrote those addresses itself */
	parties_of(p, &who);
	host.subject = who.sender;
	witness_of(e, p, "", &w);
	w.transport = TRANSPORT_NONE;
	teller_tell(&e->teller, &w, &host, NULL, NULL);
}

/* A packet that stands for a flow of which none is at hand. */
static void packet_of_flow(const struct engine *e, const struct flow *f, int64_t time_ns, struct packet *p)
{
	memset(p, 0, sizeof *p);
	p->key = f->key;
	p->zone = f->key.zone;
	p->kind = f->key.protocol == 6 ? PACKET_TCP : f->key.protocol == 17 ? PACKET_UDP : PACKET_IP;
	p->frame = e->counters.frames;
	p->time_ns = time_ns;
}

static void end_flow(struct engine *e, struct flow *f, int64_t time_ns)
{
	struct packet p;

	if (f->key.protocol != 6 && f->key.protocol != 17)
		return;
	packet_of_flow(e, f, time_ns, &p);
	if (f->detail && f->key.protocol == 6)
		stream_end(e, f, &p);
	classify_end(e, f, &p);
}

/* The first packet of one end: who it is, and for flows that nobody reads, that it is there. */
static void hear(struct engine *e, struct flow *f, const struct packet *p)
{
	f->flags |= p->direction ? FLOW_HEARD_HIGH : FLOW_HEARD_LOW;
	tell_host(e, p);
	if (f->state == FLOW_LABELLED || f->state == FLOW_UNKNOWN)
		classify_tell_unread(e, f, p);
}

static void start_look(struct engine *e, struct flow *f)
{
	f->state = FLOW_UNDECIDED;
	f->detail = detail_take(&e->details, all_of(&e->lists[f->key.protocol == 6 ? TRANSPORT_TCP : TRANSPORT_UDP]));
	if (!f->detail)
		e->counters.details_refused++;
}

/* SYN and SYN+ACK show who serves. A SYN on a flow that had its say starts a new connection. */
static void see_handshake(struct engine *e, struct flow *f, const struct packet *p)
{
	bool accepts = p->tcp_flags & TCP_ACK;
	uint8_t server = (p->direction == 0) == accepts ? FLOW_SERVER_LOW : FLOW_SERVER_HIGH;

	if (!accepts && f->state != FLOW_NEW && f->packets > 1) {
		end_flow(e, f, p->time_ns);
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
		f->goodbyes |= (uint8_t)(1u << p->direction);
	if ((p->tcp_flags & TCP_RST || f->goodbyes == 3) && f->state != FLOW_NEW && f->state != FLOW_CLOSED) {
		end_flow(e, f, p->time_ns);
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

/* The packet's flow: where it was foreseen, unless the table has changed since. */
static struct flow *flow_of(struct engine *e, const struct packet *p, uint64_t foreseen)
{
	struct flow evicted, *f = foreseen < e->flows.size ? &e->flows.entries[foreseen] : NULL;

	if (f && f->packets && flow_key_same(&f->key, &p->key))
		return f;
	f = flow_find(&e->flows, p, &evicted);
	if (evicted.packets) {
		e->counters.flows_evicted += (uint32_t)(p->time_ns / 1000000000) - evicted.last_s <= SILENT_TCP_S / 2;
		end_flow(e, &evicted, p->time_ns);
	}
	return f;
}

static void ip_packet(struct engine *e, const struct packet *p, uint64_t foreseen)
{
	struct flow *f = flow_of(e, p, foreseen);

	if (f->packets++ == 0)
		e->counters.flows++;
	f->last_s = (uint32_t)(p->time_ns / 1000000000);
	if (!(f->flags & (p->direction ? FLOW_HEARD_HIGH : FLOW_HEARD_LOW)))
		hear(e, f, p);
	if (p->kind == PACKET_TCP)
		tcp_packet(e, f, p);
	else if (p->kind == PACKET_UDP)
		udp_packet(e, f, p);
	else if (p->payload_len)
		link_frame(e, p);
}

/* Flows that fell silent give their memory back, a few looked at with each batch. */
static void sweep(struct engine *e, int64_t time_ns)
{
	uint32_t now_s = (uint32_t)(time_ns / 1000000000);
	struct flow *f;
	uint64_t n = flow_table_sweep(&e->flows, &f, SWEEP_ENTRIES);

	for (; n-- > 0; f++) {
		uint32_t limit_s = f->key.protocol == 6 ? SILENT_TCP_S : SILENT_UDP_S;

		if (f->packets && (f->detail || f->state == FLOW_NEW) && now_s > f->last_s && now_s - f->last_s > limit_s) {
			end_flow(e, f, time_ns);
			f->state = FLOW_CLOSED;
		}
	}
}

/* The flow's entry has come into the cache by now; what hangs on it is fetched a few packets ahead. */
static uint64_t foresee(const struct engine *e, const struct packet *p)
{
	uint64_t place = p->kind == PACKET_ETHERNET ? FLOW_NOWHERE : flow_peek(&e->flows, p);
	uint32_t detail = place == FLOW_NOWHERE ? 0 : e->flows.entries[place].detail;

	if (detail) {
		__builtin_prefetch(pool_at(&e->details.details, detail), 1);
		__builtin_prefetch((const char *)pool_at(&e->details.details, detail) + 64, 1);
	}
	return place;
}

static void work(struct engine *e, unsigned count)
{
	uint64_t foreseen[ENGINE_BATCH];
	unsigned ahead = 0;

	for (unsigned i = 0; i < count; i++) {
		for (; ahead < count && ahead <= i + FORESEE_PACKETS; ahead++)
			foreseen[ahead] = foresee(e, &e->packets[ahead]);
		if (e->packets[i].kind == PACKET_ETHERNET)
			link_frame(e, &e->packets[i]);
		else
			ip_packet(e, &e->packets[i], foreseen[i]);
	}
}

void engine_frames(struct engine *e, const struct frame *frames, unsigned count)
{
	unsigned held = 0;

	e->counters.frames += count;
	for (unsigned i = 0; i < count; i++) {
		struct packet *p = &e->packets[held];

		e->counters.bytes += frames[i].length;
		decode_frame(&e->decoder, &frames[i], p);
		if (p->kind == PACKET_NOTHING || (!e->asked && own_packet(e, p)))
			continue;
		held++;
		if (p->kind != PACKET_ETHERNET)
			flow_prefetch(&e->flows, p->hash);
		/* The reassembler's memory is good until the next fragment only. */
		if (p->reassembled) {
			work(e, held);
			held = 0;
		}
	}
	work(e, held);
	if (count) {
		sweep(e, frames[count - 1].time_ns);
		pulse_sweep(e, frames[count - 1].time_ns);
	}
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

void engine_end_flows(struct engine *e)
{
	for (uint64_t i = 0; i < e->flows.size; i++) {
		struct flow *f = &e->flows.entries[i];

		if (f->packets)
			end_flow(e, f, (int64_t)f->last_s * 1000000000);
	}
}
