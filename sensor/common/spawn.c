/* Child processes by exec: nothing inherited but what is named. */
#include "sensor/common/spawn.h"

#include "sensor/common/message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef ASKANCE_LIBEXEC
#error "ASKANCE_LIBEXEC: path of the processes, relative to the folder of the askance command"
#endif

enum { SPAWN_FDS = 32, HIGH_FD = 512 };

/* The folder that holds the sensor's processes: our own, when we are one of them, or ASKANCE_LIBEXEC below it. */
int spawn_find(const char *program, char *path, size_t room)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	static const char *const places[] = { "", ASKANCE_LIBEXEC "/", "../" ASKANCE_LIBEXEC "/" };

	if (strchr(program, '/'))
		return snprintf(path, room, "%s", program) < (int)room ? 0 : -1;
	if (n <= 0)
		return -1;
	self[n] = 0;
	*strrchr(self, '/') = 0;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (snprintf(path, room, "%s/%s%s", self, places[i], program) < (int)room && access(path, X_OK) == 0)
			return 0;
	errno = ENOENT;
	return -1;
}

/* In two steps, because the wanted numbers may be in use by other wanted descriptors. */
static int place_fds(const struct spawn_fd *fds, size_t count)
{
	int high[SPAWN_FDS];

	for (size_t i = 0; i < count; i++) {
		int from = fds[i].from >= 0 ? fds[i].from : open("/dev/null", O_RDWR | O_CLOEXEC);

		high[i] = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, HIGH_FD);
		if (high[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		if (dup2(high[i], fds[i].to) < 0)
			return -1;
	return 0;
}

static void close_others(const struct spawn_fd *fds, size_t count)
{
	for (int fd = 0; fd < 256; fd++) {
		bool wanted = fd == STDERR_FILENO;

		for (size_t i = 0; i < count; i++)
			wanted |= fds[i].to == fd;
		if (!wanted)
			close(fd);
	}
	close_range(256, ~0u, 0);
}

static char *const *small_environment(char *room[], char text[][256])
{
	static const char *const keep[] = { "LANG", "TZ", "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
	int n = 0;

	for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) {
		const char *value = getenv(keep[i]);

		if (value && snprintf(text[n], 256, "%s=%s", keep[i], value) < 256) {
			room[n] = text[n];
			n++;
		}
	}
	snprintf(text[n], 256, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	room[n] = text[n];
	room[n + 1] = NULL;
	return room;
}

pid_t spawn(const char *program, char *const argv[], const struct spawn_fd *fds, size_t count)
{
	char path[PATH_MAX], text[8][256];
	char *environment[8];
	pid_t parent = getpid(), pid;
	sigset_t none;

	if (count > SPAWN_FDS || spawn_find(program, path, sizeof path) < 0)
		return -1;
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (place_fds(fds, count) < 0)
		_exit(127);
	close_others(fds, count);
	execve(path, argv, small_environment(environment, text));
	_exit(127);
}

int spawn_config(const void *config, size_t len)
{
	char path[64];
	int fd = memfd_create("config", MFD_CLOEXEC), ro;

	if (fd < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (write(fd, config, len) != (ssize_t)len || (ro = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		close(fd);
		return -1;
	}
	close(fd);
	return ro;
}

int spawn_read_config(void *config, size_t len)
{
	uint8_t more;
	ssize_t n = pread(FD_CONFIG, config, len, 0);
	bool exact = n == (ssize_t)len && pread(FD_CONFIG, &more, 1, (off_t)len) == 0;

	close(FD_CONFIG);
	return exact ? 0 : -1;
}
