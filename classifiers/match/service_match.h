/*
 * All patterns of a file of service probes at once: one pass finds which could match, PCRE2 decides and captures.
 *
 * Looked for are the texts that patterns can't match without (required_literal.h, literal_table.h): a table of them is made
 * in milliseconds, where Hyperscan takes half a second for them and a minute and more for automata of ten thousand such
 * patterns. Patterns without such a text go to Hyperscan, with HS_FLAG_PREFILTER where it must; those that it can't take
 * at all are tried by PCRE2 each time, and so is the rest where it is only a few. Before PCRE2 comes the question whether
 * all texts of a pattern can stand in the subject (marks.h): of fifty candidates it leaves a few.
 *
 * Of ten thousand patterns a plant needs some hundred: PCRE2 compiles one when it is a candidate for the first time. All
 * memory is set aside when a matcher is made, none later. Patterns and subjects are both strangers': PCRE2
 * runs without JIT and under the limits that nmap sets, and one subject costs TRIES_MAX patterns at most.
 */
#ifndef CLASSIFIERS_MATCH_SERVICE_MATCH_H
#define CLASSIFIERS_MATCH_SERVICE_MATCH_H

#include "classifiers/probes/service_probes.h"
#include "classifiers/probes/service_template.h"

enum { SERVICE_SUBJECT_BYTES = 2048, SERVICE_TRIES_MAX = 256 };

struct service_matcher;

/* How the lines of a file are looked for. */
struct service_matcher_kinds {
	uint32_t by_literal;
	uint32_t by_pattern;
	uint32_t by_prefilter;
	uint32_t always;     /* tried by PCRE2 alone */
};

struct service_found {
	const struct service_match *match;
	struct service_groups groups;  /* point into the subject */
	unsigned list;                 /* which of the lists it was found in */
};

struct service_matcher_counters {
	uint64_t subjects;
	uint64_t tries;                /* of PCRE2 */
	uint64_t compiled;             /* patterns that were a candidate */
	uint64_t limited;              /* tries that ended at a limit */
	uint64_t cut;                  /* subjects with more candidates than are tried */
};

/*
 * `probes`, `path` and `context` must live as long as the matcher. A pattern that PCRE2 refuses when its turn comes is told
 * with its line and left out (service_pattern.h finds them all beforehand). NULL, and told, when the file has no match or
 * memory is short.
 */
struct service_matcher *service_matcher_new(const struct service_probes *probes, const char *path, service_complain *complain,
					    void *context);
void service_matcher_free(struct service_matcher *m);

/*
 * Looks through the lines of the probes in `lists` (indices), one list after the other: the first match that
 * holds, or if there is none the first softmatch. False when nothing matches. len is at most
 * SERVICE_SUBJECT_BYTES; what stands behind is not looked at.
 */
bool service_match_find(struct service_matcher *m, const uint32_t *lists, unsigned count, const uint8_t *subject, size_t len,
			struct service_found *found);

/* Bytes of a match's pattern that stand in every subject as they are: how little it is a matter of chance. */
unsigned service_match_weight(const struct service_matcher *m, const struct service_match *match);

const struct service_matcher_kinds *service_matcher_kinds(const struct service_matcher *m);
const struct service_matcher_counters *service_matcher_counters(const struct service_matcher *m);

#endif
