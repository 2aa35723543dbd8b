/* Nodes and assets: finding them, making them, and moving nodes between assets. */
#include "sensor/hub/picture.h"

#include "sensor/hub/address.h"
#include "sensor/hub/gaps.h"
#include "sensor/hub/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024, ROW_FIRST = 4, TEXT_BYTES_PER_ASSET = 8192 };

/* What a node is found by; no padding, because it is hashed as bytes. */
struct node_key {
	uint16_t vlan[2];
	uint32_t family;
	uint8_t address[16];
};

struct demand {
	struct node_key server;
	uint16_t port;
	uint8_t transport, used;
	uint32_t clients;
};

void picture_start(struct picture *p, const char *sensor, const char *zone, uint32_t max_assets)
{
	memset(p, 0, sizeof *p);
	p->sensor = sensor;
	p->zone = zone;
	p->max_assets = max_assets;
	p->texts.max_bytes = (uint64_t)max_assets * TEXT_BYTES_PER_ASSET;
	p->nothing = texts_keep(&p->texts, "");
	if (!p->nothing)
		abort();
}

static void free_node(struct node *n)
{
	free(n->links);
	free(n->bound);
	free(n->attributes.items);
	free(n->services.items);
	free(n->speaks.items);
	free(n->subassets.items);
	free(n->talks.items);
	free(n->talk_index);
	free(n->facts.items);
	free(n);
}

static void free_asset(struct asset *a)
{
	gaps_free(a->gaps);
	free(a);
}

void picture_end(struct picture *p)
{
	picture_settled(p);
	for (size_t i = 0; i < p->id_room; i++)
		if (p->ids[i])
			free_asset(p->ids[i]);
	for (uint32_t i = 0; i < p->node_count; i++)
		free_node(p->nodes[i]);
	free(p->slots);
	free(p->nodes);
	free(p->ids);
	free(p->demand);
	free(p->changes);
	free(p->changed_nodes);
	free(p->touched_nodes);
	free(p->changed_assets);
	free(p->gone);
	free(p->ties);
	texts_free(&p->texts);
}

bool array_room(void *items, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void **at = items, *grown;

	if (count < *room)
		return true;
	grown = realloc(*at, more * size);
	if (!grown)
		return false;
	*at = grown;
	*room = more;
	return true;
}

void *row_add(struct row *r, size_t size, uint16_t limit)
{
	void *item;

	if (r->count >= limit)
		return NULL;
	if (r->count == r->room) {
		uint16_t more = r->room ? (uint16_t)(r->room * 2) : ROW_FIRST;
		void *grown = realloc(r->items, more * size);

		if (!grown)
			return NULL;
		r->items = grown;
		r->room = more;
	}
	item = (uint8_t *)r->items + size * r->count++;
	return memset(item, 0, size);
}

/* Nodes */

static struct node_key key_of(const uint16_t vlan[2], uint8_t family, const uint8_t *address)
{
	struct node_key key = { { vlan[0], vlan[1] }, family, { 0 } };

	memcpy(key.address, address, address_bytes(family));
	return key;
}

static bool is_at(const struct node *n, const struct node_key *key)
{
	return n->family == key->family && n->vlan[0] == key->vlan[0] && n->vlan[1] == key->vlan[1] &&
	       memcmp(n->address, key->address, sizeof n->address) == 0;
}

static uint32_t hash_of(const struct node_key *key)
{
	return (uint32_t)hash_bytes(key, sizeof *key);
}

/* Where the node stands, or the free place that it would get. Nodes with other hashes are not looked at. */
static struct node_slot *find_slot(const struct picture *p, const struct node_key *key, uint32_t hash)
{
	size_t at = hash & (p->slot_room - 1);

	for (const struct node_slot *s; (s = &p->slots[at])->number; at = (at + 1) & (p->slot_room - 1))
		if (s->hash == hash && is_at(p->nodes[s->number - 1], key))
			break;
	return &p->slots[at];
}

/* A number that few addresses share. Who chooses some that do gains nothing but the search in the table. */
static uint64_t mark_of(const struct node_key *key)
{
	uint64_t half[2];

	memcpy(half, key->address, sizeof half);
	return (half[0] ^ half[1] ^ key->family) * 0x9e3779b97f4a7c15 | 1;
}

static struct recent_node *recent_place(struct picture *p, uint64_t mark)
{
	return &p->recent[mark >> 40 & (PICTURE_RECENT - 1)];
}

struct node *picture_find(const struct picture *p, const uint16_t vlan[2], uint8_t family, const uint8_t *address)
{
	struct node_key key = key_of(vlan, family, address);

