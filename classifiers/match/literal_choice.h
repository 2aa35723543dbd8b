/* Which of the texts that a pattern can't match without it is looked for by. */
#ifndef CLASSIFIERS_MATCH_LITERAL_CHOICE_H
#define CLASSIFIERS_MATCH_LITERAL_CHOICE_H

#include "classifiers/match/required_literal.h"
#include "classifiers/probes/service_probes.h"

struct literal_choice {
	uint8_t bytes[REQUIRED_LITERAL_BYTES];
	uint16_t len;     /* 0: there is none */
	uint16_t weight;  /* bytes of all its texts together */
	bool caseless;
};

/* One for each match of the file, to be freed; NULL without memory. */
struct literal_choice *literal_choices(const struct service_probes *s);

#endif
