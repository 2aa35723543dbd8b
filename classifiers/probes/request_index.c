/*
 * Probes by what their bytes begin with, and by bytes of their headers. A header is like another when most bytes are the
 * same; so of a few of them, chosen well, one at least must be, and only probes that share one of these are compared.
 */
#include "classifiers/probes/request_index.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	BEGINNING_LEAST = 4,  /* bytes of a probe that a longer request may begin with */
	HEADER_BYTES = 16,    /* compared of binary requests */
	HEADER_LEAST = 8,
	SAME_LEAST = 4,       /* bytes, none of them zero, that kin has in the same places */
	SAME_OF_TEN = 7,      /* and so many of ten of those that the probe has there */
	SHELVES = 2,
	BEGINNINGS = 256,
	NONE = 0,
};

/* A probe, with its header as words; bytes that it hasn't are zero there. */
struct entry {
	uint64_t header[HEADER_BYTES / 8];
	uint64_t telling[HEADER_BYTES / 8]; /* the high bit of each byte that isn't zero */
	uint32_t next;                      /* with the same beginning, NONE at the end */
};

struct link {
	uint32_t entry, next;
};

/* Of one transport. Numbers of entries and links are one more than their place: NONE is none. */
struct shelf {
	uint32_t beginnings[BEGINNINGS];
	uint32_t too_short;                 /* for a beginning */
	uint32_t telling[HEADER_BYTES][256];
};

struct request_index {
	const struct service_probes *probes;
	struct entry *entries;              /* by probe */
	struct link *links;
	uint32_t link_count;
	struct shelf shelves[SHELVES];
};

static unsigned beginning_of(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof word);
	return word * 2654435761u >> 24;
}

/* The high bit of each byte that is not zero. */
static uint64_t filled(uint64_t word)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f;

	return (((word & low) + low) | word) & ~low;
}

/* How many bytes have their high bit set, of words in which no other is. */
static unsigned count_high(uint64_t first, uint64_t second)
{
	return (unsigned)(((first >> 7) + (second >> 7)) * 0x0101010101010101 >> 56);
}

static void words_of(const uint8_t *bytes, size_t len, uint64_t words[HEADER_BYTES / 8])
{
	words[0] = words[1] = 0;
	memcpy(words, bytes, len < HEADER_BYTES ? len : HEADER_BYTES);
}

/* High bits of the first n bytes, as they lie in memory. */
static void first_bytes(size_t n, uint64_t mask[HEADER_BYTES / 8])
{
	uint8_t bytes[HEADER_BYTES];

	for (size_t i = 0; i < HEADER_BYTES; i++)
		bytes[i] = i < n ? 0x80 : 0;
	memcpy(mask, bytes, sizeof bytes);
}

/* So many bytes must be the same of `telling` ones; more than there are when it can't be. */
static unsigned needed(unsigned telling)
{
	unsigned share = (telling * SAME_OF_TEN + 9) / 10;

	return share < SAME_LEAST ? SAME_LEAST : share;
}

static void add_link(struct request_index *x, uint32_t *head, uint32_t probe)
{
	x->links[x->link_count] = (struct link){ .entry = probe, .next = *head };
	*head = ++x->link_count;
}

/* The place below n whose byte the fewest probes have there, of those that tell and aren't chosen yet. */
static size_t rarest(const uint16_t (*common)[256], const uint8_t *bytes, size_t n, const bool *chosen)
{
	size_t best = HEADER_BYTES;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] && !chosen[i] && (best == HEADER_BYTES || common[i][bytes[i]] < common[best][bytes[best]]))
			best = i;
	return best;
}

/*
 * Chooses places of a probe's header so that no request is like it, however short it is cut, that has another byte in
 * all of them: what is left over must not be enough.
 */
static void add_header(struct request_index *x, struct shelf *shelf, const uint16_t (*common)[256], uint32_t probe)
{
	const struct service_probe *p = &x->probes->probes[probe];
	size_t len = p->payload_len < HEADER_BYTES ? p->payload_len : HEADER_BYTES;
	bool chosen[HEADER_BYTES] = { false };

	for (size_t n = HEADER_LEAST; n <= len; n++) {
		unsigned telling = 0, left = 0;

		for (size_t i = 0; i < n; i++) {
			telling += p->payload[i] != 0;
			left += p->payload[i] && !chosen[i];
		}
		for (; left >= needed(telling); left--) {
			size_t at = rarest(common, p->payload, n, chosen);

			chosen[at] = true;
			add_link(x, &shelf->telling[at][p->payload[at]], probe);
		}
	}
}

static void add_probe(struct request_index *x, uint32_t probe)
{
	const struct service_probe *p = &x->probes->probes[probe];
	struct shelf *shelf = &x->shelves[p->transport == TRANSPORT_TCP];
	struct entry *e = &x->entries[probe];
	uint32_t *head = p->payload_len < BEGINNING_LEAST ? &shelf->too_short : &shelf->beginnings[beginning_of(p->payload)];

	words_of(p->payload, p->payload_len, e->header);
	for (size_t i = 0; i < HEADER_BYTES / 8; i++)
		e->telling[i] = filled(e->header[i]);
	e->next = *head;
	*head = probe + 1;
}

