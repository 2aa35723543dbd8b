/* What each process needs of its walls: they must let it do its work. */
#include "tests/system/attempts.h"

#include "active/guard/order.h"

#include "sensor/common/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKED = 77 };

static bool allocate(void)
{
	char *p = malloc(32 << 20);

	if (!p)
		return false;
	memset(p, 1, 32 << 20);
	free(p);
	return true;
}

static bool tell_time(void)
{
	struct timespec t, nap = { 0, 1000 };

	return syscall(SYS_clock_gettime, CLOCK_REALTIME, &t) == 0 && nanosleep(&nap, NULL) == 0;
}

static bool wake(void)
{
	uint64_t one = 1;

	return write(FD_WAKE_OUT, &one, sizeof one) == sizeof one;
}

static bool wait_wake(void)
{
	struct pollfd p = { .fd = FD_WAKE_IN, .events = POLLIN };

	return poll(&p, 1, 1) == 0;
}

static bool read_file(void)
{
	char c;

	return pread(MEMORY_FD, &c, 1, 0) == 1 && read(MEMORY_FD, &c, 1) == 1;
}

static bool say_words(void)
{
	return write(STDERR_FILENO, "", 0) == 0;
}

static bool count_drops(void)
{
	struct tpacket_stats_v3 st;
	socklen_t n = sizeof st;

	return getsockopt(PACKET_FD, SOL_PACKET, PACKET_STATISTICS, &st, &n) == 0;
}

static bool answer_order(void)
{
	struct outcome o = { 0 };

	return write(FD_OUTCOMES, &o, sizeof o) == sizeof o;
}

static int socket_from(int type, uint16_t from)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(from), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

static bool ask_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(scene.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket_from(SOCK_STREAM, PROBE_PORT);

	return fd >= 0 && (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == EINPROGRESS) && send(fd, "x", 1, MSG_NOSIGNAL) == 1 &&
	       shutdown(fd, SHUT_WR) == 0;
}

static bool ask_udp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(scene.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket_from(SOCK_DGRAM, PROBE_PORT);

	return fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1;
}

static bool write_audit(void)
{
	return write(AUDIT_FD, "x", 1) == 1 && fdatasync(AUDIT_FD) == 0 && ftruncate(AUDIT_FD, 0) == 0 && access("/nowhere", F_OK) < 0;
}

static bool hold_socket(void)
{
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return sendmsg(FD_HOLD_IN, &m, 0) == 1 && recvmsg(FD_HOLD_OUT, &m, MSG_DONTWAIT) == 1;
}

static void *nothing(void *x)
{
	return x;
}

static bool start_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0;
}

static bool write_state(void)
{
	char path[128], other[128];
	int fd;

	snprintf(path, sizeof path, "%s/x", scene.state);
	snprintf(other, sizeof other, "%s/y", scene.state);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	return fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && ftruncate(fd, 0) == 0 && rename(path, other) == 0 &&
	       unlink(other) == 0;
}

static bool read_rules(void)
{
	return opens(scene.rules, O_RDONLY | O_DIRECTORY);
}

static bool run_program(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		exec_shell();
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == WORKED;
}

const struct attempt needs[] = {
	{ "memory", ALL, allocate, false, 0 },
	{ "the time", ALL, tell_time, false, 0 },
	{ "words on stderr", ALL, say_words, false, 0 },
	{ "waking the reader", ENGINE | CAPTURE | HUB, wake, false, 0 },
	{ "waiting", ALL, wait_wake, false, 0 },
	{ "reading a held file", ALL, read_file, false, 0 },
	{ "the drop counters", CAPTURE, count_drops, false, 0 },
	{ "an outcome", PROBER | PROBER_OFF, answer_order, false, 0 },
	{ "asking over TCP", PROBER, ask_tcp, false, 0 },
	{ "asking over UDP", PROBER, ask_udp, false, 0 },
	{ "the audit", PROBER, write_audit, false, 0 },
	{ "holding a socket", PROBER | PROBER_OFF, hold_socket, false, 0 },
	{ "threads", HUB, start_thread, false, 0 },
	{ "the state folder", HUB | SUPERVISOR, write_state, false, 0 },
	{ "the rules", HUB | SUPERVISOR, read_rules, false, 0 },
	{ "a UNIX socket", HUB | CONSOLE, socket_unix, false, 0 },
	{ "a TCP socket", RELAY, socket_tcp, false, 0 },
	{ "the port of Redis", RELAY, connect_redis, false, 0 },
	{ "running a program", SUPERVISOR, run_program, false, 0 },
	{ "a packet socket for capture", SUPERVISOR, socket_packet, false, 0 },
	{ NULL, 0, NULL, false, 0 },
};
