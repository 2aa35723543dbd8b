/* The shared-memory ring between two processes; ring.h says what each end may rely on. */
#include "sensor/common/ring.h"

#include "sensor/common/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, HEADER_BYTES = 8, ALIGNMENT = 8 };

struct ring_records {
	_Atomic uint64_t head;
	_Atomic uint64_t counters[RING_COUNTERS];
	_Atomic uint64_t beats;
};

struct ring_tail {
	_Atomic uint64_t tail;
	_Atomic uint32_t asleep;
	_Atomic uint64_t beats;
};

/* Stands before each record. A pad fills the end of the area; its length includes this header. */
struct record_header {
	uint32_t len;
	uint32_t pad;
};

int ring_create(struct ring_fds *fds, const char *name, size_t size)
{
	*fds = (struct ring_fds){ -1, -1, -1, -1, -1 };
	if (size < 65536 || size > (1u << 30) || (size & (size - 1))) {
		errno = EINVAL;
		return -1;
	}
	fds->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fds->wake < 0 || memory_file_create(name, PAGE_BYTES + size, &fds->records_rw, &fds->records_ro) < 0 ||
	    memory_file_create(name, PAGE_BYTES, &fds->tail_rw, &fds->tail_ro) < 0) {
		int cause = errno;

		ring_close_fds(fds);
		errno = cause;
		return -1;
	}
	return 0;
}

void ring_close_fds(struct ring_fds *fds)
{
	int all[] = { fds->records_rw, fds->records_ro, fds->tail_rw, fds->tail_ro, fds->wake };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] >= 0)
			close(all[i]);
	*fds = (struct ring_fds){ -1, -1, -1, -1, -1 };
}

static int map_both(struct ring *r, int records, int records_prot, int tail, int tail_prot, int wake)
{
	struct stat st;

	memset(r, 0, sizeof *r);
	if (fstat(records, &st) < 0)
		return -1;
	r->size = (uint64_t)st.st_size - PAGE_BYTES;
	if (st.st_size < PAGE_BYTES + 65536 || (r->size & (r->size - 1))) {
		errno = EINVAL;
		return -1;
	}
	r->records = mmap(NULL, (size_t)st.st_size, records_prot, MAP_SHARED, records, 0);
	if (r->records == MAP_FAILED)
		return -1;
	r->tail = mmap(NULL, PAGE_BYTES, tail_prot, MAP_SHARED, tail, 0);
	if (r->tail == MAP_FAILED) {
		munmap(r->records, (size_t)st.st_size);
		return -1;
	}
	r->bytes = (uint8_t *)r->records + PAGE_BYTES;
	r->wake = wake;
	return 0;
}

int ring_attach_producer(struct ring *r, int records_rw, int tail_ro, int wake)
{
	if (map_both(r, records_rw, PROT_READ | PROT_WRITE, tail_ro, PROT_READ, wake) < 0)
		return -1;
	r->at = atomic_load(&r->records->head);
	r->seen = atomic_load(&r->tail->tail);
	r->beats = &r->records->beats;
	return 0;
}

int ring_attach_consumer(struct ring *r, int records_ro, int tail_rw, int wake)
{
	if (map_both(r, records_ro, PROT_READ, tail_rw, PROT_READ | PROT_WRITE, wake) < 0)
		return -1;
	r->at = atomic_load(&r->tail->tail);
	r->seen = r->at;
	r->beats = &r->tail->beats;
	return 0;
}

int ring_attach_watcher(struct ring *r, int records_ro, int tail_ro)
{
	return map_both(r, records_ro, PROT_READ, tail_ro, PROT_READ, -1);
}

void ring_detach(struct ring *r)
{
	munmap(r->records, PAGE_BYTES + r->size);
	munmap(r->tail, PAGE_BYTES);
	memset(r, 0, sizeof *r);
}

void ring_beat(struct ring *r)
{
	/* One writer alone: no locked addition is needed. */
	atomic_store_explicit(r->beats, atomic_load_explicit(r->beats, memory_order_relaxed) + 1, memory_order_relaxed);
}

uint64_t ring_beats(const struct ring *r, enum ring_end end)
{
	return atomic_load_explicit(end == RING_PRODUCER ? &r->records->beats : &r->tail->beats, memory_order_relaxed);
}

static uint64_t record_room(size_t len)
{
	return HEADER_BYTES + ((len + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1));
}

static bool has_room(struct ring *r, uint64_t need)
{
	if (r->size - (r->at - r->seen) >= need)
		return true;
	r->seen = atomic_load_explicit(&r->tail->tail, memory_order_acquire);
	return r->at - r->seen <= r->size && r->size - (r->at - r->seen) >= need;
}

