/* What a person may have meant by a word that is none. */
#ifndef SENSOR_CTL_SUGGEST_H
#define SENSOR_CTL_SUGGEST_H

struct suggestion {
	const char *word;
	const char *best; /* the nearest word tried; NULL while none is near */
	int distance;
};

/* Begins with a word, which must outlive the suggestion. */
struct suggestion suggest_for(const char *word);

/* Takes `candidate` for the best when it is nearer than those before: letters put in, left out, changed or swapped. */
void suggest_try(struct suggestion *s, const char *candidate);

/* "; did you mean --json?" or ";" on stderr, so that a hint can follow. */
void suggest_tell(const struct suggestion *s, const char *dashes);

#endif
