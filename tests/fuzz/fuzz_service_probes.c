/*
 * A file of service probes from nobody knows whom, and answers matched with its lines; likewise files of
 * signatures and prints of stacks.
 *
 * Input: the kind of file:1, its length:2, the file, and the rest an answer, a request or a packet.
 */
#include "classifiers/match/service_match.h"
#include "classifiers/probes/service_request.h"
#include "classifiers/stack/os_db.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_COMPILED = 200 };

static void ignore(void *context, const char *path, uint32_t line, const char *sentence)
{
	(void)path;
	(void)line;
	/* A sentence is one: it ends. */
	*(size_t *)context += strlen(sentence);
}

static void expand_all(const struct service_found *found)
{
	char out[SERVICE_VALUE_BYTES];

	for (enum service_field field = 0; field < SERVICE_FIELDS; field++)
		if (found->match->field[field] && service_template_expand(found->match->field[field], field, &found->groups, out) >= SERVICE_VALUE_BYTES)
			abort();
}

static void try_probes(const char *text, size_t len, const uint8_t *answer, size_t answer_len)
{
	size_t told = 0;
	struct service_probes *s = service_probes_read(text, len, "fuzz", ignore, &told);
	struct service_matcher *m = s && s->match_count < LINES_COMPILED ? service_matcher_new(s, "fuzz", ignore, &told) : NULL;
	struct request_index *x = s ? request_index_new(s) : NULL;
	struct service_question q;
	struct service_found found;

	for (enum transport t = TRANSPORT_UDP; x && t <= TRANSPORT_TCP; t++) {
		service_question_of(s, x, t, answer, answer_len, &q);
		if (m && q.count && service_match_find(m, q.lists, q.count, answer, answer_len, &found))
			expand_all(&found);
	}
	for (uint32_t i = 0; m && i < s->probe_count; i++)
		if (service_match_find(m, &i, 1, answer, answer_len, &found))
			expand_all(&found);
	service_matcher_free(m);
	request_index_free(x);
	service_probes_free(s);
}

static void try_stacks(const char *text, size_t len, const uint8_t *packet, size_t packet_len)
{
	size_t told = 0;
	struct stack_file *f = stack_file_read(text, len, "fuzz", ignore, &told);
	struct os_db *db = os_db_read(text, len, "fuzz", ignore, &told);
	struct stack_signature s;
	struct os_guess guess;
	char out[STACK_TEXT_BYTES];

	if (stack_signature_read(cursor_over(packet, packet_len), 1460, &s)) {
		if (stack_signature_write(&s, out) >= STACK_TEXT_BYTES)
			abort();
		if (f)
			stack_file_find(f, &s);
		if (db)
			os_db_guess(db, &s, &s, &guess);
	}
	stack_file_free(f);
	os_db_free(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	uint8_t *rest;

	if (size < 3)
		return 0;
	len = (size_t)(data[1] << 8 | data[2]);
	len = len < size - 3 ? len : size - 3;
	/* The rest in a block of its exact size. */
	rest = malloc(size - 3 - len + 1);
	memcpy(rest, data + 3 + len, size - 3 - len);
	if (data[0] & 1)
		try_stacks((const char *)data + 3, len, rest, size - 3 - len);
	else
		try_probes((const char *)data + 3, len, rest, size - 3 - len);
	free(rest);
	return 0;
}
