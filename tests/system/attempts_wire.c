/* Attempts to put something on the wire or to reach somebody. None cleans up: each runs in a process of its own that ends after it. */
#include "tests/system/attempts.h"

#include "sensor/common/message.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { FRAME_BYTES = 60 };

static char frame[FRAME_BYTES];

bool socket_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, htons(3)) >= 0;
}

static bool socket_packet_dgram(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, htons(3)) >= 0;
}

static bool socket_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

bool socket_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool socket_tcp6(void)
{
	return socket(AF_INET6, SOCK_STREAM, 0) >= 0;
}

static bool socket_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}

bool socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool socket_unix_dgram(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) >= 0;
}

static bool socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static bool socket_vsock(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0) >= 0;
}

static bool socket_pair(void)
{
	int fd[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0;
}

static bool connect_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(TCP_FD, (struct sockaddr *)&a, sizeof a) == 0;
}

static bool connect_held(void)
{
	return connect_to(scene.port);
}

bool connect_redis(void)
{
	return connect_to(scene.redis_port);
}

static bool bind_listen(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return bind(TCP_FD, (struct sockaddr *)&a, sizeof a) == 0 && listen(TCP_FD, 1) == 0;
}

static bool connect_abstract(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s", scene.abstract);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(scene.abstract))) == 0;
}

/* -- what only the prober comes near to */

static int bound_socket(int type, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

static bool bind_other_port(void)
{
	return bound_socket(SOCK_STREAM, PROBE_PORT + 100) >= 0;
}

static bool listen_on_own_port(void)
{
	int fd = bound_socket(SOCK_STREAM, PROBE_PORT);

	return fd >= 0 && listen(fd, 1) == 0;
}

static bool ping_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0;
}

static bool socket_multipath(void)
{
	return socket(AF_INET, SOCK_STREAM, 262) >= 0;
}

/* A right to send, taken out of one number and put under another by way of a message. */
static bool send_packet_by_message(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	int fd = PACKET_FD;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (sendmsg(CONNECTED_FD, &m, 0) != 1)
		return false;
	return send(PACKET_FD, frame, sizeof frame, 0) > 0;
}

static bool send_udp(void)
{
	return send(UDP_FD, frame, sizeof frame, 0) > 0;
}

static bool write_udp(void)
{
	return write(UDP_FD, frame, sizeof frame) > 0;
}

static bool write_stream(void)
{
	return write(CONNECTED_FD, frame, sizeof frame) > 0;
}

static bool send_packet(void)
{
	return send(PACKET_FD, frame, sizeof frame, 0) > 0;
}

static bool sendmsg_packet(void)
{
	struct iovec v = { frame, sizeof frame };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return sendmsg(PACKET_FD, &m, 0) > 0;
}

static bool sendmmsg_packet(void)
{
	struct iovec v = { frame, sizeof frame };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return sendmmsg(PACKET_FD, &m, 1, 0) > 0;
}

static bool write_packet(void)
{
	return write(PACKET_FD, frame, sizeof frame) > 0;
}

static bool writev_packet(void)
{
	struct iovec v = { frame, sizeof frame };

	return writev(PACKET_FD, &v, 1) > 0;
}

static bool sendfile_packet(void)
{
	off_t at = 0;

	return sendfile(PACKET_FD, MEMORY_FD, &at, sizeof frame) > 0;
}

static bool splice_packet(void)
{
	int pipes[2];

	return pipe(pipes) == 0 && write(pipes[1], frame, sizeof frame) > 0 &&
	       splice(pipes[0], NULL, PACKET_FD, NULL, sizeof frame, 0) > 0;
}

static bool write_after(int fd)
{
	return fd >= 0 && write(fd, frame, sizeof frame) > 0;
}

static bool dup2_packet_to_stderr(void)
{
	return write_after(dup2(PACKET_FD, STDERR_FILENO));
}

static bool dup3_packet_to_wake(void)
{
	return write_after(dup3(PACKET_FD, FD_WAKE_OUT, 0));
}