void *ring_reserve(struct ring *r, size_t len)
{
	uint64_t offset = r->at & (r->size - 1), to_end = r->size - offset, need = record_room(len);

	if (len > RING_RECORD_MAX || need > r->size / 2)
		return NULL;
	if (to_end < need) {
		struct record_header pad = { (uint32_t)to_end, 1 };

		if (!has_room(r, to_end + need))
			return NULL;
		memcpy(r->bytes + offset, &pad, sizeof pad);
		r->at += to_end;
		offset = 0;
	} else if (!has_room(r, need)) {
		return NULL;
	}
	return r->bytes + offset + HEADER_BYTES;
}

void ring_commit(struct ring *r, size_t len)
{
	struct record_header h = { (uint32_t)len, 0 };

	memcpy(r->bytes + (r->at & (r->size - 1)), &h, sizeof h);
	r->at += record_room(len);
}

static void wake_consumer(struct ring *r)
{
	uint64_t one = 1;
	uint32_t asleep;

	atomic_thread_fence(memory_order_seq_cst);
	asleep = atomic_load_explicit(&r->tail->asleep, memory_order_relaxed);
	if (asleep && write(r->wake, &one, sizeof one) < 0) {
		/* The counter is at its limit: the consumer has been woken often enough. */
	}
}

void ring_publish(struct ring *r)
{
	atomic_store_explicit(&r->records->head, r->at, memory_order_release);
	wake_consumer(r);
}

void ring_publish_to(struct ring *r, unsigned index, uint64_t value)
{
	atomic_store_explicit(&r->records->head, r->at, memory_order_release);
	ring_count(r, index, value);
	wake_consumer(r);
}

uint64_t ring_waiting(struct ring *r)
{
	r->seen = atomic_load_explicit(&r->records->head, memory_order_acquire);
	return r->seen - r->at <= r->size ? r->seen - r->at : 0;
}

uint64_t ring_pending(struct ring *r)
{
	r->seen = atomic_load_explicit(&r->tail->tail, memory_order_acquire);
	return r->at - r->seen;
}

enum ring_result ring_next(struct ring *r, const void **record, size_t *len)
{
	for (;;) {
		uint64_t offset = r->at & (r->size - 1);
		struct record_header h;
		uint64_t need;

		if (r->seen - r->at == 0) {
			r->seen = atomic_load_explicit(&r->records->head, memory_order_acquire);
			if (r->seen == r->at)
				return RING_EMPTY;
		}
		if (r->seen - r->at > r->size || r->seen - r->at < HEADER_BYTES || r->size - offset < HEADER_BYTES)
			return RING_BROKEN;
		memcpy(&h, r->bytes + offset, sizeof h);
		if (h.pad) {
			if (h.len != r->size - offset || h.len > r->seen - r->at)
				return RING_BROKEN;
			r->at += h.len;
			continue;
		}
		need = record_room(h.len);
		if (h.len > RING_RECORD_MAX || need > r->seen - r->at || need > r->size - offset)
			return RING_BROKEN;
		*record = r->bytes + offset + HEADER_BYTES;
		*len = h.len;
		r->at += need;
		return RING_OK;
	}
}

void ring_release(struct ring *r)
{
	atomic_store_explicit(&r->tail->tail, r->at, memory_order_release);
}

uint64_t ring_position(const struct ring *r)
{
	return r->at;
}

void ring_release_to(struct ring *r, uint64_t position)
{
	atomic_store_explicit(&r->tail->tail, position, memory_order_release);
}

bool ring_sleep(struct ring *r)
{
	atomic_store_explicit(&r->tail->asleep, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&r->records->head, memory_order_acquire) == r->at)
		return true;
	atomic_store_explicit(&r->tail->asleep, 0, memory_order_relaxed);
	return false;
}

void ring_woken(struct ring *r)
{
	uint64_t times;

	atomic_store_explicit(&r->tail->asleep, 0, memory_order_relaxed);
	if (read(r->wake, &times, sizeof times) < 0) {
		/* Nothing to drain: the wait ended by its time limit. */
	}
}

void ring_count(struct ring *r, unsigned index, uint64_t value)
{
	atomic_store_explicit(&r->records->counters[index], value, memory_order_release);
}

uint64_t ring_counter(const struct ring *r, unsigned index)
{
	return atomic_load_explicit(&r->records->counters[index], memory_order_acquire);
}
