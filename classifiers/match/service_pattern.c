/* Patterns of strangers become code, or a sentence of what is wrong with them. */
#include "classifiers/match/service_pattern.h"

#include <stdio.h>

enum { WHY_BYTES = 128, SENTENCE_BYTES = 256 };

pcre2_code *service_pattern_compile(const struct service_match *line, pcre2_compile_context *c, const struct service_listener *l)
{
	uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | (line->caseless ? PCRE2_CASELESS : 0) | (line->dot_all ? PCRE2_DOTALL : 0);
	char why[WHY_BYTES], sentence[SENTENCE_BYTES];
	pcre2_code *code;
	PCRE2_SIZE where;
	int error;

	code = pcre2_compile((PCRE2_SPTR)line->pattern, line->pattern_len, options, &error, &where, c);
	if (code)
		return code;
	pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
	snprintf(sentence, sizeof sentence, "the pattern can't be compiled, at its byte %zu: %s", (size_t)where, why);
	l->complain(l->context, l->path, line->line, sentence);
	return NULL;
}

uint32_t service_patterns_check(const struct service_probes *s, const struct service_listener *l)
{
	uint32_t usable = 0;

	for (uint32_t i = 0; i < s->match_count; i++) {
		pcre2_code *code = service_pattern_compile(&s->matches[i], NULL, l);

		usable += code != NULL;
		pcre2_code_free(code);
	}
	return usable;
}
