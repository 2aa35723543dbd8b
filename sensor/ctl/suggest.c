/* Damerau's distance between words (optimal string alignment), for words as short as verbs and options are. */
#include "sensor/ctl/suggest.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 32 };

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
	int d[WORD_MAX + 1][WORD_MAX + 1], m = (int)strlen(a), n = (int)strlen(b);

	if (m > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (int i = 0; i <= m; i++)
		for (int j = 0; j <= n; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[m][n];
}

struct suggestion suggest_for(const char *word)
{
	/* A third of the letters wrong is a guess; more is another word. */
	return (struct suggestion){ .word = word, .distance = (int)(strlen(word) + 2) / 3 + 1 };
}

void suggest_try(struct suggestion *s, const char *candidate)
{
	int near = distance(s->word, candidate);

	if (near >= s->distance)
		return;
	s->distance = near;
	s->best = candidate;
}

void suggest_tell(const struct suggestion *s, const char *dashes)
{
	if (s->best)
		fprintf(stderr, "; did you mean %s%s?", dashes, s->best);
	else
		fputc(';', stderr);
}
