#include "sensor/engine/file_index.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	PARTS_LEAST = 4, /* held at once */
	LEAD = 2, /* parts that are gone through before they are needed: who is at it may be kept from it for a while */
	AHEAD_BYTES = 4096,
	AHEAD_FRAMES = 16, /* of its own, whose headers are fetched */
	LINE_BYTES = 64,
};

/* One of an engine's frames. */
struct entry {
	uint32_t offset; /* of its record, from the part's start */
	uint16_t frame;  /* of the part, from 0 */
	uint8_t share;   /* SHARE_UNSURE: every engine has it */
	uint8_t reserved;
};

struct part {
	uint64_t number; /* and one more, 0 for none: theirs who is busy */
	uint64_t start, end;
	int64_t first_ns;
	int64_t time_ns[INDEX_PART_STRIDES]; /* of the last frame of each stride */
	uint32_t count[SHARES];
	struct entry entry[]; /* INDEX_PART_FRAMES for each engine */
};

/* Where a part stands: those that all engines are done with make room again, the first of them first, so that little memory is in use. */
struct place {
	_Atomic uint64_t whole; /* the part's number and one more, once all of it is written */
	uint32_t room;
	uint32_t reserved;
};

struct head {
	_Alignas(LINE_BYTES) _Atomic uint32_t busy; /* somebody goes through a part */
	uint64_t next, offset; /* the part to go through, and where it begins: theirs who is busy */
	struct {
		_Alignas(LINE_BYTES) _Atomic uint64_t part;
	} at[SHARES]; /* that each engine has arrived at: it needs none before */
	struct place place[]; /* of a part at its number, modulo as many as have room */
};

struct file_index {
	struct head *head;
	unsigned engine, engines;
	size_t bytes;
	uint32_t rooms; /* for parts: who is further behind than that is not helped */
	uint64_t part, offset; /* arrived at */
	struct part *open; /* being gone through, in this room */
	uint32_t room;
	const struct part *read;
	const struct entry *entries; /* of `read` */
	uint32_t count, taken;
};

static size_t part_bytes(unsigned engines)
{
	return sizeof(struct part) + (size_t)engines * INDEX_PART_FRAMES * sizeof(struct entry);
}

static size_t room_bytes(unsigned engines)
{
	return sizeof(struct place) + part_bytes(engines);
}

struct file_index *file_index_open(int fd, unsigned engine, unsigned engines)
{
	struct file_index *x = calloc(1, sizeof *x);
	struct stat st;

	if (!x)
		return NULL;
	x->engine = engine;
	x->engines = engines;
	if (fstat(fd, &st) == 0 && (size_t)st.st_size >= sizeof(struct head) + PARTS_LEAST * room_bytes(engines)) {
		x->bytes = (size_t)st.st_size;
		x->rooms = (uint32_t)((x->bytes - sizeof(struct head)) / room_bytes(engines));
		x->head = mmap(NULL, x->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (x->head != MAP_FAILED)
			return x;
	}
	free(x);
	return NULL;
}

void file_index_close(struct file_index *x)
{
	if (!x)
		return;
	munmap(x->head, x->bytes);
	free(x);
}

static struct place *place_of(const struct file_index *x, uint64_t part)
{
	return &x->head->place[part % x->rooms];
}

static struct part *part_in(const struct file_index *x, uint32_t room)
{
	return (struct part *)((uint8_t *)&x->head->place[x->rooms] + room * part_bytes(x->engines));
}

void file_index_arrive(struct file_index *x, uint64_t part, uint64_t offset)
{
	x->part = part;
	x->offset = offset;
	atomic_store_explicit(&x->head->at[x->engine].part, part, memory_order_release);
}

/* The part that the last engine has arrived at. */
static uint64_t last_needed(const struct file_index *x)
{
	uint64_t last = UINT64_MAX;

	for (unsigned i = 0; i < x->engines; i++) {
		uint64_t at = atomic_load_explicit(&x->head->at[i].part, memory_order_acquire);

		last = at < last ? at : last;
	}
	return last;
}

/* Room for a part; NULL while all of it is needed. */
static struct part *find_room(const struct file_index *x, uint64_t part, uint32_t *room)
{
	uint64_t needed = last_needed(x);

	if (part >= needed + x->rooms)
		return NULL;
	for (*room = 0; *room < x->rooms; ++*room) {
		struct part *p = part_in(x, *room);

		if (p->number <= needed)
			return p;
	}
	return NULL;
}

static void let_go(struct file_index *x)
{
	x->open = NULL;
	atomic_store_explicit(&x->head->busy, 0, memory_order_release);
}

bool file_index_begin(struct file_index *x)
{
	struct head *h = x->head;
	uint32_t nobody = 0;

	if (!atomic_compare_exchange_strong_explicit(&h->busy, &nobody, 1, memory_order_acquire, memory_order_relaxed))
		return false;
	/* Who went on alone, while another was kept from its work, is further than it. */
	if (h->next <= x->part) {
		h->next = x->part;
		h->offset = x->offset;
	}
	x->open = h->next < x->part + LEAD ? find_room(x, h->next, &x->room) : NULL;
	if (!x->open)
		let_go(x);
	return x->open != NULL;
}

/* Where the next entry of each engine goes. */
struct lists {
	struct entry *end[SHARES];
	uint8_t engine_of[SHARES];
	unsigned engines;
};

static struct lists begin_lists(const struct file_index *x, struct part *p)
{
	struct lists l = { .engines = x->engines };

