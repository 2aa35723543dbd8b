/* Building and asking a matcher; service_match.h tells how it works. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "classifiers/match/service_match.h"

#include "classifiers/match/literal_choice.h"

#include <hs/hs.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Limits of one pattern on one subject, as nmap has them. */
enum { MATCH_LIMIT = 50000, DEPTH_LIMIT = 1000, HEAP_KIB = 10 * 1024, BLOCKS = 4, BLOCK_SLACK = 1 << 16, WORD_BITS = 64,
       ALWAYS_MOST = 32 };

/*
 * PCRE2 keeps its place in a match in blocks that it asks for as it needs them: its context, the match data,
 * and at most an old block of frames and a larger one. So many of the largest size are set aside; their pages
 * come when touched.
 */
struct blocks {
	uint8_t *bytes;
	bool taken[BLOCKS];
};

struct service_matcher {
	const struct service_probes *probes;
	pcre2_code **codes;          /* by match; NULL for one left out */
	uint16_t *weights;
	uint64_t *candidates;        /* a bit for each match: could match the subject at hand */
	uint64_t *always;
	size_t words;
	hs_database_t *literals, *patterns;
	hs_scratch_t *scratch;
	pcre2_general_context *general;
	pcre2_match_context *limits;
	pcre2_match_data *data;
	struct blocks blocks;
	struct service_matcher_kinds kinds;
	struct service_matcher_counters counters;
};

static size_t block_bytes(void)
{
	return HEAP_KIB * 1024 + BLOCK_SLACK;
}

static void *take_block(PCRE2_SIZE size, void *context)
{
	struct blocks *b = context;

	for (int i = 0; i < BLOCKS && size <= block_bytes(); i++)
		if (!b->taken[i]) {
			b->taken[i] = true;
			return b->bytes + (size_t)i * block_bytes();
		}
	return NULL;
}

static void give_block(void *block, void *context)
{
	struct blocks *b = context;

	if (block)
		b->taken[((uint8_t *)block - b->bytes) / (ptrdiff_t)block_bytes()] = false;
}

/* What is told of a pattern that can't be used. */
struct told_by {
	const char *path;
	service_complain *complain;
	void *context;
};

static bool make_room(struct service_matcher *m)
{
	size_t n = m->probes->match_count;

	m->words = n / WORD_BITS + 1;
	m->codes = calloc(n + 1, sizeof *m->codes);
	m->weights = calloc(n + 1, sizeof *m->weights);
	m->candidates = calloc(m->words, sizeof *m->candidates);
	m->always = calloc(m->words, sizeof *m->always);
	m->blocks.bytes = mmap(NULL, BLOCKS * block_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->blocks.bytes == MAP_FAILED) {
		m->blocks.bytes = NULL;
		return false;
	}
	m->general = pcre2_general_context_create(take_block, give_block, &m->blocks);
	if (!m->codes || !m->weights || !m->candidates || !m->always || !m->general)
		return false;
	return true;
}

