/*
 * Connections as the kernel makes them, held to our manners: one SYN, no repetition of it, FIN at the
 * end. Why each option stands here was measured: a socket that is closed with bytes unread sends RST,
 * and TCP_SYNCNT does not mean that many SYNs, so the connection is given up before the first repetition.
 */
#include "active/prober/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNACKNOWLEDGED_MS = 1000 }; /* a device that vanishes is not sent the same bytes for longer */

static int bind_port(const struct line *l, int fd, uint16_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (l->own.family == 6) {
		memcpy(&six.sin6_addr, l->own.ip, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr))
			six.sin6_scope_id = l->interface;
		return bind(fd, (struct sockaddr *)&six, sizeof six);
	}
	memcpy(&four.sin_addr, l->own.ip, 4);
	return bind(fd, (struct sockaddr *)&four, sizeof four);
}

/* The ports are taken in turn, so that one that still waits for a last word of its old peer is left in peace. */
static int bind_any(struct line *l, int fd, uint16_t first, uint16_t last, uint16_t *next)
{
	for (unsigned tries = 0; tries <= (unsigned)(last - first); tries++) {
		uint16_t port = *next < first || *next > last ? first : *next;

		*next = (uint16_t)(port == last ? first : port + 1);
		if (bind_port(l, fd, port) == 0) {
			l->own_port = port;
			return 0;
		}
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

static int open_bound(struct line *l, const char *interface, int type, uint16_t first, uint16_t last, uint16_t *next)
{
	int cause, fd = line_socket(l, interface, type);

	if (fd < 0)
		return -1;
	if (bind_any(l, fd, first, last, next) == 0) {
		l->fd = fd;
		return 0;
	}
	cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

int tcp_open(struct line *l, const char *interface, uint16_t first, uint16_t last, uint16_t *next)
{
	const int one = 1, limit_ms = UNACKNOWLEDGED_MS;

	if (open_bound(l, interface, SOCK_STREAM, first, last, next) < 0)
		return -1;
	/* Each request in a segment of its own, at once. */
	if (setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
		return -1;
	setsockopt(l->fd, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof one);
	setsockopt(l->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
	return 0;
}

int tcp_connect(struct line *l)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(l->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(l->port) };
	int result;

	if (l->target.family == 6) {
		memcpy(&six.sin6_addr, l->target.ip, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr))
			six.sin6_scope_id = l->interface;
		result = connect(l->fd, (struct sockaddr *)&six, sizeof six);
	} else {
		memcpy(&four.sin_addr, l->target.ip, 4);
		result = connect(l->fd, (struct sockaddr *)&four, sizeof four);
	}
	return result == 0 || errno == EINPROGRESS ? 0 : -1;
}

static bool read_info(int fd, struct tcp_info *info)
{
	socklen_t n = sizeof *info;

	memset(info, 0, sizeof *info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &n) == 0;
}

int tcp_connected(struct line *l)
{
	const int no = 0;
	struct tcp_info info;
	socklen_t n = sizeof(int);
	int error = 0;

	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return -1;
	if (error) {
		errno = error;
		return -1;
	}
	if (!read_info(l->fd, &info) || info.tcpi_state == TCP_SYN_SENT)
		return 0;
	/* A bare acknowledgement can ride on what is sent next. */
	setsockopt(l->fd, IPPROTO_TCP, TCP_QUICKACK, &no, sizeof no);
	return 1;
}

void tcp_finish(struct line *l)
{
	shutdown(l->fd, SHUT_WR);
}

/* As linux/tcp.h has it; the C library's struct ends before what is asked for here. */
enum { SEGMENTS_OUT_AT = 136 };

void tcp_count(struct line *l)
{
	uint8_t info[SEGMENTS_OUT_AT + 4];
	socklen_t n = sizeof info;
	uint32_t segments;

	if (getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, info, &n) < 0 || n < sizeof info)
		return;
	memcpy(&segments, info + SEGMENTS_OUT_AT, sizeof segments);
	if (segments > l->packets)
		l->packets = segments;
}

/*
 * Not connected: a connected socket has the kernel answer a reply from another port by ICMP, and some
 * devices reply from another port.
 */
int udp_open(struct line *l, const char *interface, uint16_t first, uint16_t last, uint16_t *next)
{
	const int one = 1;

	if (open_bound(l, interface, SOCK_DGRAM, first, last, next) < 0)
		return -1;
	/* That nobody has the port comes as an error of the next read. */
	if (l->own.family == 6)
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof one);
	else
		setsockopt(l->fd, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
	return 0;
}
