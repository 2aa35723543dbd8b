/* Made once, from what the build found under classifiers/. */
#include "sensor/engine/classifier_list.h"

static bool is_of_plants(const struct classifier *c)
{
	for (int i = 0; classifiers_of_plants[i]; i++)
		if (classifiers_of_plants[i] == c)
			return true;
	return false;
}

static bool add(struct classifier_list *list, const struct classifier *c)
{
	uint64_t bit;

	if (list->count == CLASSIFIERS_MAX)
		return false;
	bit = 1ull << list->count;
	list->of[list->count++] = c;
	list->plants |= is_of_plants(c) ? bit : 0;
	for (int i = 0; i < CLASSIFIER_PORTS && c->ports[i]; i++) {
		struct port_hint *hint = (struct port_hint *)classifier_list_hint(list, c->ports[i]);

		hint->port = c->ports[i];
		hint->whose |= bit;
	}
	return true;
}

/* Looking for a port that is nobody's must come to an end, and soon. */
static bool is_sparse(const struct classifier_list *list)
{
	unsigned used = 0;

	for (int i = 0; i < PORT_HINTS; i++)
		used += list->hints[i].whose != 0;
	return used <= PORT_HINTS / 2;
}

bool classifier_lists_make(struct classifier_list lists[TRANSPORTS])
{
	for (int i = 0; classifiers[i]; i++)
		for (int t = 0; t < TRANSPORTS; t++)
			if (classifiers[i]->transports & 1u << t && (!add(&lists[t], classifiers[i]) || !is_sparse(&lists[t])))
				return false;
	return true;
}