static void count_bytes(const struct service_probe *p, uint16_t (*common)[256])
{
	for (size_t i = 0; i < HEADER_BYTES && i < p->payload_len; i++)
		common[i][p->payload[i]]++;
}

struct request_index *request_index_new(const struct service_probes *s)
{
	struct request_index *x = calloc(1, sizeof *x);
	uint16_t (*common)[HEADER_BYTES][256] = calloc(SHELVES, sizeof *common);

	if (x) {
		x->probes = s;
		x->entries = calloc(s->probe_count, sizeof *x->entries);
		x->links = calloc((size_t)s->probe_count * HEADER_BYTES, sizeof *x->links);
	}
	if (!x || !common || !x->entries || !x->links) {
		request_index_free(x);
		free(common);
		return NULL;
	}
	for (uint32_t i = 0; i < s->probe_count; i++)
		count_bytes(&s->probes[i], common[s->probes[i].transport == TRANSPORT_TCP]);
	for (uint32_t i = 0; i < s->probe_count; i++) {
		bool tcp = s->probes[i].transport == TRANSPORT_TCP;

		if (!s->probes[i].payload_len)
			continue;
		add_probe(x, i);
		add_header(x, &x->shelves[tcp], (const uint16_t (*)[256])common[tcp], i);
	}
	free(common);
	return x;
}

void request_index_free(struct request_index *x)
{
	if (!x)
		return;
	free(x->entries);
	free(x->links);
	free(x);
}

static bool is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && i < HEADER_BYTES; i++)
		if (bytes[i] >= 0x7f || (bytes[i] < 0x20 && !isspace(bytes[i])))
			return false;
	return true;
}

/* The longest probe that the request begins with, or is. */
static long find_beginning(const struct request_index *x, const struct shelf *shelf, const uint8_t *request, size_t len,
			   enum service_kinship *kinship)
{
	uint32_t i = len < BEGINNING_LEAST ? shelf->too_short : shelf->beginnings[beginning_of(request)];
	const struct service_probe *probes = x->probes->probes;
	long found = -1;

	for (; i != NONE; i = x->entries[i - 1].next) {
		const struct service_probe *p = &probes[i - 1];

		if (p->payload_len > len || (len < BEGINNING_LEAST && p->payload_len != len) || memcmp(p->payload, request, p->payload_len) != 0)
			continue;
		if (found >= 0 && (p->payload_len < probes[found].payload_len || (p->payload_len == probes[found].payload_len && i - 1 > found)))
			continue;
		*kinship = p->payload_len == len ? SERVICE_SAME : SERVICE_BEGINS;
		found = i - 1;
	}
	return found;
}

/* A request's header, and which bytes of it there are. */
struct asked {
	uint64_t header[HEADER_BYTES / 8], there[HEADER_BYTES / 8];
};

/* How near a probe's header is, in tenths; 0 for not at all. */
static unsigned likeness(const struct entry *e, const struct asked *a)
{
	uint64_t first = e->telling[0] & a->there[0], second = e->telling[1] & a->there[1];
	unsigned telling = count_high(first, second);
	unsigned same = count_high(first & ~filled(e->header[0] ^ a->header[0]), second & ~filled(e->header[1] ^ a->header[1]));

	return same < needed(telling) ? 0 : same * 10 / telling;
}

static long find_alike(const struct request_index *x, const struct shelf *shelf, const uint8_t *request, size_t len)
{
	size_t n = len < HEADER_BYTES ? len : HEADER_BYTES;
	unsigned best = 0;
	struct asked a;
	long found = -1;

	words_of(request, len, a.header);
	first_bytes(n, a.there);
	for (size_t at = 0; at < n; at++)
		for (uint32_t i = shelf->telling[at][request[at]]; i != NONE; i = x->links[i - 1].next) {
			uint32_t probe = x->links[i - 1].entry;
			unsigned near = likeness(&x->entries[probe], &a);

			if (near < best || near == 0 || (near == best && probe >= found))
				continue;
			best = near;
			found = probe;
		}
	return found;
}

long request_index_nearest(const struct request_index *x, enum transport t, const uint8_t *request, size_t len,
			   enum service_kinship *kinship)
{
	const struct shelf *shelf = &x->shelves[t == TRANSPORT_TCP];
	long found;

	*kinship = SERVICE_UNRELATED;
	found = find_beginning(x, shelf, request, len, kinship);
	if (found >= 0 || len < HEADER_LEAST || is_text(request, len))
		return found;
	found = find_alike(x, shelf, request, len);
	if (found >= 0)
		*kinship = SERVICE_KIN;
	return found;
}