static bool make_match_memory(struct service_matcher *m)
{
	m->limits = pcre2_match_context_create(NULL);
	if (!m->limits)
		return false;
	pcre2_set_match_limit(m->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(m->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(m->limits, HEAP_KIB);
	m->data = pcre2_match_data_create(SERVICE_GROUPS, m->general);
	return m->data != NULL;
}

static void compile_codes(struct service_matcher *m, const struct told_by *t)
{
	for (uint32_t i = 0; i < m->probes->match_count; i++) {
		const struct service_match *line = &m->probes->matches[i];
		uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | (line->caseless ? PCRE2_CASELESS : 0) |
				   (line->dot_all ? PCRE2_DOTALL : 0);
		PCRE2_SIZE where;
		int error;

		m->codes[i] = pcre2_compile((PCRE2_SPTR)line->pattern, line->pattern_len, options, &error, &where, NULL);
		if (m->codes[i]) {
			m->kinds.lines++;
		} else {
			char why[128], sentence[256];

			pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
			snprintf(sentence, sizeof sentence, "the pattern can't be compiled, at its byte %zu: %s", (size_t)where, why);
			t->complain(t->context, t->path, line->line, sentence);
		}
	}
}

/* What is handed to Hyperscan in one go. */
struct batch {
	const char **expressions;
	size_t *lengths;
	unsigned *flags, *ids;
	unsigned count;
};

static bool batch_start(struct batch *b, size_t n)
{
	*b = (struct batch){ calloc(n + 1, sizeof *b->expressions), calloc(n + 1, sizeof *b->lengths), calloc(n + 1, sizeof *b->flags),
			     calloc(n + 1, sizeof *b->ids), 0 };
	return b->expressions && b->lengths && b->flags && b->ids;
}

static void batch_end(struct batch *b)
{
	free(b->expressions);
	free(b->lengths);
	free(b->flags);
	free(b->ids);
}

static void batch_add(struct batch *b, const char *expression, size_t len, unsigned flags, unsigned id)
{
	b->expressions[b->count] = expression;
	b->lengths[b->count] = len;
	b->flags[b->count] = flags | HS_FLAG_SINGLEMATCH;
	b->ids[b->count++] = id;
}

/* What Hyperscan must be told of a line to take it as a pattern; false when it can't. */
static bool pattern_flags(const struct service_match *line, unsigned *flags, bool *prefilter)
{
	*flags = (line->caseless ? HS_FLAG_CASELESS : 0u) | (line->dot_all ? HS_FLAG_DOTALL : 0u) | HS_FLAG_ALLOWEMPTY;
	for (int round = 0; round < 2; round++) {
		hs_expr_info_t *info = NULL;
		hs_compile_error_t *error = NULL;
		hs_error_t result = hs_expression_info(line->pattern, *flags, &info, &error);

		free(info);
		hs_free_compile_error(error);
		*prefilter = round;
		if (result == HS_SUCCESS)
			return true;
		*flags |= HS_FLAG_PREFILTER;
	}
	return false;
}

/*
 * A line is looked for by its text, else as a pattern, else always. To build a search for patterns takes
 * long: a few are sooner tried each time.
 */
static void place_line(struct service_matcher *m, uint32_t i, const struct literal_choice *choice, struct batch *literals,
		       struct batch *patterns, bool few)
{
	const struct service_match *line = &m->probes->matches[i];
	unsigned flags;
	bool prefilter;

	m->weights[i] = choice->weight;
	if (choice->len) {
		batch_add(literals, (const char *)choice->bytes, choice->len, choice->caseless ? HS_FLAG_CASELESS : 0, i);
		m->kinds.by_literal++;
	} else if (!few && pattern_flags(line, &flags, &prefilter)) {
		batch_add(patterns, line->pattern, line->pattern_len, flags, i);
		m->kinds.by_pattern += !prefilter;
		m->kinds.by_prefilter += prefilter;
	} else {
		m->always[i / WORD_BITS] |= 1ull << i % WORD_BITS;
		m->kinds.always++;
	}
}

static bool build_literals(struct service_matcher *m, const struct batch *b)
{
	hs_compile_error_t *error = NULL;

	if (!b->count)
		return true;
	if (hs_compile_lit_multi(b->expressions, b->flags, b->ids, b->lengths, b->count, HS_MODE_BLOCK, NULL, &m->literals, &error) == HS_SUCCESS)
		return true;
	hs_free_compile_error(error);
	return false;
}

/* Whatever stands in the way of all together, PCRE2 can still try each. */
static void build_patterns(struct service_matcher *m, const struct batch *b)
{
	hs_compile_error_t *error = NULL;

	if (!b->count || hs_compile_multi(b->expressions, b->flags, b->ids, b->count, HS_MODE_BLOCK, NULL, &m->patterns, &error) == HS_SUCCESS)
		return;
	hs_free_compile_error(error);
	m->patterns = NULL;
	for (unsigned i = 0; i < b->count; i++)
		m->always[b->ids[i] / WORD_BITS] |= 1ull << b->ids[i] % WORD_BITS;
	m->kinds.always += b->count;
	m->kinds.by_pattern = m->kinds.by_prefilter = 0;
}

static bool build(struct service_matcher *m)
{
	uint32_t n = m->probes->match_count;
	struct literal_choice *choices = literal_choices(m->probes);
	struct batch literals, patterns;
	bool well = batch_start(&literals, n);
	uint32_t without = 0;

	well &= batch_start(&patterns, n);
	well &= choices != NULL;
	for (uint32_t i = 0; well && i < n; i++)
		without += m->codes[i] && !choices[i].len;
	for (uint32_t i = 0; well && i < n; i++)
		if (m->codes[i])
			place_line(m, i, &choices[i], &literals, &patterns, without <= ALWAYS_MOST);
	if (well) {
		well = build_literals(m, &literals);
		build_patterns(m, &patterns);
	}
	batch_end(&literals);
	batch_end(&patterns);
	free(choices);
	return well && (!m->literals || hs_alloc_scratch(m->literals, &m->scratch) == HS_SUCCESS) &&
	       (!m->patterns || hs_alloc_scratch(m->patterns, &m->scratch) == HS_SUCCESS);
}

struct service_matcher *service_matcher_new(const struct service_probes *probes, const char *path, service_complain *complain,
					    void *context)
{
	struct service_matcher *m = calloc(1, sizeof *m);
	const struct told_by t = { path, complain, context };

	if (!m)
		return NULL;
	m->probes = probes;
	if (!make_room(m) || !make_match_memory(m)) {
		complain(context, path, 0, "no memory for its patterns");
		service_matcher_free(m);
		return NULL;
	}
	compile_codes(m, &t);
	if (m->kinds.lines && build(m))
		return m;
	complain(context, path, 0, m->kinds.lines ? "Hyperscan could not be set up for its patterns" : "holds no match that can be used");
	service_matcher_free(m);
	return NULL;
}

void service_matcher_free(struct service_matcher *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; m->codes && i < m->probes->match_count; i++)
		pcre2_code_free(m->codes[i]);
	hs_free_database(m->literals);
	hs_free_database(m->patterns);
	hs_free_scratch(m->scratch);
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_general_context_free(m->general);
	if (m->blocks.bytes)
		munmap(m->blocks.bytes, BLOCKS * block_bytes());
	free(m->codes);
	free(m->weights);
	free(m->candidates);
	free(m->always);
	free(m);
}

static int note_candidate(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct service_matcher *m = context;

	(void)from;
	(void)to;
	(void)flags;
	m->candidates[id / WORD_BITS] |= 1ull << id % WORD_BITS;
	return 0;
}

static bool scan(struct service_matcher *m, const hs_database_t *db, const uint8_t *subject, size_t len)
{
	return !db || hs_scan(db, (const char *)subject, (unsigned)len, 0, m->scratch, note_candidate, m) == HS_SUCCESS;
}

/* One line on the subject, by PCRE2. */
static bool try_line(struct service_matcher *m, uint32_t i, const uint8_t *subject, size_t len, struct service_groups *g)
{
	const PCRE2_SIZE *at;
	int n = pcre2_match(m->codes[i], subject, len, 0, PCRE2_NOTEMPTY, m->data, m->limits);

	m->counters.tries++;
	if (n < 0) {
		m->counters.limited += n != PCRE2_ERROR_NOMATCH;
		return false;
	}
	/* 0: more groups than there is room for; those there is room for are there. */
	at = pcre2_get_ovector_pointer(m->data);
	g->subject = subject;
	g->count = n ? (unsigned)n : SERVICE_GROUPS;
	for (unsigned k = 0; k < g->count; k++) {
		g->at[k][0] = at[2 * k] == PCRE2_UNSET ? SIZE_MAX : at[2 * k];
		g->at[k][1] = at[2 * k + 1] == PCRE2_UNSET ? SIZE_MAX : at[2 * k + 1];
	}
	return true;
}

static bool is_candidate(const struct service_matcher *m, uint32_t i)
{
	return m->candidates[i / WORD_BITS] >> i % WORD_BITS & 1;
}

/* Tries the candidates of one list in their order. True at a match; a softmatch is kept when there is none yet. */
static bool search_list(struct service_matcher *m, unsigned list, const struct service_probe *p, const uint8_t *subject, size_t len,
			unsigned *tries, struct service_found *found)
{
	for (uint32_t i = p->first_match; i < p->first_match + p->match_count; i++) {
		const struct service_match *line = &m->probes->matches[i];
		struct service_groups g;

		/* No candidate among the next 64 is the rule. */
		if (i % WORD_BITS == 0 && !m->candidates[i / WORD_BITS]) {
			i += WORD_BITS - 1;
			continue;
		}
		if (!is_candidate(m, i) || (line->soft && found->match))
			continue;
		if ((*tries)++ == SERVICE_TRIES_MAX) {
			m->counters.cut++;
			return true;
		}
		if (!try_line(m, i, subject, len, &g))
			continue;
		*found = (struct service_found){ .match = line, .groups = g, .list = list };
		if (!line->soft)
			return true;
	}
	return false;
}

bool service_match_find(struct service_matcher *m, const uint32_t *lists, unsigned count, const uint8_t *subject, size_t len,
			struct service_found *found)
{
	unsigned tries = 0;

	found->match = NULL;
	if (len > SERVICE_SUBJECT_BYTES)
		len = SERVICE_SUBJECT_BYTES;
	m->counters.subjects++;
	memcpy(m->candidates, m->always, m->words * sizeof *m->candidates);
	if (!scan(m, m->literals, subject, len) || !scan(m, m->patterns, subject, len))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (search_list(m, i, &m->probes->probes[lists[i]], subject, len, &tries, found))
			break;
	return found->match != NULL;
}

unsigned service_match_weight(const struct service_matcher *m, const struct service_match *match)
{
	return m->weights[match - m->probes->matches];
}

const struct service_matcher_kinds *service_matcher_kinds(const struct service_matcher *m)
{
	return &m->kinds;
}

const struct service_matcher_counters *service_matcher_counters(const struct service_matcher *m)
{
	return &m->counters;
}
