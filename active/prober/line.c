/* Bytes out and in, filtered by who sent them, with times from the kernel where it has them. */
#include "active/prober/line.h"

#include "active/prober/word.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTROL_BYTES = 512 };

union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_ll link;
};

int line_socket(const struct line *l, const char *interface, int type)
{
	const int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
	                   SOF_TIMESTAMPING_OPT_TSONLY;
	const int one = 1;
	int fd = socket(l->own.family == 6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Without its times the kernel still has a clock; without the interface the route alone decides, and it was looked at. */
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps);
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1);
	/* A port may still be waiting for the last word of its old connection, to another target. */
	if (type != SOCK_STREAM || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0)
		return fd;
	close(fd);
	return -1;
}

static socklen_t fill_address(const struct line *l, union address *a)
{
	memset(a, 0, sizeof *a);
	if (l->transport == TRANSPORT_ETHERNET) {
		a->link.sll_family = AF_PACKET;
		a->link.sll_protocol = htons(l->ethertype);
		a->link.sll_ifindex = (int)l->interface;
		a->link.sll_halen = 6;
		memcpy(a->link.sll_addr, l->destination, 6);
		return sizeof a->link;
	}
	if (l->target.family == 6) {
		a->ip6.sin6_family = AF_INET6;
		a->ip6.sin6_port = htons(l->port);
		memcpy(&a->ip6.sin6_addr, l->target.ip, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&a->ip6.sin6_addr))
			a->ip6.sin6_scope_id = l->interface;
		return sizeof a->ip6;
	}
	a->ip4.sin_family = AF_INET;
	a->ip4.sin_port = htons(l->port);
	memcpy(&a->ip4.sin_addr, l->target.ip, 4);
	return sizeof a->ip4;
}

static int64_t time_in(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
			struct scm_timestamping t;

			memcpy(&t, CMSG_DATA(c), sizeof t);
			if (t.ts[0].tv_sec)
				return (int64_t)t.ts[0].tv_sec * 1000000000 + t.ts[0].tv_nsec;
		}
	return 0;
}

/* An ICMP message about what we sent, as errno; 0 when it is none. */
static int icmp_in(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		                (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
		struct sock_extended_err e;

		if (!is_error)
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof e);
		if (e.ee_origin == SO_EE_ORIGIN_ICMP || e.ee_origin == SO_EE_ORIGIN_ICMP6)
			return (int)e.ee_errno;
	}
	return 0;
}

/* Empties the queue of errors and sent-times; the last time found, else 0. */
static int64_t take_sent_time(struct line *l)
{
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES];
	int64_t last = 0;

	for (;;) {
		struct msghdr m = { .msg_control = control, .msg_controllen = sizeof control };
		int64_t t;
		int error;

		if (recvmsg(l->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return last;
		t = time_in(&m);
		last = t ? t : last;
		error = icmp_in(&m);
		if (error && l->transport == TRANSPORT_UDP)
			l->unreachable = error;
	}
}

bool line_send(struct line *l, const uint8_t *bytes, size_t len, int64_t *time_ns)
{
	union address to;
	socklen_t n = fill_address(l, &to);
	int64_t before = clock_ns(), stamp;
	ssize_t sent;

	if (l->transport == TRANSPORT_TCP)
		sent = send(l->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		sent = sendto(l->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT, &to.any, n);
	if (sent > 0)
		l->bytes += (uint32_t)sent;
	if (l->transport != TRANSPORT_TCP && sent >= 0)
		l->packets++;
	stamp = take_sent_time(l);
	l->kernel_time = stamp != 0;
	*time_ns = stamp ? stamp : before;
	return sent == (ssize_t)len;
}

static bool is_of_target(struct line *l, const union address *from, struct line_news *news)
{
	const void *ip = l->target.family == 6 ? (const void *)&from->ip6.sin6_addr : (const void *)&from->ip4.sin_addr;

	if (l->transport == TRANSPORT_ETHERNET) {
		memcpy(news->mac, from->link.sll_addr, 6);
		return from->link.sll_pkttype != PACKET_OUTGOING && (l->group || memcmp(news->mac, l->target.mac, 6) == 0);
	}
	if (l->transport == TRANSPORT_TCP) {
		news->port = l->port;
		return true;
	}
	news->port = ntohs(l->target.family == 6 ? from->ip6.sin6_port : from->ip4.sin_port);
	if (memcmp(ip, l->target.ip, l->target.family == 6 ? 16 : 4) != 0)
		return false;
	if (l->reply_port == REPLY_PORT_FOLLOW)
		l->port = news->port;
	return l->reply_port != REPLY_PORT_SERVICE || news->port == l->port;
}

static enum line_got judge_error(struct line *l)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
		take_sent_time(l); /* one that came late keeps the socket ready */
		errno = l->unreachable;
		return l->unreachable ? LINE_FAILED : LINE_NOTHING;
	}
	/* On Ethernet and UDP an error is of one frame; of a port that nobody has it is the answer. */
	if (l->transport == TRANSPORT_UDP || l->transport == TRANSPORT_ETHERNET)
		take_sent_time(l);
	return LINE_FAILED;
}

enum line_got line_receive(struct line *l, uint8_t *bytes, size_t room, struct line_news *news)
{
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES];

	for (;;) {
		union address from = { .any = { 0 } };
		struct iovec v = { bytes, room };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v, .msg_iovlen = 1,
		                    .msg_control = control, .msg_controllen = sizeof control };
		ssize_t n = recvmsg(l->fd, &m, MSG_DONTWAIT);

		if (n < 0)
			return judge_error(l);
		if (n == 0 && l->transport == TRANSPORT_TCP)
			return LINE_CLOSED;
		if (n == 0 || !is_of_target(l, &from, news))
			continue;
		news->len = (size_t)n;
		news->time_ns = time_in(&m);
		if (!news->time_ns)
			news->time_ns = clock_ns();
		return LINE_DATA;
	}
}
