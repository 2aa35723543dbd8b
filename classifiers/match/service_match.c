/* Building and asking a matcher; service_match.h tells how it works. */
#include "classifiers/match/service_match.h"

#include "classifiers/match/literal_table.h"
#include "classifiers/match/marks.h"
#include "classifiers/match/service_pattern.h"

#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Limits of one pattern on one subject, as nmap has them. */
enum { MATCH_LIMIT = 50000, DEPTH_LIMIT = 1000, HEAP_KIB = 10 * 1024, BLOCKS = 4, BLOCK_SLACK = 1 << 16, WORD_BITS = 64,
       ALWAYS_MOST = 32 };

/* What is set aside for the codes of patterns, of which few are ever needed: PCRE2 takes 3 bytes for one of a pattern, as a rule. */
enum { CODE_LEAST = 512, CODE_TIMES = 8, CODE_ALIGN = 16 };

/*
 * PCRE2 keeps its place in a match in blocks that it asks for as it needs them: its context, the match data,
 * and at most an old block of frames and a larger one. So many of the largest size are set aside; their pages
 * come when touched.
 */
struct blocks {
	uint8_t *bytes;
	bool taken[BLOCKS];
};

/* Where codes lie, one behind the other, until all of them go. */
struct room {
	uint8_t *bytes;
	size_t size, used;
};

