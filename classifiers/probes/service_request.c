/*
 * Three ways for a request to be a probe's: byte for byte, by its beginning, or as kin. Kin of a text is
 * what names the same protocol at the end of its first line ("... HTTP/1.1"), with the same method first.
 * Kin of binary bytes has most of the header's bytes that are not zero in the same places: lengths,
 * numbers and names may differ.
 */
#include "classifiers/probes/service_request.h"

#include <ctype.h>
#include <string.h>

enum { WORD_BYTES = 12 };

static void add_list(struct service_question *q, uint32_t probe)
{
	for (unsigned i = 0; i < q->count; i++)
		if (q->lists[i] == probe)
			return;
	if (q->count < SERVICE_LISTS)
		q->lists[q->count++] = probe;
}

/* A probe's own lines, then those it falls back to, and on TCP what servers say unasked. */
static void add_probe(const struct service_probes *s, struct service_question *q, uint32_t probe)
{
	const struct service_probe *p = &s->probes[probe];

	add_list(q, probe);
	for (uint32_t i = 0; i < p->fallback_count; i++)
		add_list(q, p->fallback[i]);
}

void service_question_of_greeting(const struct service_probes *s, struct service_question *q)
{
	*q = (struct service_question){ .kinship = SERVICE_SAME };
	for (uint32_t i = 0; i < s->probe_count; i++)
		if (s->probes[i].transport == TRANSPORT_TCP && s->probes[i].payload_len == 0)
			add_probe(s, q, i);
}

/* The first line of a text request: its first word, and the protocol that its last word names ("HTTP" of "HTTP/1.1"). */
struct words {
	char method[WORD_BYTES];
	char protocol[WORD_BYTES];
};

static bool copy_word(char to[WORD_BYTES], const uint8_t *from, size_t n)
{
	if (n == 0 || n >= WORD_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isupper(from[i]))
			return false;
		to[i] = (char)from[i];
	}
	to[n] = 0;
	return true;
}

static bool words_of(const uint8_t *bytes, size_t len, struct words *w)
{
	const uint8_t *end, *blank, *last, *slash;

	if (!len || !isupper(bytes[0])) /* as most are not, and this is asked of all probes */
		return false;
	end = memchr(bytes, '\n', len);
	blank = memchr(bytes, ' ', len);
	if (!end || !blank || blank > end || !copy_word(w->method, bytes, (size_t)(blank - bytes)))
		return false;
	end -= end > bytes && end[-1] == '\r';
	for (last = end; last > blank && last[-1] != ' '; last--)
		continue;
	slash = memchr(last, '/', (size_t)(end - last));
	return slash && slash + 1 < end && isdigit(slash[1]) && copy_word(w->protocol, last, (size_t)(slash - last));
}

/* Probes that ask in the same language by the same method; where there is none, the first that asks in it at all. */
static bool add_text_kin(const struct service_probes *s, const struct words *w, enum transport t, struct service_question *q)
{
	long first = -1;

	for (uint32_t i = 0; i < s->probe_count; i++) {
		const struct service_probe *p = &s->probes[i];
		struct words probe;

		if (p->transport != t || !words_of(p->payload, p->payload_len, &probe) || strcmp(probe.protocol, w->protocol) != 0)
			continue;
		if (first < 0)
			first = (long)i;
		if (strcmp(probe.method, w->method) == 0)
			add_list(q, i);
	}
	if (first >= 0 && q->count == 0)
		add_list(q, (uint32_t)first);
	for (unsigned i = 0, own = q->count; i < own; i++)
		add_probe(s, q, q->lists[i]);
	return first >= 0;
}

void service_question_of(const struct service_probes *s, const struct request_index *x, enum transport t, const uint8_t *request, size_t len,
			 struct service_question *q)
{
	enum service_kinship kinship;
	struct service_question greeting;
	struct words w;
	long probe;

	*q = (struct service_question){ .kinship = SERVICE_UNRELATED };
	if (len > SERVICE_REQUEST_BYTES)
		len = SERVICE_REQUEST_BYTES;
	probe = request_index_nearest(x, t, request, len, &kinship);
	if (probe >= 0) {
		q->kinship = (uint8_t)kinship;
		add_probe(s, q, (uint32_t)probe);
	} else if (words_of(request, len, &w) && add_text_kin(s, &w, t, q)) {
		q->kinship = SERVICE_KIN;
	}
	if (q->count && t == TRANSPORT_TCP) {
		service_question_of_greeting(s, &greeting);
		for (unsigned i = 0; i < greeting.count; i++)
			add_list(q, greeting.lists[i]);
	}
}
