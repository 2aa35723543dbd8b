/* The classifiers of one transport, and whose usual port a port is. */
#ifndef SENSOR_ENGINE_CLASSIFIER_LIST_H
#define SENSOR_ENGINE_CLASSIFIER_LIST_H

#include "classifiers/api/classifier.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CLASSIFIERS_MAX = 64, /* a set of them is a word */
	PORT_HINTS = 512,     /* twice as many as there are usual ports of one transport, at least */
};

struct port_hint {
	uint64_t whose; /* a bit each; 0: the place is free */
	uint16_t port;
};

/* Flows name classifiers by their place here. */
struct classifier_list {
	const struct classifier *of[CLASSIFIERS_MAX];
	uint32_t count;
	uint64_t plants; /* a bit each: of a protocol of plants, whose pulse is watched */
	struct port_hint hints[PORT_HINTS];
};

/* Makes the lists of all transports. False when there are more classifiers or usual ports than there is room for. */
bool classifier_lists_make(struct classifier_list lists[TRANSPORTS]);

/* All of a list's classifiers, a bit each. */
static inline uint64_t classifier_list_all(const struct classifier_list *list)
{
	return list->count >= CLASSIFIERS_MAX ? ~0ull : (1ull << list->count) - 1;
}

static inline const struct port_hint *classifier_list_hint(const struct classifier_list *list, uint16_t port)
{
	uint32_t at = port * 0x9e3779b1u >> 23;

	while (list->hints[at % PORT_HINTS].whose && list->hints[at % PORT_HINTS].port != port)
		at++;
	return &list->hints[at % PORT_HINTS];
}

/* Those whose usual port it is, a bit each. */
static inline uint64_t classifier_list_usual(const struct classifier_list *list, uint16_t port)
{
	return classifier_list_hint(list, port)->whose;
}

#endif
