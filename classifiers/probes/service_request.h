/* What a client asked, held against what probes ask: whose match lines an answer belongs to. */
#ifndef CLASSIFIERS_PROBES_SERVICE_REQUEST_H
#define CLASSIFIERS_PROBES_SERVICE_REQUEST_H

#include "classifiers/probes/request_index.h"

enum { SERVICE_LISTS = SERVICE_FALLBACKS + 4, SERVICE_REQUEST_BYTES = 1024 };

/* Probes whose lines are to be looked through, in that order. */
struct service_question {
	uint32_t lists[SERVICE_LISTS];
	uint8_t count;
	uint8_t kinship; /* enum service_kinship */
};

/*
 * Of a client's first bytes, those of one datagram or the start of a stream; `x` is the index of `s`. With
 * SERVICE_UNRELATED nothing is listed.
 */
void service_question_of(const struct service_probes *s, const struct request_index *x, enum transport t, const uint8_t *request, size_t len,
			 struct service_question *q);

/* Of a server that speaks first on TCP. */
void service_question_of_greeting(const struct service_probes *s, struct service_question *q);

#endif
