/*
 * Protocols without ports: on Ethernet itself, as ARP, LLDP, PROFINET and their kin, or on IP, as VRRP.
 *
 * They repeat themselves: the same frame comes every few seconds, an ARP storm brings it a million
 * times. A frame that was read a moment ago is counted and passed by.
 */
#include "sensor/engine/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_FRAMES = 4096,
	MEMORY_BYTES = 1600, /* longer frames are read each time */
	MEMORY_SPEAKERS = 1024,
	REPEAT_S = 60,
};

struct link_memory {
	uint64_t hash[MEMORY_FRAMES];
	uint32_t read_s[MEMORY_FRAMES];
	uint64_t speaker[MEMORY_SPEAKERS]; /* hashes of a MAC, its zone and the protocol it was told to speak */
	uint32_t told_s[MEMORY_SPEAKERS];
};

struct link_memory *link_memory_new(void)
{
	return calloc(1, sizeof(struct link_memory));
}

/* Routers that share a MAC are told apart by their addresses. */
static uint64_t flow_of(const struct packet *p)
{
	return p->kind == PACKET_IP ? p->hash : 0;
}

static bool read_lately(struct engine *e, const struct packet *p)
{
	struct link_memory *m = e->link_memory;
	const uint64_t *key = e->decoder.hash_key;
	uint64_t h = key[0] ^ (uint64_t)p->zone << 32 ^ p->payload_len, w;
	uint32_t now_s = (uint32_t)(p->time_ns / 1000000000), slot;
	struct cursor c = cursor_over(p->payload, p->payload_len);

	if (p->payload_len > MEMORY_BYTES || !p->ethernet)
		return false;
	while (cursor_left(&c) >= 8)
		h = hash_mix(h ^ cursor_u64le(&c), key[1] | 1);
	h = hash_mix(h ^ cursor_le(&c, cursor_left(&c)), key[1] | 1);
	memcpy(&w, p->ethernet + 4, 8); /* the source's MAC, with two bytes of the target's */
	h = hash_mix(h ^ w ^ flow_of(p), key[1] | 1);
	slot = h & (MEMORY_FRAMES - 1);
	if (m->hash[slot] == h && now_s - m->read_s[slot] < REPEAT_S)
		return true;
	m->hash[slot] = h;
	m->read_s[slot] = now_s;
	return false;
}

static uint64_t speaker_of(const struct engine *e, const struct packet *p, uint32_t classifier)
{
	const uint64_t *key = e->decoder.hash_key;
	uint64_t mac = 0;

	memcpy(&mac, p->ethernet + 6, 6);
	return hash_mix(hash_mix(mac ^ flow_of(p) ^ key[0], key[1] | 1) ^ ((uint64_t)classifier << 16 | p->zone), key[0] | 1);
}

static bool told_lately(const struct link_memory *m, uint64_t speaker, const struct packet *p)
{
	uint64_t slot = speaker & (MEMORY_SPEAKERS - 1);

	return m->speaker[slot] == speaker && (uint32_t)(p->time_ns / 1000000000) - m->told_s[slot] < REPEAT_S;
}

/* Cyclic protocols send a thousand frames a second: who sends them is told now and then. */
static bool speaker_told(struct engine *e, const struct packet *p, uint32_t classifier)
{
	struct link_memory *m = e->link_memory;
	uint64_t speaker;

	if (!p->ethernet)
		return false;
	speaker = speaker_of(e, p, classifier);
	if (told_lately(m, speaker, p))
		return true;
	m->speaker[speaker & (MEMORY_SPEAKERS - 1)] = speaker;
	m->told_s[speaker & (MEMORY_SPEAKERS - 1)] = (uint32_t)(p->time_ns / 1000000000);
	return false;
}

/* PROFINET's real-time frames up to FBFF, EtherCAT, GOOSE and Sampled Values come in cycles, whoever listens. */
static bool cyclic(const struct packet *p)
{
	struct cursor c = cursor_over(p->payload, p->payload_len);

	if (p->ethertype == 0x8892)
		return cursor_u16be(&c) < 0xfc00 && cursor_ok(&c);
	return p->ethertype == 0x88a4 || p->ethertype == 0x88b8 || p->ethertype == 0x88ba;
}

static bool wants(const struct classifier *c, uint16_t ethertype)
{
	for (int i = 0; i < CLASSIFIER_ETHERTYPES; i++)
		if (c->ethertypes[i] && c->ethertypes[i] == ethertype)
			return true;
	return false;
}

/* A cyclic frame that its classifier knows at a glance, of a sender that was told. It is not remembered: the next differs. */
static bool is_routine(struct engine *e, const struct packet *p)
{
	const struct classifier_list *list = &e->lists[TRANSPORT_ETHERNET];
	struct glance g = { .bytes = cursor_over(p->payload, p->payload_len), .transport = TRANSPORT_ETHERNET };

	if (p->payload_lost || !p->ethernet)
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->of[i]->glance && wants(list->of[i], p->ethertype) && list->of[i]->glance(&g, NULL))
			return told_lately(e->link_memory, speaker_of(e, p, i), p);
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
	bool in_cycles = cyclic(p);
	struct parties who;
	struct witness w;

	if (in_cycles && e->pulses.entries)
		pulse_frame(e, p, NULL);
	if (in_cycles && is_routine(e, p)) {
		e->counters.messages++;
		e->routine++;
		return;
	}
	if (read_lately(e, p))
		return;
	parties_of(p, &who);
	for (uint32_t i = 0; i < list->count; i++) {
		struct reader r;

		if (!wants(list->of[i], kind))
			continue;
		r = (struct reader){ .bytes = cursor_over(p->payload, p->payload_len), .transport = transport,
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
