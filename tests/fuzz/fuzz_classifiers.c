/*
 * Every classifier on conversations that nobody would hold; tests/fuzz/classifiers builds it with one alone.
 *
 * Input: the number of a classifier, then messages {flags:1 len:2 bytes}. Flags: 1 the other
 * direction, 2 a gap before it, 4 cut by the capture, 8 the usual port, 16 what was told is forgotten first. The memo
 * lives on from message to message, as in a flow; each message ends where readable memory ends.
 */
#include "classifiers/api/classifier.h"
#include "tests/fuzz/messages.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { MESSAGE_ROOM = 65536, GUARD_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

MUTATE_MESSAGES(1)

static struct told told;

static void check_told(const struct told *t)
{
	if (t->count > TOLD_ITEMS || t->used > TOLD_TEXT_BYTES)
		abort();
	for (unsigned i = 0; i < t->count; i++) {
		struct finding f = { .kind = t->items[i].kind, .confidence = t->items[i].confidence,
				     .transport = TRANSPORT_TCP };

		*(f.kind == FINDING_ACTIVITY ? &f.activity : &f.attribute) = t->items[i].attribute;
		memcpy(f.path, t->text + t->items[i].path, strnlen(t->text + t->items[i].path, sizeof f.path - 1));
		memcpy(f.value, t->text + t->items[i].value, strnlen(t->text + t->items[i].value, sizeof f.value - 1));
		if (!finding_valid(&f))
			abort();
	}
}

/* A copy that is followed by a page nobody may touch: cheaper than a block for each message, and as strict. */
static uint8_t *exact_copy(const uint8_t *bytes, size_t len)
{
	static uint8_t *room;

	if (!room) {
		room = mmap(NULL, MESSAGE_ROOM + GUARD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (room == MAP_FAILED || mprotect(room + MESSAGE_ROOM, GUARD_BYTES, PROT_NONE) < 0)
			abort();
	}
	if (len)
		memcpy(room + MESSAGE_ROOM - len, bytes, len);
	return room + MESSAGE_ROOM - len;
}

/* What a flow keeps between its messages. */
struct talk {
	uint64_t memo[MEMO_BYTES / 8];
	bool spoke[2]; /* by direction: a message was MINE */
};

/* As the engine asks: of a flow that is the classifier's, and of bytes that nothing is missing from. */
static bool glance(const struct classifier *c, const struct reader *r, const struct talk *talk, struct glance *g, uint64_t *memo)
{
	*g = (struct glance){ .bytes = r->bytes, .direction = r->direction, .transport = r->transport, .time_ns = r->time_ns };
	return c->glance && !r->gap && !r->truncated && (!r->memo || talk->spoke[r->direction]) && c->glance(g, r->memo ? memo : NULL) &&
	       cursor_ok(&g->bytes);
}

/* One message; what a glance calls routine must be nothing else for read(). */
static enum verdict read_one(const struct classifier *c, struct reader *r, struct talk *talk)
{
	uint64_t glanced[MEMO_BYTES / 8];
	struct glance g;
	enum verdict v;
	bool routine;

	told.count = told.used = 0;
	told.lost = 0;
	r->signs = 0;
	memcpy(glanced, talk->memo, sizeof glanced);
	routine = glance(c, r, talk, &g, glanced);
	if (!routine && memcmp(glanced, talk->memo, sizeof glanced) != 0)
		abort();
	v = c->read(r);
	if (routine && (v != MINE || told.count || told.lost || r->signs != g.signs || memcmp(glanced, talk->memo, sizeof glanced) != 0 ||
			(r->transport == TRANSPORT_TCP && g.bytes.at != r->bytes.at)))
		abort();
	if (v == MINE)
		check_told(&told);
	talk->spoke[r->direction] |= v == MINE;
	return v;
}

static void read_message(const struct classifier *c, uint8_t transport, struct talk *talk, uint8_t flags, struct cursor bytes)
{
	static const struct endpoint ends[2] = { { .family = 4, .ip = { 10, 0, 0, 1 } }, { .family = 4, .ip = { 10, 0, 0, 2 } } };
	uint8_t direction = flags & 1;
	size_t len = cursor_left(&bytes);
	struct reader r = { .transport = transport, .direction = direction, .gap = flags & 2, .truncated = flags & 4,
			    .sender_port = direction ? c->ports[0] : 50000, .receiver_port = direction ? 50000 : c->ports[0],
			    .sender = &ends[direction], .receiver = &ends[!direction], .ethertype = c->ethertypes[0],
			    .memo = transport <= TRANSPORT_IP ? NULL : talk->memo, .told = &told };

	if (flags & 16 && c->forget && r.memo)
		c->forget(r.memo);
	if (!(flags & 8))
		r.sender_port = r.receiver_port = 4000;
	r.bytes = cursor_over(exact_copy(bytes.at, len), len);
	/* As the engine does: message after message, until the bytes are used up or refused. */
	for (int n = 0; n < 64 && cursor_left(&r.bytes); n++) {
		const uint8_t *before = r.bytes.at;
		enum verdict v = read_one(c, &r, talk);

		if (v == NOT_MINE || v == NEED_MORE || r.bytes.at == before || transport != TRANSPORT_TCP)
			break;
		r.gap = false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	unsigned count = 0, wanted = cursor_u8(&c);
	struct talk talks[TRANSPORTS] = { 0 };

	while (classifiers[count])
		count++;
	if (!count)
		abort();
	while (cursor_left(&c) >= 3) {
		const struct classifier *classifier = classifiers[wanted % count];
		uint8_t flags = cursor_u8(&c);
		uint16_t len = cursor_u16be(&c);
		struct cursor bytes = cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c));

		for (uint8_t t = TRANSPORT_ETHERNET; t < TRANSPORTS; t++)
			if (classifier->transports & 1u << t)
				read_message(classifier, t, &talks[t], flags, bytes);
	}
	return 0;
}
