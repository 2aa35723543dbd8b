/*
 * Protocols without ports: on Ethernet itself, as ARP, LLDP, PROFINET and their kin, or on IP, as VRRP.
 *
 * They repeat themselves: the same frame comes every few seconds, an ARP storm brings it a million
 * times. A frame that was read a moment ago is counted and passed by.
 */
#include "sensor/engine/engine.h"
#include "sensor/engine/lately.h"

#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_FRAMES = 8192 / LATELY_WAYS / SHARES,
	EARLY_FRAMES = 16384 / LATELY_WAYS / SHARES, /* a storm's senders must not push each other out */
	EARLY_AHEAD = 16,
	MEMORY_BYTES = 1600, /* longer frames are read each time */
	MEMORY_SPEAKERS = 4096 / LATELY_WAYS / SHARES,
	REPEAT_S = 120,
	MAC_BYTES = 6,
	ETHERNET_BYTES = 2 * MAC_BYTES + 2,
	KINDS = 128, /* of ethertypes and IP protocols that somebody reads; twice as many as there are */
};

/* Who reads an ethertype, or a protocol of IP. */
struct kind {
	uint32_t key;
	uint64_t readers; /* a bit each in the transport's list of classifiers; 0: the place is free */
	size_t (*telling)(const struct cursor *frame); /* of the first of them that has one, or NULL */
};

struct link_memory {
	struct kind kinds[KINDS];
	size_t (*arp_telling)(const struct cursor *frame);
	struct lately_set frames[SHARES][MEMORY_FRAMES];
	struct lately_set early[SHARES][EARLY_FRAMES]; /* asked before frames are decoded, a batch ahead: what decides is the order in each alone */
	struct lately_set speakers[SHARES][MEMORY_SPEAKERS]; /* a MAC, its zone and the protocol it was told to speak */
};

static uint32_t kind_key(uint8_t transport, uint16_t number)
{
	return (uint32_t)transport << 16 | number;
}

/* The kind's place, or the free one where it would stand. */
static struct kind *kind_at(struct link_memory *m, uint32_t key)
{
	uint32_t at = key * 0x9e3779b1u >> 25;

	while (m->kinds[at % KINDS].readers && m->kinds[at % KINDS].key != key)
		at++;
	return &m->kinds[at % KINDS];
}

/* False when there are more kinds, or classifiers of a transport, than the table is made for. */
static bool add_readers(struct link_memory *m, uint8_t transport, const struct classifier_list *list)
{
	unsigned used = 0;

	if (list->count > 64)
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		for (int t = 0; t < CLASSIFIER_ETHERTYPES && list->of[i]->ethertypes[t]; t++) {
			uint32_t key = kind_key(transport, list->of[i]->ethertypes[t]);
			struct kind *k = kind_at(m, key);

			k->key = key;
			k->readers |= 1ull << i;
			if (!k->telling)
				k->telling = list->of[i]->telling;
		}
	for (int i = 0; i < KINDS; i++)
		used += m->kinds[i].readers != 0;
	return used <= KINDS / 2;
}

struct link_memory *link_memory_new(const struct classifier_list lists[TRANSPORTS])
{
	struct link_memory *m = aligned_alloc(_Alignof(struct link_memory), sizeof *m);

	if (!m)
		return NULL;
	memset(m, 0, sizeof *m);
	if (add_readers(m, TRANSPORT_ETHERNET, &lists[TRANSPORT_ETHERNET]) && add_readers(m, TRANSPORT_IP, &lists[TRANSPORT_IP])) {
		m->arp_telling = kind_at(m, kind_key(TRANSPORT_ETHERNET, ETHERTYPE_ARP))->telling;
		return m;
	}
	free(m);
	return NULL;
}

static uint32_t second_of(int64_t time_ns)
{
	return (uint32_t)(time_ns / 1000000000);
}

/* Routers that share a MAC are told apart by their addresses. */
static uint64_t flow_of(const struct packet *p)
{
	return p->kind == PACKET_IP ? p->hash : 0;
}

/* How much of the frame must be as before for it to tell nothing new. */
static size_t telling_of(const struct kind *k, const struct packet *p)
{
	struct cursor c = cursor_over(p->payload, p->payload_len);
	size_t telling = k->telling ? k->telling(&c) : 0;

	return telling ? telling : p->payload_len;
}

/* A frame that may come again, and what decides what it tells: of its bytes the sender's part alone where its classifier says so. */
struct repeatable {
	struct cursor telling;
	uint64_t macs; /* its sender's, and where all of it counts, whom it is for */
	uint64_t flow;
	uint32_t tags;
	uint8_t share;
};

