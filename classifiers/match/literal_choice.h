/* Which of the texts that a pattern can't match without it is looked for by. */
#ifndef CLASSIFIERS_MATCH_LITERAL_CHOICE_H
#define CLASSIFIERS_MATCH_LITERAL_CHOICE_H

#include "classifiers/match/required_literal.h"
#include "classifiers/probes/service_probes.h"

/* Of a long text its end is looked for: as good a sign, and sooner built. */
enum { LITERAL_CHOICE_BYTES = 8 };

struct literal_choice {
	uint8_t bytes[LITERAL_CHOICE_BYTES];
	uint16_t len;     /* 0: there is none */
	uint16_t weight;  /* bytes of all its texts together */
	bool caseless;
};

struct literal_choices {
	struct literal_choice *of; /* by match */
	uint16_t *marks;           /* of all its texts (marks.h): those of match i from first_mark[i] to before first_mark[i + 1] */
	uint32_t *first_mark;
};

/* One for each match of the file, to be freed. False, and nothing to be freed, without memory. */
bool literal_choices_make(struct literal_choices *c, const struct service_probes *s);
void literal_choices_free(struct literal_choices *c);

#endif
