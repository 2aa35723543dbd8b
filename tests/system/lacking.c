/*
 * Runs a command as an older kernel would, as far as walls go: the calls that put them up are answered as they
 * are answered where they are missing. Needs root.
 *
 *   lacking WALL[,WALL...] PROCESS COMMAND...
 *
 * WALL: no_new_privs, seccomp, landlock, or landlock=VERSION for an older one. PROCESS: the program that lacks it
 * (askance-engine), "all" for every one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WHOLE = 99, QUERY_VERSION = 1, ATTRIBUTE_BYTES = 24 };

static struct {
	bool no_new_privs, seccomp;
	int landlock; /* its version, 0 for none */
	const char *process;
} lack = { .landlock = WHOLE };

static void die(const char *what)
{
	fprintf(stderr, "lacking: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int must(int result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

static void read_walls(char *list)
{
	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		if (strcmp(word, "no_new_privs") == 0)
			lack.no_new_privs = true;
		else if (strcmp(word, "seccomp") == 0)
			lack.seccomp = true;
		else if (strcmp(word, "landlock") == 0)
			lack.landlock = 0;
		else if (strncmp(word, "landlock=", 9) == 0)
			lack.landlock = atoi(word + 9);
		else
			die(word);
	}
}

/* -- the kernel's part */

static bool is_meant(pid_t pid)
{
	char path[64], program[512];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	n = readlink(path, program, sizeof program - 1);
	if (strcmp(lack.process, "all") == 0 || n <= 0)
		return true;
	program[n] = 0;
	return strcmp(strrchr(program, '/') + 1, lack.process) == 0;
}

/* What linux/landlock.h had when it was of that version. */
static uint64_t known_files(int version)
{
	return version >= 5 ? 0xffff : version >= 3 ? 0x7fff : version >= 2 ? 0x3fff : 0x1fff;
}

/* A ruleset of a newer kernel is refused: 0 for one that this version takes. */
static int ruleset_fault(pid_t pid, uint64_t at, uint64_t size)
{
	uint64_t words[ATTRIBUTE_BYTES / 8] = { 0 };
	size_t known = lack.landlock >= 6 ? 3 : lack.landlock >= 4 ? 2 : 1;
	struct iovec here = { words, size < sizeof words ? size : sizeof words }, there = { (void *)(uintptr_t)at, here.iov_len };

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)here.iov_len)
		return EFAULT;
	for (size_t i = known; i < sizeof words / sizeof *words; i++)
		if (words[i])
			return E2BIG;
	return words[0] & ~known_files(lack.landlock) ? EINVAL : 0;
}

static void answer_landlock(const struct seccomp_notif *ask, struct seccomp_notif_resp *answer)
{
	bool query = ask->data.args[2] & QUERY_VERSION;

	if (lack.landlock == 0)
		answer->error = -ENOSYS;
	else if (query)
		answer->val = lack.landlock;
	else
		answer->error = -ruleset_fault((pid_t)ask->pid, ask->data.args[0], ask->data.args[1]);
	if (!query && !answer->error)
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

static void answer_call(const struct seccomp_notif *ask, struct seccomp_notif_resp *answer)
{
	bool refused = false;

	memset(answer, 0, sizeof *answer);
	answer->id = ask->id;
	if (ask->data.nr == SYS_landlock_create_ruleset && lack.landlock != WHOLE && is_meant((pid_t)ask->pid)) {
		answer_landlock(ask, answer);
		return;
	}
	if (ask->data.nr == SYS_seccomp || (ask->data.nr == SYS_prctl && ask->data.args[0] == PR_SET_SECCOMP))
		refused = lack.seccomp;
	else if (ask->data.nr == SYS_prctl)
		refused = lack.no_new_privs;
	if (refused && is_meant((pid_t)ask->pid))
		answer->error = ask->data.nr == SYS_seccomp ? -ENOSYS : -EINVAL;
	else
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

/* As long as anybody is left to ask. */
static void serve(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct seccomp_notif *ask;
	struct seccomp_notif_resp *answer;

	must(seccomp_notify_alloc(&ask, &answer), "notify");
	while (poll(&p, 1, -1) > 0 && !(p.revents & POLLHUP)) {
		/* Who was killed meanwhile needs no answer. */
		memset(ask, 0, sizeof *ask); /* the kernel takes no other */
		if (!(p.revents & POLLIN) || seccomp_notify_receive(listener, ask) < 0)
			continue;
		answer_call(ask, answer);
		seccomp_notify_respond(listener, answer);
	}
}

/* -- the two processes */

static void send_descriptor(int to, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	must((int)sendmsg(to, &m, 0), "sendmsg");
}

static int receive_descriptor(int from)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int fd = -1;

	if (recvmsg(from, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* Outside the filter, nobody's child and without the command's outputs, so that nobody waits for it. */
static void start_server(int channel)
{
	int nothing = must(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null"), listener;

	if (must(fork(), "fork") > 0)
		return;
	if (must(fork(), "fork") > 0)
		_exit(0);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(nothing, fd);
	listener = receive_descriptor(channel);
	close(channel);
	if (listener >= 0)
		serve(listener);
	_exit(0);
}

static int filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int result = f ? 0 : -ENOMEM;

	if (result == 0)
		result = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
	if (result == 0)
		result = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(landlock_create_ruleset), 0);
	if (result == 0)
		result = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(seccomp), 0);
	if (result == 0)
		result = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0));
	if (result == 0)
		result = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS, 0));
	if (result == 0)
		result = seccomp_load(f);
	errno = -result;
	must(result, "filter");
	return must(seccomp_notify_fd(f), "listener");
}

int main(int argc, char **argv)
{
	int channel[2];

	if (argc < 4) {
		fprintf(stderr, "usage: lacking WALL[,WALL...] PROCESS COMMAND...\n");
		return 2;
	}
	read_walls(argv[1]);
	lack.process = argv[2];
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, channel), "socketpair");
	start_server(channel[0]);
	send_descriptor(channel[1], filter());
	execvp(argv[3], argv + 3);
	die(argv[3]);
}