static uint64_t hash_repeatable(const struct engine *e, const struct repeatable *r)
{
	const uint64_t *key = e->decoder.hash_key;
	uint64_t h = lately_hash(key[0] ^ (uint64_t)r->tags << 32 ^ cursor_left(&r->telling), &r->telling, key[1]);

	return hash_mix(h ^ r->flow ^ r->macs, key[1] | 1);
}

static bool read_lately(const struct engine *e, const struct packet *p, size_t telling)
{
	struct repeatable r = {
		.telling = cursor_over(p->payload, telling), .flow = flow_of(p), .tags = decoder_tags(&e->decoder, p->zone), .share = p->share,
	};
	uint64_t hash;

	if (telling > MEMORY_BYTES || !p->ethernet)
		return false;
	r.macs = telling < p->payload_len ? packet_source_mac(p->ethernet) : packet_macs(p->ethernet);
	hash = hash_repeatable(e, &r);
	return lately_meet(&e->link_memory->frames[r.share][hash & (MEMORY_FRAMES - 1)], hash, second_of(p->time_ns), REPEAT_S, NULL);
}

/* Where what an ARP frame says of its sender is remembered. */
struct remembered {
	struct lately_set *set; /* NULL: it is no such frame */
	uint64_t hash;
};

static inline struct remembered early_of(struct link_memory *m, const uint64_t key[2], const struct frame *f)
{
	struct cursor c = cursor_over(f->bytes, f->captured), said = cursor_take(&c, ETHERNET_BYTES);
	struct remembered at = { NULL, 0 };
	size_t telling;

	if (!cursor_ok(&said)) /* nobody after this needs to look again whether they are there */
		return at;
	telling = m->arp_telling(&c);
	if (!telling)
		return at;
	cursor_skip(&said, MAC_BYTES);
	/* From the sender's MAC on: the ethertype that comes between is the same in all. */
	said.end = c.at + telling;
	at.hash = lately_hash(key[0], &said, key[1]);
	at.set = &m->early[share_of_mac(said.at)][at.hash & (EARLY_FRAMES - 1)];
	return at;
}

unsigned link_pass_repeats(struct engine *e, const struct frame *frames, unsigned count)
{
	unsigned passed = 0, ready;

	/* A storm streams through the caches: where its frames are remembered is fetched before the first of them is looked up. */
	do {
		struct remembered at[EARLY_AHEAD];

		for (ready = 0; ready < EARLY_AHEAD && passed + ready < count && frame_is_arp(&frames[passed + ready]); ready++) {
			at[ready] = early_of(e->link_memory, e->decoder.hash_key, &frames[passed + ready]);
			if (!at[ready].set)
				break;
			__builtin_prefetch(at[ready].set, 1);
		}
		for (unsigned i = 0; i < ready; i++, passed++) {
			if (!lately_meet(at[i].set, at[i].hash, second_of(frames[passed].time_ns), REPEAT_S, NULL))
				return passed;
			e->counters.bytes += frames[passed].length;
		}
	} while (ready == EARLY_AHEAD);
	return passed;
}

static uint64_t speaker_of(const struct engine *e, const struct packet *p, uint32_t classifier)
{
	const uint64_t *key = e->decoder.hash_key;

	return hash_mix(hash_mix(packet_source_mac(p->ethernet) ^ flow_of(p) ^ key[0], key[1] | 1) ^ ((uint64_t)classifier << 32 | decoder_tags(&e->decoder, p->zone)), key[0] | 1);
}

static struct lately_set *speaker_set(const struct engine *e, const struct packet *p, uint64_t speaker)
{
	return &e->link_memory->speakers[p->share][speaker & (MEMORY_SPEAKERS - 1)];
}

static bool knows_speaker(const struct engine *e, const struct packet *p, uint32_t classifier)
{
	uint64_t speaker = speaker_of(e, p, classifier);

	return lately_met(speaker_set(e, p, speaker), speaker, second_of(p->time_ns), REPEAT_S);
}

/* Cyclic protocols send a thousand frames a second: who sends them is told now and then. */
static bool speaker_told(struct engine *e, const struct packet *p, uint32_t classifier)
{
	uint64_t speaker;

	if (!p->ethernet)
		return false;
	speaker = speaker_of(e, p, classifier);
	return lately_meet(speaker_set(e, p, speaker), speaker, second_of(p->time_ns), REPEAT_S, NULL);
}

