/* Finds conversations: few by looking at each, many through a table of their places in the row. */
#include "sensor/hub/talks.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 16, SLOTS_PER_TALK = 4 };

/* Follows the row, to which others add: what came since the last search is entered by the next. */
struct talk_index {
	uint16_t entered;
	uint16_t room;    /* a power of two */
	uint16_t slots[]; /* open addressing: place in the row + 1, 0 for none */
};

static bool same_peer(const struct talk_item *a, const struct talk_item *b)
{
	return a->port == b->port && a->transport == b->transport && a->family == b->family && a->visits == b->visits &&
	       memcmp(a->peer, b->peer, sizeof a->peer) == 0;
}

/* Who chooses addresses that fall together gains no more than a walk of NODE_TALKS, so that no drawn key is needed. */
static size_t slot_of(const struct talk_index *x, const struct talk_item *t)
{
	uint64_t half[2];

	memcpy(half, t->peer, sizeof half);
	half[0] = (half[0] ^ t->port) * 0x9e3779b97f4a7c15;
	half[1] = (half[1] ^ half[0] >> 32 ^ t->transport) * 0xc2b2ae3d27d4eb4f;
	return (half[0] ^ half[1]) >> 40 & (x->room - 1u);
}

static void enter(struct talk_index *x, const struct talk_item *items, unsigned place)
{
	size_t at = slot_of(x, &items[place]);

	while (x->slots[at])
		at = (at + 1) & (x->room - 1u);
	x->slots[at] = (uint16_t)(place + 1);
}

/* The index with all of the row in it; NULL when memory is short. */
static struct talk_index *index_of(struct node *n)
{
	struct talk_index *x = n->talk_index;
	size_t room = x ? x->room : 2 * LOOKED_AT;

	if (!x || x->room < 2 * n->talks.count) {
		while (room < (size_t)SLOTS_PER_TALK * n->talks.count)
			room *= 2;
		free(x);
		x = n->talk_index = calloc(1, sizeof *x + room * sizeof x->slots[0]);
		if (!x)
			return NULL;
		x->room = (uint16_t)room;
	}
	while (x->entered < n->talks.count)
		enter(x, n->talks.items, x->entered++);
	return x;
}

static struct talk_item *look_at_each(struct node *n, const struct talk_item *key, bool *known)
{
	struct talk_item *t = n->talks.items;

	for (unsigned i = 0; i < n->talks.count; i++) {
		if (!same_peer(&t[i], key))
			continue;
		*known = true;
		if (t[i].protocol == key->protocol)
			return &t[i];
	}
	return NULL;
}

struct talk_item *talks_find(struct node *n, const struct talk_item *key, bool *known)
{
	const struct talk_index *x = n->talks.count > LOOKED_AT ? index_of(n) : NULL;
	struct talk_item *items = n->talks.items;

	*known = false;
	if (!x)
		return look_at_each(n, key, known);
	for (size_t at = slot_of(x, key); x->slots[at]; at = (at + 1) & (x->room - 1u)) {
		struct talk_item *t = &items[x->slots[at] - 1];

		if (!same_peer(t, key))
			continue;
		*known = true;
		if (t->protocol == key->protocol)
			return t;
	}
	return NULL;
}