static bool dup2_packet_to_outcomes(void)
{
	return write_after(dup2(PACKET_FD, FD_OUTCOMES));
}

/* A number that is allowed to be written to, freed and taken again by the next descriptor. */
static bool reuse_stderr(void)
{
	close(STDERR_FILENO);
	return write_after(dup(PACKET_FD));
}

static bool fcntl_dup_packet(void)
{
	close(STDERR_FILENO);
	return write_after(fcntl(PACKET_FD, F_DUPFD, STDERR_FILENO));
}

static bool transmit_ring(void)
{
	struct tpacket_req r = { 4096, 1, 2048, 2 };

	return setsockopt(PACKET_FD, SOL_PACKET, PACKET_TX_RING, &r, sizeof r) == 0;
}

const struct attempt wire_attempts[] = {
	{ "a packet socket", WALLED, socket_packet, false, 0 },
	{ "a cooked packet socket", WALLED, socket_packet_dgram, false, 0 },
	{ "a raw IP socket", WALLED, socket_raw, false, 0 },
	{ "a TCP socket", SEALED | HUB | CONSOLE, socket_tcp, false, 0 },
	{ "an IPv6 TCP socket", SEALED | HUB | CONSOLE, socket_tcp6, true, 0 },
	{ "a UDP socket", SEALED | HUB | CONSOLE, socket_udp, false, 0 },
	{ "a UNIX socket", NARROW | RELAY, socket_unix, false, 0 },
	{ "a UNIX datagram socket", WALLED, socket_unix_dgram, false, 0 },
	{ "a netlink socket", WALLED, socket_netlink, false, 0 },
	{ "a VM socket", WALLED, socket_vsock, true, 0 },
	{ "a socket pair", WALLED, socket_pair, false, 0 },
	{ "connect() of a held TCP socket", WALLED, connect_held, false, 4 },
	{ "connect() to Redis", NARROW | HUB | CONSOLE, connect_redis, false, 4 },
	{ "bind() and listen()", WALLED, bind_listen, false, 0 },
	{ "an abstract socket outside", ALL, connect_abstract, false, 6 },
	{ "binding a port that is not a probe's", NARROW, bind_other_port, false, 4 },
	{ "listening on a probe's port", NARROW, listen_on_own_port, false, 0 },
	{ "a ping socket", WALLED, ping_socket, true, 0 },
	{ "a multipath TCP socket", NARROW | HUB | CONSOLE, socket_multipath, true, 0 },
	{ "passing a packet socket on", NARROW, send_packet_by_message, false, 0 },
	{ "send() on a held UDP socket", NARROW, send_udp, false, 0 },
	{ "write() on a held UDP socket", NARROW, write_udp, false, 0 },
	{ "write() on a connected socket", NARROW, write_stream, false, 0 },
	{ "send() on a packet socket", NARROW, send_packet, false, 0 },
	{ "sendmsg() on a packet socket", NARROW, sendmsg_packet, false, 0 },
	{ "sendmmsg() on a packet socket", NARROW, sendmmsg_packet, false, 0 },
	{ "write() on a packet socket", NARROW, write_packet, false, 0 },
	{ "writev() on a packet socket", NARROW, writev_packet, false, 0 },
	{ "sendfile() to a packet socket", NARROW, sendfile_packet, false, 0 },
	{ "splice() to a packet socket", NARROW, splice_packet, false, 0 },
	{ "dup2() of it to stderr, write()", NARROW, dup2_packet_to_stderr, false, 0 },
	{ "dup3() of it to the wake, write()", NARROW, dup3_packet_to_wake, false, 0 },
	{ "dup2() of it to outcomes, write()", NARROW, dup2_packet_to_outcomes, false, 0 },
	{ "dup() of it to a freed number", NARROW, reuse_stderr, false, 0 },
	{ "fcntl(F_DUPFD) to a freed number", NARROW, fcntl_dup_packet, false, 0 },
	{ "a transmit ring", NARROW, transmit_ring, false, 0 },
	{ NULL, 0, NULL, false, 0 },
};
