/* The pattern of one line, compiled by PCRE2 as nmap does: bytes, no UTF-8. */
#ifndef CLASSIFIERS_MATCH_SERVICE_PATTERN_H
#define CLASSIFIERS_MATCH_SERVICE_PATTERN_H

#include "classifiers/probes/service_probes.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Who is told of patterns that can't be used; all of it must live as long as what it is given to. */
struct service_listener {
	const char *path;
	service_complain *complain;
	void *context;
};

/* In memory of `c`, NULL for the heap. NULL when there is none, or when PCRE2 refuses the pattern: that is told. */
pcre2_code *service_pattern_compile(const struct service_match *line, pcre2_compile_context *c, const struct service_listener *l);

/* How many lines of a file have a pattern that can be used; each other is told. */
uint32_t service_patterns_check(const struct service_probes *s, const struct service_listener *l);

#endif
