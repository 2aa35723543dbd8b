/* The sockets that are held, and the message in the supervisor's socket pair that names all of them. */
#include "active/prober/hold.h"

#include "active/prober/word.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SWALLOW_BYTES = 16384, SWALLOWS = 64, CONTROL_BYTES = CMSG_SPACE(HOLD_SOCKETS * sizeof(int)) };

/* The descriptors of the oldest message. Their number, or -1 when there is no message. */
static int take_message(int fds[HOLD_SOCKETS])
{
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES];
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c;
	size_t n;

	if (recvmsg(FD_HOLD_OUT, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return (int)n;
}

static bool put_message(const struct hold *h)
{
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES] = { 0 };
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int fds[HOLD_SOCKETS];
	size_t n = 0;

	for (size_t i = 0; i < HOLD_SOCKETS; i++)
		if (h->held[i].fd >= 0)
			fds[n++] = h->held[i].fd;
	if (n) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)control;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(FD_HOLD_IN, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* The new message goes in before the old one comes out, so that a socket is never in none. */
static bool renew_message(const struct hold *h)
{
	int old[HOLD_SOCKETS], n;

	if (!put_message(h))
		return false;
	n = take_message(old);
	for (int i = 0; i < n; i++)
		close(old[i]);
	return true;
}

static bool is_tcp(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
}

static bool is_connecting(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 && info.tcpi_state == TCP_SYN_SENT;
}

static struct held *find(struct hold *h, int fd)
{
	for (size_t i = 0; i < HOLD_SOCKETS; i++)
		if (h->held[i].fd == fd)
			return &h->held[i];
	return NULL;
}

static void adopt(struct hold *h, int fd)
{
	struct held *place = find(h, -1);

	if (!place) {
		close(fd);
		return;
	}
	*place = (struct held){ .fd = fd, .lingers = true };
	if (is_tcp(fd) && is_connecting(fd)) {
		place->connecting = true;
		place->until_ms = clock_ms() + HOLD_CONNECT_MS;
		return;
	}
	shutdown(fd, SHUT_WR);
	place->until_ms = clock_ms() + (is_tcp(fd) ? HOLD_TCP_MS : HOLD_UDP_MS);
}

void hold_open(struct hold *h)
{
	int fds[HOLD_SOCKETS], n;

	for (size_t i = 0; i < HOLD_SOCKETS; i++)
		h->held[i] = (struct held){ .fd = -1 };
	/* A predecessor killed between two messages leaves a socket in both: then it is closed by two names. */
	while ((n = take_message(fds)) >= 0)
		for (int i = 0; i < n; i++)
			adopt(h, fds[i]);
	if (!put_message(h))
		log_error("no connection can be held beyond the prober's end: %s", strerror(errno));
}

bool hold_has_room(const struct hold *h)
{
	for (size_t i = 0; i < HOLD_SOCKETS; i++)
		if (h->held[i].fd < 0)
			return true;
	return false;
}

bool hold_keep(struct hold *h, int fd)
{
	struct held *place = find(h, -1);

	if (!place)
		return false;
	*place = (struct held){ .fd = fd };
	if (renew_message(h))
		return true;
	place->fd = -1;
	return false;
}

void hold_linger(struct hold *h, int fd)
{
	struct held *place = find(h, fd);

	if (!place)
		return;
	place->lingers = true;
	place->until_ms = clock_ms() + (is_tcp(fd) ? HOLD_TCP_MS : HOLD_UDP_MS);
}

void hold_close(struct hold *h, int fd)
{
	struct held *place = find(h, fd);

	if (place)
		place->fd = -1;
	renew_message(h);
	close(fd);
}

/* True when there is nothing left to wait for. */
static bool is_over(int fd)
{
	static uint8_t nowhere[SWALLOW_BYTES];
	bool tcp = is_tcp(fd);

	for (int i = 0; i < SWALLOWS; i++) {
		ssize_t n = recv(fd, nowhere, sizeof nowhere, MSG_DONTWAIT);

		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (tcp)
			return true;
	}
	return false;
}

static bool finish_connecting(struct held *one, int64_t now_ms)
{
	if (is_connecting(one->fd))
		return now_ms >= one->until_ms;
	one->connecting = false;
	one->until_ms = now_ms + HOLD_TCP_MS;
	shutdown(one->fd, SHUT_WR);
	return false;
}

bool hold_look(struct hold *h, int64_t now_ms)
{
	bool lingers = false;

	for (size_t i = 0; i < HOLD_SOCKETS; i++) {
		struct held *one = &h->held[i];
		bool over;

		if (one->fd < 0 || !one->lingers)
			continue;
		over = one->connecting ? finish_connecting(one, now_ms) : is_over(one->fd) || now_ms >= one->until_ms;
		if (over)
			hold_close(h, one->fd);
		else
			lingers |= one->connecting || is_tcp(one->fd);
	}
	return lingers;
}