	for (unsigned i = 0; i < x->engines; i++)
		l.end[i] = &p->entry[(size_t)i * INDEX_PART_FRAMES];
	for (unsigned s = 0; s < SHARES; s++)
		l.engine_of[s] = (uint8_t)(s % x->engines);
	return l;
}

static inline void enter_frame(struct lists *l, struct entry e)
{
	if (e.share != SHARE_UNSURE) {
		*l->end[l->engine_of[e.share]]++ = e;
		return;
	}
	for (unsigned i = 0; i < l->engines; i++)
		*l->end[i]++ = e;
}

bool file_index_walk(struct file_index *x, const struct cursor *file, const struct pcap_form *form)
{
	struct part *p = x->open;
	struct lists lists = begin_lists(x, p);
	struct capture_place place = { 0 };
	struct cursor c = *file;
	const uint8_t *start;
	struct frame f;

	p->number = x->head->next + 1;
	p->start = x->head->offset;
	cursor_skip(&c, p->start);
	start = c.at;
	for (unsigned i = 0; i < INDEX_PART_FRAMES; i++) {
		struct entry e = { .offset = (uint32_t)(c.at - start), .frame = (uint16_t)i };

		if (!take_pcap_record(&c, form, &f))
			return false;
		__builtin_prefetch(c.at + AHEAD_BYTES);
		__builtin_prefetch(c.at + AHEAD_BYTES + LINE_BYTES);
		capture_place_pass(&place, &f);
		e.share = share_of_frame(f.bytes, f.captured, f.linktype);
		enter_frame(&lists, e);
		if (i % STRIDE_FRAMES == STRIDE_FRAMES - 1)
			p->time_ns[i / STRIDE_FRAMES] = place.last_ns;
	}
	p->end = (uint64_t)(c.at - file->at);
	p->first_ns = place.first_ns;
	for (unsigned i = 0; i < x->engines; i++)
		p->count[i] = (uint32_t)(lists.end[i] - &p->entry[(size_t)i * INDEX_PART_FRAMES]);
	return true;
}

void file_index_publish(struct file_index *x)
{
	struct head *h = x->head;
	struct place *place = place_of(x, h->next);

	h->offset = x->open->end;
	place->room = x->room;
	atomic_store_explicit(&place->whole, ++h->next, memory_order_release);
	let_go(x);
}

void file_index_give_up(struct file_index *x)
{
	x->open = NULL; /* and `busy` stays */
}

bool file_index_enter(struct file_index *x)
{
	struct place *place = place_of(x, x->part);
	const struct part *p;
	uint32_t room;

	if (atomic_load_explicit(&place->whole, memory_order_acquire) != x->part + 1 || (room = once(place->room)) >= x->rooms)
		return false;
	p = part_in(x, room);
	if (p->start != x->offset)
		return false;
	x->read = p;
	x->entries = &p->entry[(size_t)x->engine * INDEX_PART_FRAMES];
	x->count = once(p->count[x->engine]);
	x->taken = 0;
	return x->count <= INDEX_PART_FRAMES;
}

static void fetch_entry(const struct file_index *x, const struct cursor *file, uint32_t i)
{
	const uint8_t *record;

	if (i >= x->count)
		return;
	record = file->at + x->offset + x->entries[i].offset;
	__builtin_prefetch(record);
	__builtin_prefetch(record + LINE_BYTES);
}

/* The frame that an entry stands for. False when there is none. */
static bool take_entry(const struct file_index *x, struct entry e, const struct cursor *file, const struct pcap_form *form, struct frame *f)
{
	struct cursor c = *file;

	cursor_skip(&c, x->offset);
	cursor_skip(&c, e.offset);
	f->number = x->part * INDEX_PART_FRAMES + e.frame + 1;
	f->share = e.share;
	return e.share <= SHARE_UNSURE && take_pcap_record(&c, form, f);
}

static struct entry entry_once(const struct entry *shared)
{
	struct entry e;

	memcpy(&e, shared, sizeof e);
	__asm__("" : "+m"(e));
	return e;
}

bool file_index_read(struct file_index *x, const struct cursor *file, const struct pcap_form *form, struct capture_place *place, struct frame *frames,
		     unsigned most, unsigned *count)
{
	uint64_t stride = place->number / STRIDE_FRAMES, end = (stride + 1) * STRIDE_FRAMES;
	unsigned n = 0;

	*count = 0;
	for (; n < most && x->taken < x->count; n++, x->taken++) {
		struct entry e = entry_once(&x->entries[x->taken]);
		struct frame *f = &frames[n];

		fetch_entry(x, file, x->taken + AHEAD_FRAMES);
		if (x->part * INDEX_PART_FRAMES + e.frame >= end)
			break;
		if (!take_entry(x, e, file, form, f) || f->number <= place->number)
			return false;
		place->number = f->number;
		place->last_ns = f->time_ns;
		*count = n + 1;
	}
	if (!place->first_ns)
		place->first_ns = x->read->first_ns;
	if (n < most || place->number == end) {
		place->number = end;
		place->last_ns = x->read->time_ns[stride % INDEX_PART_STRIDES];
	}
	return true;
}

uint64_t file_index_part(const struct file_index *x)
{
	return x->part;
}

uint64_t file_index_start(const struct file_index *x)
{
	return x->offset;
}

uint64_t file_index_end(const struct file_index *x)
{
	return x->read->end;
}