	const struct node_slot *s = p->slot_room ? find_slot(p, &key, hash_of(&key)) : NULL;

	return s && s->number ? p->nodes[s->number - 1] : NULL;
}

static bool grow_slots(struct picture *p)
{
	size_t room = p->slot_room ? p->slot_room * 2 : FIRST_SLOTS;
	struct node_slot *slots = calloc(room, sizeof *slots);

	if (!slots)
		return false;
	for (size_t i = 0; i < p->slot_room; i++) {
		size_t at = p->slots[i].hash & (room - 1);

		while (p->slots[i].number && slots[at].number)
			at = (at + 1) & (room - 1);
		if (p->slots[i].number)
			slots[at] = p->slots[i];
	}
	free(p->slots);
	p->slots = slots;
	p->slot_room = room;
	return true;
}

struct node *picture_node(struct picture *p, const uint16_t vlan[2], uint8_t family, const uint8_t *address,
			  int64_t now, uint64_t frame)
{
	struct node_key key = key_of(vlan, family, address);
	uint64_t mark = mark_of(&key);
	struct recent_node *recent = recent_place(p, mark);
	size_t room = p->node_room;
	struct node_slot *slot;
	struct node *n;
	uint32_t hash;

	if (recent->mark == mark && is_at(recent->node, &key))
		return recent->node;
	if (p->node_count * 2 >= p->slot_room && !grow_slots(p))
		return NULL;
	hash = hash_of(&key);
	slot = find_slot(p, &key, hash);
	if (slot->number) {
		*recent = (struct recent_node){ mark, p->nodes[slot->number - 1] };
		return recent->node;
	}
	/* A MAC and an IP address for each asset, and some more for those with several. */
	if (p->assets >= p->max_assets || p->node_count >= 3 * (uint64_t)p->max_assets ||
	    !array_room(&p->nodes, &room, p->node_count, sizeof *p->nodes) || !(n = calloc(1, sizeof *n))) {
		p->counters.assets_refused++;
		return NULL;
	}
	p->node_room = (uint32_t)room;
	memcpy(n->vlan, vlan, sizeof n->vlan);
	n->family = family;
	memcpy(n->address, key.address, sizeof n->address);
	n->first_ns = n->last_ns = now;
	n->frame = frame;
	p->nodes[p->node_count++] = n;
	n->number = p->node_count;
	*slot = (struct node_slot){ hash, n->number };
	*recent = (struct recent_node){ mark, n };
	return n;
}

static void fetch_node(const struct node *n)
{
	__builtin_prefetch(n);
	__builtin_prefetch(&n->links);
}

static void expect(struct picture *p, struct expected *x, const uint16_t vlan[2], uint8_t family, const uint8_t *address)
{
	struct node_key key = key_of(vlan, family, address);
	uint64_t mark = mark_of(&key);
	const struct recent_node *recent = recent_place(p, mark);
	uint32_t hash;

	if (recent->mark == mark) {
		fetch_node(recent->node);
		return;
	}
	hash = hash_of(&key);
	__builtin_prefetch(&p->slots[hash & (p->slot_room - 1)]);
	x->hash[x->count] = hash;
	x->number[x->count++] = 0;
}

void picture_expect(struct picture *p, const struct finding *f, struct expected *x)
{
	x->count = 0;
	if (!p->slot_room)
		return;
	expect(p, x, f->vlan, 0, f->subject.mac);
	if (f->subject.family)
		expect(p, x, f->vlan, f->subject.family, f->subject.ip);
	if (f->peer.family)
		expect(p, x, f->vlan, f->peer.family, f->peer.ip);
}

void picture_fetch(const struct picture *p, struct expected *x)
{
	for (unsigned i = 0; i < x->count; i++) {
		if (x->number[i]) {
			fetch_node(p->nodes[x->number[i] - 1]);
			continue;
		}
		x->number[i] = p->slots[x->hash[i] & (p->slot_room - 1)].number;
		if (x->number[i])
			__builtin_prefetch(&p->nodes[x->number[i] - 1]);
	}
}

/* Assets */

static size_t id_slot(const struct picture *p, const char *id)
{
	size_t at = hash_bytes(id, strlen(id)) & (p->id_room - 1);

	while (p->ids[at] && strcmp(p->ids[at]->id, id) != 0)
		at = (at + 1) & (p->id_room - 1);
	return at;
}

struct asset *picture_asset(const struct picture *p, const char *id)
{
	return p->id_room ? p->ids[id_slot(p, id)] : NULL;
}

