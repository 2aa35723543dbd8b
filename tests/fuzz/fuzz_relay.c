/*
 * The relay between a hub and a Redis that are both an attacker's, over a UNIX socket and loopback: not a byte of
 * either reaches the other before the server greeted as a Redis does; then all of them do, unchanged and in order.
 *
 * Input: messages {who:1, length:2, bytes}, who: the client, the server, or nobody while time goes on.
 */
#include "classifiers/api/cursor.h"
#include "sensor/relay/passage.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/must.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAID_MOST = 32768, PUMPS = 64, MESSAGES_MOST = 32 };

static const char ping[] = "PING\r\n", ok[] = "+OK\r\n", refused[] = "-ERR ";

/* What an end said, and what it heard. */
struct end {
	int fd;
	bool gone;
	size_t said_len, heard_len;
	uint8_t said[SAID_MOST], heard[SAID_MOST];
};

static struct scene {
	int listener;
	struct relay relay;
	struct passage p;
	struct end client, server;
	int64_t now_ms;
} s;

MUTATE_MESSAGES(0)

static void start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;

	s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(s.listener, (struct sockaddr *)&a, len) == 0 && listen(s.listener, 4) == 0);
	must(getsockname(s.listener, (struct sockaddr *)&a, &len) == 0);
	s.relay.config = (struct relay_config){ .version = CONFIG_VERSION, .ports = 1, .port = { ntohs(a.sin_port) } };
}

static void say(struct end *e, const void *bytes, size_t len)
{
	ssize_t n;

	if (e->gone || len > SAID_MOST - e->said_len)
		return;
	n = send(e->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n <= 0)
		return;
	memcpy(e->said + e->said_len, bytes, (size_t)n);
	e->said_len += (size_t)n;
}

static void hear(struct end *e)
{
	ssize_t n;

	if (e->fd < 0)
		return;
	while ((n = recv(e->fd, e->heard + e->heard_len, SAID_MOST - e->heard_len, MSG_DONTWAIT)) > 0)
		e->heard_len += (size_t)n;
	e->gone |= n == 0;
}

/* Until nothing moves any more. */
static void pump(void)
{
	struct pollfd fds[2];

	for (unsigned i = 0; i < PUMPS && !s.p.over; i++) {
		passage_wait(&s.p, fds);
		if (poll(fds, 2, 0) == 0)
			break;
		passage_go_on(&s.p, fds, s.now_ms);
		hear(&s.client);
		hear(&s.server);
	}
}

/* Connects the two by the relay's own means. */
static void connect_ends(void)
{
	char request[128];
	int pair[2], port = s.relay.config.port[0], len;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	passage_start(&s.p, &s.relay, pair[0], s.now_ms);
	s.client.fd = pair[1];
	len = snprintf(request, sizeof request, "*3\r\n$5\r\nRELAY\r\n$9\r\n127.0.0.1\r\n$%d\r\n%d\r\n", snprintf(NULL, 0, "%d", port), port);
	must(send(s.client.fd, request, (size_t)len, MSG_NOSIGNAL) == len);
	pump();
	must(s.p.server >= 0);
	s.server.fd = accept(s.listener, NULL, NULL);
	must(s.server.fd >= 0);
	pump();
}

/* Reset, so that no port waits for anything. */
static void part_ends(void)
{
	struct linger now = { 1, 0 };

	setsockopt(s.server.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(s.server.fd);
	passage_end(&s.p);
	close(s.client.fd);
}

static void judge(void)
{
	const struct end *c = &s.client, *v = &s.server;
	size_t up = v->heard_len > sizeof ping - 1 ? v->heard_len - (sizeof ping - 1) : 0;

	must(memcmp(v->heard, ping, v->heard_len < sizeof ping - 1 ? v->heard_len : sizeof ping - 1) == 0);
	must(up <= c->said_len && memcmp(v->heard + sizeof ping - 1, c->said, up) == 0);
	if (c->heard_len < sizeof ok - 1) {
		must(up == 0 && (c->heard_len == 0 || memcmp(c->heard, ok, c->heard_len) == 0 || memcmp(c->heard, refused, c->heard_len) == 0));
	} else if (memcmp(c->heard, ok, sizeof ok - 1) == 0) {
		size_t down = c->heard_len - (sizeof ok - 1);

		must(v->said_len > 0 && (v->said[0] == '+' || v->said[0] == '-'));
		must(down == 0 || memmem(v->said, v->said_len, c->heard + sizeof ok - 1, down) != NULL);
	} else {
		must(up == 0 && memcmp(c->heard, refused, sizeof refused - 1) == 0 && c->heard_len < PASSAGE_LINE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	if (!s.listener)
		start();
	s.now_ms = 1;
	s.client = s.server = (struct end){ .fd = -1 };
	connect_ends();
	for (unsigned n = 0; n < MESSAGES_MOST && cursor_left(&c) >= 3 && !s.p.over; n++) {
		uint8_t who = cursor_u8(&c);
		uint16_t len = cursor_u16be(&c);
		struct cursor bytes = cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c));

		/* The greeting often enough, that there is something behind it. */
		if (who == 'g')
			say(&s.server, "+PONG\r\n", 7);
		else if (who % 4 < 3)
			say(who % 2 ? &s.client : &s.server, bytes.at, cursor_left(&bytes));
		else
			s.now_ms += len;
		pump();
	}
	judge();
	part_ends();
	return 0;
}
