/* Structure-aware mutation without knowing any one structure; messages.h says how. */
#include "tests/fuzz/messages.h"

#include <stdbool.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

enum { MESSAGES = 64, LENGTHS = 16, SLACK = 8, GROWTH = 64 };

struct message {
	size_t at; /* of its bytes; two bytes before stands their number */
	size_t len;
};

/* A field of a message that counts the bytes behind it, but for `slack`. */
struct length {
	size_t at;
	uint8_t width;
	bool little;
};

static uint32_t draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return below ? (uint32_t)(*state >> 33) % below : 0;
}

static size_t list_messages(const uint8_t *data, size_t size, size_t head, struct message m[MESSAGES])
{
	size_t at = head, count = 0;

	while (count < MESSAGES && at + 3 <= size) {
		size_t len = (size_t)(data[at + 1] << 8 | data[at + 2]);

		at += 3;
		if (len > size - at)
			break;
		m[count++] = (struct message){ at, len };
		at += len;
	}
	return count;
}

static uint32_t get(const uint8_t *p, const struct length *l)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < l->width; i++)
		value = value << 8 | p[l->little ? l->width - 1u - i : i];
	return value;
}

static void put(uint8_t *p, const struct length *l, uint32_t value)
{
	for (unsigned i = 0; i < l->width; i++)
		p[l->little ? i : l->width - 1u - i] = (uint8_t)(value >> 8 * i);
}

/* It counts what follows it, or the whole message, give or take a header's rest or a checksum. */
static bool counts(const uint8_t *bytes, size_t len, const struct length *l)
{
	uint32_t value = get(bytes + l->at, l);
	size_t rest = len - l->at - l->width;

	return value && ((value <= rest && rest - value <= SLACK) || (value > rest && value <= len && len - value <= SLACK));
}

static size_t list_lengths(const uint8_t *bytes, size_t len, struct length out[LENGTHS])
{
	size_t count = 0;

	for (size_t at = 0; at < len && count < LENGTHS; at++)
		for (unsigned form = 0; form < 5 && count < LENGTHS; form++) {
			struct length l = { at, (uint8_t[]){ 1, 2, 2, 4, 4 }[form], form == 2 || form == 4 };

			if (at + l.width < len && counts(bytes, len, &l))
				out[count++] = l;
		}
	return count;
}

/* Makes room for, or takes away, bytes of one message. The new size of the input. */
static size_t resize(uint8_t *data, size_t size, const struct message *m, size_t at, size_t gone, size_t come)
{
	uint8_t *place = data + m->at + at;
	size_t len = m->len - gone + come;

	memmove(place + come, place + gone, size - m->at - at - gone);
	data[m->at - 2] = (uint8_t)(len >> 8);
	data[m->at - 1] = (uint8_t)len;
	return size - gone + come;
}

size_t messages_mutate(uint8_t *data, size_t size, size_t most, unsigned seed, size_t head)
{
	uint64_t state = seed;
	struct message m[MESSAGES];
	struct length lengths[LENGTHS];
	size_t count = list_messages(data, size, head, m), found, at, gone = 0, come = 0;
	const struct message *one = count ? &m[draw(&state, (uint32_t)count)] : NULL;

	if (!one || one->len < 4 || draw(&state, 3) == 0)
		return LLVMFuzzerMutate(data, size, most);
	found = list_lengths(data + one->at, one->len, lengths);
	at = found ? lengths[0].at + lengths[0].width : 0;
	at += draw(&state, (uint32_t)(one->len - at));
	if (draw(&state, 2)) {
		come = 1 + draw(&state, GROWTH);
		if (size + come > most || one->len + come > 0xffff)
			return LLVMFuzzerMutate(data, size, most);
	} else {
		gone = 1 + draw(&state, (uint32_t)(one->len - at));
	}
	size = resize(data, size, one, at, gone, come);
	for (size_t i = 0; i < come; i++)
		data[one->at + at + i] = draw(&state, 4) ? (uint8_t)draw(&state, 256) : data[one->at + draw(&state, (uint32_t)one->len)];
	for (size_t i = 0; i < found; i++)
		if (lengths[i].at + lengths[i].width <= at && draw(&state, 16))
			put(data + one->at + lengths[i].at, &lengths[i], get(data + one->at + lengths[i].at, &lengths[i]) + (uint32_t)(come - gone));
	return size;
}