static void add_id(struct picture *p, struct asset *a)
{
	if ((p->id_used + 1) * 2 > p->id_room) {
		size_t room = p->id_room;
		struct asset **old = p->ids;

		p->id_room = room ? room * 2 : FIRST_SLOTS;
		p->ids = calloc(p->id_room, sizeof(struct asset *));
		if (!p->ids)
			abort();
		for (size_t i = 0; i < room; i++)
			if (old[i])
				p->ids[id_slot(p, old[i]->id)] = old[i];
		free(old);
	}
	assert(!picture_asset(p, a->id));
	p->ids[id_slot(p, a->id)] = a;
	p->id_used++;
}

/* Takes an id out and closes the hole, so that those that were pushed on by it are still found. */
static void drop_id(struct picture *p, const struct asset *a)
{
	size_t at = id_slot(p, a->id), next = at;

	p->ids[at] = NULL;
	p->id_used--;
	for (;;) {
		struct asset *moved;

		next = (next + 1) & (p->id_room - 1);
		moved = p->ids[next];
		if (!moved)
			return;
		p->ids[next] = NULL;
		p->ids[id_slot(p, moved->id)] = moved;
	}
}

static void write_id(char id[ASSET_ID_BYTES], uint64_t hash)
{
	*id++ = 'a';
	*id++ = '-';
	for (int shift = 60; shift >= 0; shift -= 4)
		*id++ = "0123456789abcdef"[hash >> shift & 15];
	*id = 0;
}

/* Made of the sensor, the zone and the founder's address alone, so that the same traffic gives the same ids. */
static void make_id(const struct picture *p, const struct node *founder, char id[ASSET_ID_BYTES])
{
	char zone[96], address[ADDRESS_TEXT_BYTES], text[256];

	picture_zone(p, founder, zone, sizeof zone);
	address_text(address, founder->family, founder->address);
	for (unsigned again = 0;; again++) {
		int n = snprintf(text, sizeof text, "%s|%s|%s|%u", p->sensor, zone, address, again);

		write_id(id, hash_stable(text, (size_t)n));
		if (!picture_asset(p, id))
			return;
	}
}

static struct asset *add_asset(struct picture *p, uint32_t number, const char *id)
{
	struct asset *a = calloc(1, sizeof *a);

	if (!a)
		abort();
	a->number = number;
	snprintf(a->id, sizeof a->id, "%s", id);
	add_id(p, a);
	p->assets++;
	if (number > p->next_asset)
		p->next_asset = number;
	return a;
}

struct asset *picture_found(struct picture *p, struct node *founder, int64_t now)
{
	char id[ASSET_ID_BYTES];
	struct asset *a;

	make_id(p, founder, id);
	a = add_asset(p, p->next_asset + 1, id);
	a->founder = founder;
	a->first_ns = now;
	picture_place(p, founder, a);
	return a;
}

struct asset *picture_restore_asset(struct picture *p, uint32_t number, const char *id)
{
	struct asset *a = picture_asset(p, id) ? NULL : add_asset(p, number, id);

	if (a)
		a->told = true;
	return a;
}

void picture_place(struct picture *p, struct node *n, struct asset *a)
{
	assert(!n->asset && !a->gone);
	n->asset = a;
	n->next = a->nodes;
	a->nodes = n;
	a->node_count++;
	picture_change(p, n);
}

void picture_leave(struct picture *p, struct node *n)
{
	struct asset *a = n->asset;
	struct node **at = &a->nodes;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->next = NULL;
	n->asset = NULL;
	a->node_count--;
	if (a->nodes)
		picture_change(p, a->nodes);
}

void picture_merge(struct picture *p, struct asset *into, struct asset *from, struct node *cause)
{
	struct change *c;

	assert(into != from && !into->gone && !from->gone);
	while (from->nodes) {
		struct node *n = from->nodes;

		picture_leave(p, n);
		picture_place(p, n, into);
	}
	if (from->first_ns < into->first_ns)
		into->first_ns = from->first_ns;
	drop_id(p, from);
	from->gone = true;
	p->assets--;
	p->counters.merges++;
	if (array_room(&p->gone, &p->gone_room, p->gone_count, sizeof *p->gone))
		p->gone[p->gone_count++] = from;
	if (!from->told)
		return;
	c = picture_tell(p, CHANGE_MERGED, cause, 0, p->now_ns, cause->frame);
	if (c)
		memcpy(c->id, from->id, sizeof c->id);
}

void picture_zone(const struct picture *p, const struct node *n, char *text, size_t room)
{
	if (n->vlan[1])
		snprintf(text, room, "%s/vlan:%u.%u", p->zone, n->vlan[0], n->vlan[1]);
	else if (n->vlan[0])
		snprintf(text, room, "%s/vlan:%u", p->zone, n->vlan[0]);
	else if (room)
		*stpncpy(text, p->zone, room - 1) = 0;
}

