/*
 * Landlock by its system calls: Debian 12's headers know version 1 alone, the kernel beneath may know
 * more, so the numbers stand here (linux/landlock.h of Linux 6.15).
 */
#include "sensor/common/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NEWEST_KNOWN = 7, QUERY_VERSION = 1, RULE_PATH = 1, RULE_PORT = 2 };

enum file_right {
	FILE_EXECUTE = 1 << 0,
	FILE_WRITE = 1 << 1,
	FILE_READ = 1 << 2,
	FILE_ALL_1 = (1 << 13) - 1, /* what version 1 knows */
	FILE_READ_DIR = 1 << 3,
	FILE_REFER = 1 << 13,
	FILE_TRUNCATE = 1 << 14,
	FILE_IOCTL_DEV = 1 << 15,
};
enum { NETWORK_BIND_TCP = 1 << 0, NETWORK_CONNECT_TCP = 1 << 1 };
enum { SCOPE_ABSTRACT_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1 };

/* As the kernel reads them; an older one is told the shorter size. */
struct ruleset {
	uint64_t files;
	uint64_t network; /* from version 4 */
	uint64_t scoped;  /* from version 6 */
};
struct path_rule {
	uint64_t allowed;
	int32_t folder;
} __attribute__((packed));
struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

int landlock_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, QUERY_VERSION);

	if (v <= 0)
		return 0;
	return v < NEWEST_KNOWN ? (int)v : NEWEST_KNOWN;
}

static uint64_t known_file_rights(int version)
{
	uint64_t rights = FILE_ALL_1;

	if (version >= 2)
		rights |= FILE_REFER;
	if (version >= 3)
		rights |= FILE_TRUNCATE;
	if (version >= 5)
		rights |= FILE_IOCTL_DEV;
	return rights;
}

static int make_ruleset(const struct sandbox *s, int version)
{
	struct ruleset r = { .files = known_file_rights(version) };
	size_t size = version >= 6 ? sizeof r : version >= 4 ? 2 * sizeof r.files : sizeof r.files;

	if (version >= 4 && !s->tcp_free)
		r.network = s->tcp_bind_first ? NETWORK_BIND_TCP : NETWORK_BIND_TCP | NETWORK_CONNECT_TCP;
	if (version >= 6)
		r.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
}

static int allow_path(int ruleset, const struct sandbox_path *p, int version)
{
	int fd = open(p->path, O_PATH | O_CLOEXEC), result;
	uint64_t allowed = FILE_READ | FILE_READ_DIR;
	struct path_rule rule;
	struct stat st;

	/* What is not there, or is closed to us anyway, needs no leave. */
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
	if (p->write)
		allowed = known_file_rights(version) & ~(uint64_t)FILE_EXECUTE;
	if (p->execute)
		allowed |= FILE_EXECUTE;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		allowed &= FILE_EXECUTE | FILE_WRITE | FILE_READ | FILE_TRUNCATE | FILE_IOCTL_DEV;
	rule = (struct path_rule){ allowed, fd };
	result = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
	close(fd);
	return result;
}

static int allow_port(int ruleset, uint64_t right, uint16_t port)
{
	struct port_rule rule = { right, port };

	return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0);
}

int landlock_enter(const struct sandbox *s)
{
	int version = landlock_version(), ruleset = version ? make_ruleset(s, version) : -1, result = 0;

	if (ruleset < 0)
		return -1;
	for (const struct sandbox_path *p = s->paths; p && p->path && result == 0; p++)
		result = allow_path(ruleset, p, version);
	for (unsigned i = 0; i < s->tcp_ports && version >= 4 && !s->tcp_free && result == 0; i++)
		result = allow_port(ruleset, NETWORK_CONNECT_TCP, s->tcp_port[i]);
	for (uint32_t port = s->tcp_bind_first; port && port <= s->tcp_bind_last && result == 0 && version >= 4 && !s->tcp_free; port++)
		result = allow_port(ruleset, NETWORK_BIND_TCP, (uint16_t)port);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	return result;
}
