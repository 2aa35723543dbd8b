/*
 * The hub needs files, threads and one connection over a UNIX socket, to Redis or to the relay. It has
 * no Internet sockets at all.
 */
#include "sensor/hub/walls.h"

#include "sensor/common/paths.h"
#include "sensor/common/sandbox.h"

#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FILES = 256, PATHS = 24, CALLS = 8, SOCKET_TYPE_MASK = 0xf };

static const int system_calls[] = {
	/* libuv's loop and threads */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage), SCMP_SYS(sched_getaffinity),
	/* files: SQLite, JSONL, rules, databases */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(readv), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(statfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(fchmod),
	SCMP_SYS(umask), SCMP_SYS(getcwd), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(msync),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getppid),
	/* its connection; socket() itself is looked at below */
	SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg), SCMP_SYS(shutdown), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	-1,
};

/* Without Redis it needs none. */
static void allow_sockets(struct sandbox_call *calls, bool redis)
{
	size_t n = 0;

	if (redis)
		calls[n++] = (struct sandbox_call){ SCMP_SYS(socket), { { SANDBOX_ANY, AF_UNIX, 0 },
		                                                        { SOCKET_TYPE_MASK, SOCK_STREAM, 1 } } };
	/* FIONBIO and FIOCLEX, as libuv sets its descriptors */
	calls[n++] = (struct sandbox_call){ SCMP_SYS(ioctl), { { 0xffffffff, 0x5421, 1 } } };
	calls[n++] = (struct sandbox_call){ SCMP_SYS(ioctl), { { 0xffffffff, 0x5451, 1 } } };
	calls[n] = (struct sandbox_call){ .call = -1 };
}

int hub_walls(const struct hub_config *config)
{
	static const char *const known[] = {
		"/etc/localtime", "/usr/share/zoneinfo", "/dev/urandom",
	};
	char oui[CONFIG_PATH_BYTES], jsonl[CONFIG_PATH_BYTES];
	struct sandbox_path paths[PATHS] = {
		{ "/dev/null", true, false },
	};
	struct sandbox_call calls[CALLS];
	struct sandbox s = { .process = "hub", .system_calls = system_calls, .tested_calls = calls, .paths = paths,
	                     .threads = true, .files = FILES };
	size_t n = 1;

	allow_sockets(calls, config->redis_url[0] != 0);
	if (config->state_dir[0])
		paths[n++] = (struct sandbox_path){ config->state_dir, true, false };
	if (config->jsonl[0] && strcmp(config->jsonl, "-") != 0)
		paths[n++] = (struct sandbox_path){ paths_folder(config->jsonl, jsonl), true, false };
	if (config->oui_file[0])
		paths[n++] = (struct sandbox_path){ paths_folder(config->oui_file, oui), false, false };
	for (size_t i = 0; i < 3; i++) {
		const char *file[] = { config->rules_dir, config->country_db, config->asn_db };

		if (file[i][0])
			paths[n++] = (struct sandbox_path){ file[i], false, false };
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		paths[n++] = (struct sandbox_path){ known[i], false, false };
	return sandbox_enter(&s, config->walls);
}