struct service_matcher {
	const struct service_probes *probes;
	struct service_listener listener;
	pcre2_code **codes;          /* by match, once it has been a candidate */
	uint64_t *refused;           /* a bit for each match: it can't be compiled */
	struct room room;
	pcre2_general_context *coding;
	pcre2_compile_context *compiling;
	struct literal_choices choices;
	struct marks marks;          /* of the subject at hand, once there was a candidate */
	bool marked;
	uint64_t *candidates;        /* a bit for each match: could match the subject at hand */
	uint64_t *always;
	size_t words;
	struct literal_table *literals;
	hs_database_t *patterns;
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

static void *take_room(PCRE2_SIZE size, void *context)
{
	struct room *r = context;
	size_t whole = (size + CODE_ALIGN - 1) & ~(size_t)(CODE_ALIGN - 1);
	uint8_t *at = r->bytes + r->used;

	if (size > r->size || whole > r->size - r->used)
		return NULL;
	r->used += whole;
	return at;
}

/* What PCRE2 gives back while it compiles is little. */
static void leave_room(void *bytes, void *context)
{
	(void)bytes;
	(void)context;
}

static uint8_t *reserve(size_t size)
{
	uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

static bool make_room(struct service_matcher *m)
{
	size_t n = m->probes->match_count;

	m->words = n / WORD_BITS + 1;
	m->room.size = CODE_LEAST;
	for (size_t i = 0; i < n; i++)
		m->room.size += CODE_LEAST + (size_t)CODE_TIMES * m->probes->matches[i].pattern_len;
	m->codes = calloc(n + 1, sizeof *m->codes);
	m->candidates = calloc(m->words, sizeof *m->candidates);
	m->always = calloc(m->words, sizeof *m->always);
	m->refused = calloc(m->words, sizeof *m->refused);
	m->blocks.bytes = reserve(BLOCKS * block_bytes());
	m->room.bytes = reserve(m->room.size);
	return m->codes && m->candidates && m->always && m->refused && m->blocks.bytes && m->room.bytes;
}

static bool make_contexts(struct service_matcher *m)
{
	m->general = pcre2_general_context_create(take_block, give_block, &m->blocks);
	m->coding = pcre2_general_context_create(take_room, leave_room, &m->room);
	m->compiling = m->coding ? pcre2_compile_context_create(m->coding) : NULL;
	m->limits = pcre2_match_context_create(NULL);
	if (!m->general || !m->compiling || !m->limits)
		return false;
	pcre2_set_match_limit(m->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(m->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(m->limits, HEAP_KIB);
	m->data = pcre2_match_data_create(SERVICE_GROUPS, m->general);
	return m->data != NULL;
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
static void place_line(struct service_matcher *m, uint32_t i, const struct literal_choice *choice, struct batch *patterns, bool few)
{
	const struct service_match *line = &m->probes->matches[i];
	unsigned flags;
	bool prefilter;

	if (choice->len) {
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
	uint32_t n = m->probes->match_count, without = 0;
	const struct literal_choice *choices;
	struct batch patterns;
	bool well = batch_start(&patterns, n) && literal_choices_make(&m->choices, m->probes);

	choices = m->choices.of;
	for (uint32_t i = 0; well && i < n; i++)
		without += !choices[i].len;
	for (uint32_t i = 0; well && i < n; i++)
		place_line(m, i, &choices[i], &patterns, without <= ALWAYS_MOST);
	if (well) {
		m->literals = literal_table_new(choices, n);
		build_patterns(m, &patterns);
	}
	batch_end(&patterns);
	return m->literals && (!m->patterns || hs_alloc_scratch(m->patterns, &m->scratch) == HS_SUCCESS);
}

struct service_matcher *service_matcher_new(const struct service_probes *probes, const char *path, service_complain *complain,
					    void *context)
{
	struct service_matcher *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->probes = probes;
	m->listener = (struct service_listener){ path, complain, context };
	if (probes->match_count && make_room(m) && make_contexts(m) && build(m))
		return m;
	complain(context, path, 0, probes->match_count ? "no memory for its patterns" : "holds no match that can be used");
	service_matcher_free(m);
	return NULL;
}

void service_matcher_free(struct service_matcher *m)
{
	if (!m)
		return;
	literal_table_free(m->literals);
	hs_free_database(m->patterns);
	hs_free_scratch(m->scratch);
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_general_context_free(m->general);
	pcre2_compile_context_free(m->compiling);
	pcre2_general_context_free(m->coding);
	if (m->blocks.bytes)
		munmap(m->blocks.bytes, BLOCKS * block_bytes());
	if (m->room.bytes)
		munmap(m->room.bytes, m->room.size);
	free(m->codes);
	literal_choices_free(&m->choices);
	free(m->candidates);
	free(m->always);
	free(m->refused);
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

/* The code of a line, compiled when it is a candidate for the first time; NULL when it can't be. */
static const pcre2_code *code_of(struct service_matcher *m, uint32_t i)
{
	uint64_t bit = 1ull << i % WORD_BITS;

	if (!m->codes[i] && !(m->refused[i / WORD_BITS] & bit)) {
		m->codes[i] = service_pattern_compile(&m->probes->matches[i], m->compiling, &m->listener);
		if (m->codes[i])
			m->counters.compiled++;
		else
			m->refused[i / WORD_BITS] |= bit;
	}
	return m->codes[i];
}

/* One line on the subject, by PCRE2. */
static bool try_line(struct service_matcher *m, uint32_t i, const uint8_t *subject, size_t len, struct service_groups *g)
{
	const pcre2_code *code = code_of(m, i);
	const PCRE2_SIZE *at;
	int n;

	if (!code)
		return false;
	n = pcre2_match(code, subject, len, 0, PCRE2_NOTEMPTY, m->data, m->limits);
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

static bool is_candidate(struct service_matcher *m, uint32_t i, const uint8_t *subject, size_t len)
{
	uint32_t first = m->choices.first_mark[i], end = m->choices.first_mark[i + 1];

	if (!(m->candidates[i / WORD_BITS] >> i % WORD_BITS & 1))
		return false;
	if (!m->marked)
		marks_of(&m->marks, subject, len);
	m->marked = true;
	return marks_hold(&m->marks, m->choices.marks + first, end - first);
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
		if ((line->soft && found->match) || !is_candidate(m, i, subject, len))
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
	m->marked = false;
	memcpy(m->candidates, m->always, m->words * sizeof *m->candidates);
	literal_table_find(m->literals, subject, len, m->candidates);
	if (m->patterns && hs_scan(m->patterns, (const char *)subject, (unsigned)len, 0, m->scratch, note_candidate, m) != HS_SUCCESS)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (search_list(m, i, &m->probes->probes[lists[i]], subject, len, &tries, found))
			break;
	return found->match != NULL;
}

unsigned service_match_weight(const struct service_matcher *m, const struct service_match *match)
{
	return m->choices.of[match - m->probes->matches].weight;
}

const struct service_matcher_kinds *service_matcher_kinds(const struct service_matcher *m)
{
	return &m->kinds;
}

const struct service_matcher_counters *service_matcher_counters(const struct service_matcher *m)
{
	return &m->counters;
}
