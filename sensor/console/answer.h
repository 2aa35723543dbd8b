/* Answers to requests: JSON, errors, and what stands in the head of every answer. */
#ifndef SENSOR_CONSOLE_ANSWER_H
#define SENSOR_CONSOLE_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct answer {
	struct MHD_Response *response; /* NULL: there is none yet */
	unsigned status;
};

/* Takes the text over, which malloc() gave; compresses it where that is worth it and `gzip` says that the other side reads it. */
struct answer answer_json(unsigned status, char *text, size_t len, bool gzip);

/* {"error": "the sentence"} */
struct answer answer_error(unsigned status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the head that all answers have. */
void answer_guard(struct MHD_Response *r);

/* Bytes as gzip has them; NULL when memory is short, or nothing is won. The caller frees. */
char *answer_compress(const char *text, size_t len, size_t *packed);

#endif
