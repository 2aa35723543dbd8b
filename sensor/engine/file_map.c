#include "sensor/engine/file_map.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	STEP_BYTES = 1 << 20, /* given back at once: each call costs as much as some dozen pages */
	AROUND_BYTES = 1 << 16, /* what the kernel brings with a page that is touched; were it less, the others would come as they are looked at */
	PAGE_BYTES = 4096,
};

/* For the handler of SIGBUS, which is told nothing but where. */
static struct watch {
	volatile uintptr_t from, to; /* 0: free */
	volatile sig_atomic_t lost;
} watches[FILE_MAPS_MAX];

/* From where the file can't be read any more it is zeros. Any other fault is one of the program's and ends it. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, page = at & ~(uintptr_t)(PAGE_BYTES - 1);
	int saved = errno;
	(void)context;

	for (unsigned i = 0; i < FILE_MAPS_MAX; i++) {
		struct watch *w = &watches[i];
		void *zeros;

		if (at < w->from || at >= w->to)
			continue;
		zeros = mmap((void *)page, w->to - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (zeros == MAP_FAILED)
			continue;
		w->lost = 1;
		errno = saved;
		return;
	}
	signal(number, SIG_DFL);
}

static bool watch(struct file_map *m)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
	unsigned i = 0;

	while (i < FILE_MAPS_MAX && watches[i].from)
		i++;
	if (i == FILE_MAPS_MAX || sigaction(SIGBUS, &action, NULL) < 0)
		return false;
	m->watch = i;
	watches[i].lost = 0;
	watches[i].to = ((uintptr_t)m->bytes + m->len + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
	watches[i].from = (uintptr_t)m->bytes;
	return true;
}

off_t file_length(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR), end = at < 0 ? -1 : lseek(fd, 0, SEEK_END);

	return end >= 0 && lseek(fd, at, SEEK_SET) == at ? end : -1;
}

bool file_map_open(struct file_map *m, int fd)
{
	off_t len = file_length(fd);
	void *bytes;

	*m = (struct file_map){ .bytes = NULL };
	if (len <= 0)
		return false;
	bytes = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	m->bytes = bytes;
	m->len = (size_t)len;
	m->fd = fd;
	madvise(bytes, m->len, MADV_SEQUENTIAL);
	if (watch(m))
		return true;
	munmap(bytes, m->len);
	m->bytes = NULL;
	return false;
}

void file_map_close(struct file_map *m)
{
	if (!m->bytes)
		return;
	watches[m->watch].from = watches[m->watch].to = 0;
	munmap((void *)m->bytes, m->len);
	m->bytes = NULL;
}

/* Touched and not asked for: the kernel goes over what it is asked for page by page. */
bool file_map_reach(struct file_map *m, size_t upto)
{
	for (; m->reached < upto; m->reached += AROUND_BYTES)
		(void)*(const volatile uint8_t *)(m->bytes + m->reached);
	return !watches[m->watch].lost;
}

void file_map_pass(struct file_map *m, size_t before)
{
	size_t done = before / STEP_BYTES * STEP_BYTES;

	if (done <= m->passed)
		return;
	madvise((void *)(m->bytes + m->passed), done - m->passed, MADV_DONTNEED);
	m->passed = done;
	if (m->reached < done)
		m->reached = done;
}

bool file_map_lost(const struct file_map *m, bool odd)
{
	return m->bytes && (watches[m->watch].lost || (odd && file_length(m->fd) < (off_t)m->len));
}