/* PROFINET's real-time frames up to FBFF, EtherCAT, GOOSE and Sampled Values come in cycles, whoever listens. */
static bool cyclic(const struct packet *p)
{
	struct cursor c = cursor_over(p->payload, p->payload_len);

	if (p->ethertype == 0x8892)
		return cursor_u16be(&c) < 0xfc00 && cursor_ok(&c);
	return p->ethertype == 0x88a4 || p->ethertype == 0x88b8 || p->ethertype == 0x88ba;
}

/* A cyclic frame that its classifier knows at a glance, of a sender that was told. It is not remembered: the next differs. */
static bool is_routine(struct engine *e, const struct packet *p, uint64_t readers)
{
	const struct classifier_list *list = &e->lists[TRANSPORT_ETHERNET];
	struct glance g = { .bytes = cursor_over(p->payload, p->payload_len), .transport = TRANSPORT_ETHERNET };

	if (p->payload_lost || !p->ethernet)
		return false;
	for (; readers; readers &= readers - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(readers);

		if (list->of[i]->glance && list->of[i]->glance(&g, NULL))
			return knows_speaker(e, p, i);
	}
	return false;
}

static void tell_sender(struct engine *e, const struct parties *who, const struct witness *w)
{
	struct statement host = { .kind = FINDING_HOST, .subject = who->sender };

	teller_tell(&e->teller, w, &host, NULL, NULL);
}

static void tell_speaker(struct engine *e, const struct packet *p, const struct parties *who, const struct classifier *c, uint8_t role)
{
	struct statement f = { .kind = FINDING_SERVICE, .evidence = EVIDENCE_STRUCTURE, .confidence = 95, .subject = who->sender };
	struct witness w;

	witness_of(e, p, c->name, &w);
	tell_sender(e, who, &w);
	f.role = role;
	if (role == ROLE_CLIENT)
		f.kind = FINDING_SPEAKS;
	teller_tell(&e->teller, &w, &f, NULL, NULL);
}

static void tell_read(struct engine *e, const struct packet *p, const struct parties *who, const struct classifier *c)
{
	struct witness w;

	witness_of(e, p, c->name, &w);
	for (unsigned i = 0; i < e->told.count; i++) {
		const struct told_item *item = &e->told.items[i];
		struct statement f;

		statement_of(item, who, &f);
		teller_tell(&e->teller, &w, &f, e->told.text + item->path, e->told.text + item->value);
	}
	e->counters.findings_lost += e->told.lost;
}

void link_frame(struct engine *e, const struct packet *p)
{
	bool on_ip = p->kind == PACKET_IP;
	uint8_t transport = on_ip ? TRANSPORT_IP : TRANSPORT_ETHERNET;
	const struct classifier_list *list = &e->lists[transport];
	uint16_t kind = on_ip ? p->key.protocol : p->ethertype;
	const struct kind *k = kind_at(e->link_memory, kind_key(transport, kind));
	uint64_t readers = k->readers;
	bool in_cycles = cyclic(p);
	struct parties who;
	struct witness w;

	if (in_cycles && e->pulses.entries)
		pulse_frame(e, p, NULL);
	if (in_cycles && is_routine(e, p, readers)) {
		e->counters.messages++;
		e->routine++;
		return;
	}
	if (read_lately(e, p, telling_of(k, p)))
		return;
	parties_of(p, &who);
	for (; readers; readers &= readers - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(readers);
		struct reader r = { .bytes = cursor_over(p->payload, p->payload_len), .transport = transport,
				    .truncated = p->payload_lost > 0, .multicast = p->multicast, .ethertype = kind,
				    .sender = &who.sender, .receiver = &who.receiver, .time_ns = p->time_ns, .told = &e->told };

		e->told.count = e->told.used = 0;
		e->told.lost = 0;
		if (list->of[i]->read(&r) != MINE)
			continue;
		e->counters.messages++;
		if (in_cycles && e->pulses.entries)
			pulse_frame(e, p, list->of[i]->name);
		if (!speaker_told(e, p, i))
			tell_speaker(e, p, &who, list->of[i], r.sender_role);
		if (e->told.count || e->told.lost)
			tell_read(e, p, &who, list->of[i]);
		return;
	}
	if (on_ip) /* who sent it was told with its flow */
		return;
	e->counters.undecoded++;
	witness_of(e, p, "", &w);
	if (p->ethernet && !speaker_told(e, p, list->count))
		tell_sender(e, &who, &w);
}
