/*
 * Three ways for a request to be a probe's: byte for byte, by its beginning, or as kin. Kin of a text is
 * what names the same protocol at the end of its first line ("... HTTP/1.1"), with the same method first.
 * Kin of binary bytes has most of the header's bytes that are not zero in the same places: lengths,
 * numbers and names may differ.
 */
#include "classifiers/probes/service_request.h"

#include <ctype.h>
#include <string.h>

enum {
	BEGINNING_LEAST = 4,  /* bytes of a probe that a longer request may begin with */
	HEADER_BYTES = 16,    /* compared of binary requests */
	HEADER_LEAST = 8,
	SAME_LEAST = 4,       /* bytes, none of them zero, that kin has in the same places */
	SAME_OF_TEN = 7,      /* and so many of ten of those that the probe has there */
	WORD_BYTES = 12,
};

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

/* The high bit of each byte that is zero. */
static uint64_t zeros(uint64_t word)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f;

	return ~(((word & low) + low) | word | low);
}

/* The header of a request, or of a probe; zeros where it has no more bytes. */
static void header_of(const uint8_t *bytes, size_t n, uint64_t header[HEADER_BYTES / 8])
{
	header[0] = header[1] = 0;
	memcpy(header, bytes, n);
}

/* How near two binary headers are, in tenths; 0 for not at all. Asked of all probes for each request. */
static unsigned likeness(const struct service_probe *p, const uint8_t *request, size_t len)
{
	size_t n = p->payload_len < len ? p->payload_len : len;
	uint64_t ours[HEADER_BYTES / 8], theirs[HEADER_BYTES / 8];
	unsigned telling = 0, same = 0;

	if (n > HEADER_BYTES)
		n = HEADER_BYTES;
	if (n < HEADER_LEAST)
		return 0;
	header_of(p->payload, n, ours);
	header_of(request, n, theirs);
	for (size_t i = 0; i < HEADER_BYTES / 8; i++) {
		uint64_t silent = zeros(ours[i]);

		telling += 8 - (unsigned)__builtin_popcountll(silent);
		same += (unsigned)__builtin_popcountll(zeros(ours[i] ^ theirs[i]) & ~silent);
	}
	if (same < SAME_LEAST || same * 10 < telling * SAME_OF_TEN)
		return 0;
	return same * 10 / telling;
}

static bool is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && i < HEADER_BYTES; i++)
		if (bytes[i] >= 0x7f || (bytes[i] < 0x20 && !isspace(bytes[i])))
			return false;
	return true;
}

/* The nearest probe by the bytes themselves. */
static long nearest(const struct service_probes *s, enum transport t, const uint8_t *request, size_t len, enum service_kinship *kinship)
{
	bool text = is_text(request, len);
	size_t best = 0;
	long found = -1;

	*kinship = SERVICE_UNRELATED;
	for (uint32_t i = 0; i < s->probe_count; i++) {
		const struct service_probe *p = &s->probes[i];
		enum service_kinship k = SERVICE_UNRELATED;
		size_t nearness = p->payload_len;

		if (p->transport != t || !p->payload_len)
			continue;
		if (p->payload_len <= len && memcmp(p->payload, request, p->payload_len) == 0)
			k = p->payload_len == len ? SERVICE_SAME : p->payload_len >= BEGINNING_LEAST ? SERVICE_BEGINS : SERVICE_UNRELATED;
		else if (!text && (nearness = likeness(p, request, len)))
			k = SERVICE_KIN;
		if (k == SERVICE_UNRELATED || k < *kinship || (k == *kinship && nearness <= best))
			continue;
		*kinship = k;
		best = nearness;
		found = (long)i;
	}
	return found;
}

void service_question_of(const struct service_probes *s, enum transport t, const uint8_t *request, size_t len, struct service_question *q)
{
	enum service_kinship kinship;
	struct service_question greeting;
	struct words w;
	long probe;

	*q = (struct service_question){ .kinship = SERVICE_UNRELATED };
	if (len > SERVICE_REQUEST_BYTES)
		len = SERVICE_REQUEST_BYTES;
	probe = nearest(s, t, request, len, &kinship);
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
