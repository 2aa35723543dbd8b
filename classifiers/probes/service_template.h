/* The templates of match lines: "$1", "$P(2)", "$SUBST(1,"_",".")", "$I(1,">")" filled from what a pattern captured. */
#ifndef CLASSIFIERS_PROBES_SERVICE_TEMPLATE_H
#define CLASSIFIERS_PROBES_SERVICE_TEMPLATE_H

#include "classifiers/probes/service_probes.h"

enum { SERVICE_VALUE_BYTES = 257, SERVICE_GROUPS = 10 };

/* What a pattern captured: start and end of each group in the subject, SIZE_MAX for one that took no part. */
struct service_groups {
	const uint8_t *subject;
	size_t at[SERVICE_GROUPS][2];
	unsigned count;
};

/*
 * Fills a template. The text's length, or -1 when a group is missing or the text would be longer than nmap
 * takes for this field: the field then stays empty and the match counts all the same. The text is bytes of
 * a stranger's, clean of nothing.
 */
int service_template_expand(const char *template, enum service_field field, const struct service_groups *g,
			    char out[SERVICE_VALUE_BYTES]);

/* Why a template can't be filled whatever was captured; NULL when it can. */
const char *service_template_mistake(const char *template);

/*
 * Undoes the escapes \\ \0 \n \r \t \xHH in `from`, which ends before `end`. Bytes written to `to`, never more than
 * were read; -1 for an escape of another kind.
 */
long service_unescape(const char *from, const char *end, uint8_t *to);

#endif