/* What changed */

void picture_touch(struct picture *p, struct node *n)
{
	if (!p->telling || n->dirty)
		return;
	if (array_room(&p->touched_nodes, &p->touched_room, p->touched_count, sizeof *p->touched_nodes)) {
		p->touched_nodes[p->touched_count++] = n;
		n->dirty |= NODE_TOUCHED;
	}
}

void picture_change(struct picture *p, struct node *n)
{
	struct asset *a = n->asset;

	if (!p->telling)
		return;
	if (!(n->dirty & NODE_CHANGED) &&
	    array_room(&p->changed_nodes, &p->changed_room, p->changed_count, sizeof *p->changed_nodes)) {
		p->changed_nodes[p->changed_count++] = n;
		n->dirty |= NODE_CHANGED;
	}
	if (a && !a->dirty &&
	    array_room(&p->changed_assets, &p->changed_asset_room, p->changed_asset_count, sizeof *p->changed_assets)) {
		p->changed_assets[p->changed_asset_count++] = a;
		a->dirty = true;
	}
}

struct change *picture_tell(struct picture *p, enum change_kind kind, struct node *n, uint16_t index,
			    int64_t time_ns, uint64_t frame)
{
	struct change *c;

	picture_change(p, n);
	if (!p->telling || !array_room(&p->changes, &p->change_room, p->change_count, sizeof *p->changes))
		return NULL;
	c = &p->changes[p->change_count++];
	*c = (struct change){ .kind = kind, .index = index, .node = n, .time_ns = time_ns, .frame = frame };
	return c;
}

void picture_settled(struct picture *p)
{
	p->change_count = 0;
	for (size_t i = 0; i < p->changed_asset_count; i++)
		p->changed_assets[i]->dirty = false;
	p->changed_asset_count = 0;
	for (size_t i = 0; i < p->gone_count; i++)
		free_asset(p->gone[i]);
	p->gone_count = 0;
}

/* Clients of services */

static size_t demand_slot(const struct picture *p, const struct demand *key)
{
	struct { struct node_key server; uint32_t service; } hashed = { key->server, (uint32_t)key->transport << 16 | key->port };
	size_t at = hash_bytes(&hashed, sizeof hashed) & (p->demand_room - 1);

	for (const struct demand *d; (d = &p->demand[at])->used; at = (at + 1) & (p->demand_room - 1))
		if (memcmp(&d->server, &key->server, sizeof key->server) == 0 && d->port == key->port &&
		    d->transport == key->transport)
			break;
	return at;
}

static bool grow_demand(struct picture *p)
{
	struct demand *old = p->demand;
	size_t room = p->demand_room;

	p->demand_room = room ? room * 2 : FIRST_SLOTS;
	p->demand = calloc(p->demand_room, sizeof *p->demand);
	if (!p->demand) {
		p->demand = old;
		p->demand_room = room;
		return false;
	}
	for (size_t i = 0; i < room; i++)
		if (old[i].used)
			p->demand[demand_slot(p, &old[i])] = old[i];
	free(old);
	return true;
}

static bool demand_key(const struct node *zone, const struct endpoint *e, uint8_t transport, uint16_t port, struct demand *key)
{
	bool by_ip = e->family != 0;

	memset(key, 0, sizeof *key);
	key->server = key_of(zone->vlan, e->family, by_ip ? e->ip : e->mac);
	key->port = port;
	key->transport = transport;
	key->used = 1;
	return by_ip || mac_is_one(e->mac);
}

void picture_demand(struct picture *p, const struct node *client, const struct endpoint *server, uint8_t transport, uint16_t port)
{
	struct demand key;
	size_t at;

	if (!demand_key(client, server, transport, port, &key) || p->demand_count >= 8 * (uint64_t)p->max_assets)
		return;
	if (p->demand_count * 2 >= p->demand_room && !grow_demand(p))
		return;
	at = demand_slot(p, &key);
	if (!p->demand[at].used) {
		p->demand[at] = key;
		p->demand_count++;
	}
	p->demand[at].clients++;
}

uint32_t picture_clients(const struct picture *p, const struct node *server, uint8_t transport, uint16_t port)
{
	struct endpoint e = { .family = server->family };
	struct demand key;
	size_t at;

	memcpy(server->family ? e.ip : e.mac, server->address, address_bytes(server->family));
	if (!p->demand_room || !demand_key(server, &e, transport, port, &key))
		return 0;
	at = demand_slot(p, &key);
	return p->demand[at].used ? p->demand[at].clients : 0;
}
