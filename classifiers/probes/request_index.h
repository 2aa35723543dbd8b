/*
 * Which probe's bytes a request is nearest to, without comparing it with each: thousands of flows begin in a second,
 * and nearly all of them with a request that no probe makes.
 */
#ifndef CLASSIFIERS_PROBES_REQUEST_INDEX_H
#define CLASSIFIERS_PROBES_REQUEST_INDEX_H

#include "classifiers/probes/service_probes.h"

/* How near a request is to a probe's. */
enum service_kinship {
	SERVICE_UNRELATED, /* no probe asks like that */
	SERVICE_KIN,       /* the same language: an HTTP request of another path, a header with other numbers */
	SERVICE_BEGINS,    /* it begins with the probe's bytes */
	SERVICE_SAME,      /* the probe's bytes, or the silence of one who only listens */
};

struct request_index;

/* `s` must live as long. NULL without memory. */
struct request_index *request_index_new(const struct service_probes *s);
void request_index_free(struct request_index *x);

/*
 * The probe whose bytes are the request, or the longest ones that it begins with (4 at least); else, unless it is a
 * text, the one with the likest header: the first of those that are as near. -1, and *kinship SERVICE_UNRELATED,
 * when there is none.
 */
long request_index_nearest(const struct request_index *x, enum transport t, const uint8_t *request, size_t len,
			   enum service_kinship *kinship);

#endif
