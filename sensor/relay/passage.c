/* Carries bytes between a client and a Redis; passage.h shows the phases. */
#include "sensor/relay/passage.h"

#include "sensor/relay/trust.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum phase { ASKING, CONNECTING, HANDSHAKE, GREETING, OPEN, FLUSHING };
enum { SETTLE_MS = 2500, DEAD_MS = 20000, REQUEST_LINES = 7 };

void passage_start(struct passage *p, const struct relay *relay, int client, int64_t now_ms)
{
	memset(p, 0, offsetof(struct passage, up));
	p->up.from = p->up.to = p->down.from = p->down.to = 0;
	p->relay = relay;
	p->client = client;
	p->server = -1;
	p->phase = (int)ASKING;
	p->deadline_ms = now_ms + SETTLE_MS;
}

void passage_end(struct passage *p)
{
	if (p->ssl) {
		SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
	}
	if (p->server >= 0)
		close(p->server);
	if (p->client >= 0)
		close(p->client);
	p->ssl = NULL;
	p->server = p->client = -1;
	p->over = true;
}

/* A sentence for the client, and the end when it has it. */
static void refuse(struct passage *p, const char *why)
{
	p->down.from = 0;
	p->down.to = (size_t)snprintf(p->down.bytes, PASSAGE_LINE, "-ERR %s: %.300s\r\n", p->host[0] ? p->host : "relay", why);
	p->phase = (int)FLUSHING;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Of TLS: notes what it waits for. True when it is only that. */
static bool tls_waits(struct passage *p, int result)
{
	int error = SSL_get_error(p->ssl, result);

	p->wants_read = error == SSL_ERROR_WANT_READ;
	p->wants_write = error == SSL_ERROR_WANT_WRITE;
	return p->wants_read || p->wants_write;
}

/* Bytes taken, 0 for none now, -1 at the end. */
static ssize_t take_server(struct passage *p, char *to, size_t room)
{
	ssize_t n;

	if (p->ssl) {
		int got = SSL_read(p->ssl, to, (int)room);

		return got > 0 ? got : tls_waits(p, got) ? 0 : -1;
	}
	n = recv(p->server, to, room, 0);
	return n > 0 ? n : n < 0 && would_block() ? 0 : -1;
}

static ssize_t give_server(struct passage *p, const char *from, size_t len)
{
	ssize_t n;

	if (p->ssl) {
		int given = SSL_write(p->ssl, from, (int)len);

		return given > 0 ? given : tls_waits(p, given) ? 0 : -1;
	}
	n = send(p->server, from, len, MSG_NOSIGNAL);
	return n >= 0 ? n : would_block() ? 0 : -1;
}

static ssize_t take_client(struct passage *p, char *to, size_t room)
{
	ssize_t n = recv(p->client, to, room, 0);

	return n > 0 ? n : n < 0 && would_block() ? 0 : -1;
}

static ssize_t give_client(struct passage *p, const char *from, size_t len)
{
	ssize_t n = send(p->client, from, len, MSG_NOSIGNAL);

	return n >= 0 ? n : would_block() ? 0 : -1;
}

static bool port_allowed(const struct relay *r, int port)
{
	for (unsigned i = 0; i < r->config.ports; i++)
		if (r->config.port[i] == port)
			return true;
	return false;
}

/* The first address of the name: a server with several is tried by the next connection, in the resolver's next order. */
static int open_socket(const char *host, int port, char *why, size_t room)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *found;
	char service[8];
	int error, one = 1, dead = DEAD_MS, fd;

	snprintf(service, sizeof service, "%d", port);
	error = getaddrinfo(host, service, &hints, &found);
	if (error) {
		snprintf(why, room, "has no address: %s", error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
		if (connect(fd, found->ai_addr, found->ai_addrlen) < 0 && errno != EINPROGRESS) {
			snprintf(why, room, "%s", strerror(errno));
			close(fd);
			fd = -1;
		}
	} else {
		snprintf(why, room, "no socket: %s", strerror(errno));
	}
	freeaddrinfo(found);
	return fd;
}

/* One "$length\r\ntext\r\n" at *at, as a C string. NULL when it isn't whole or not of that form. */
static char *read_word(char **at, const char *end)
{
	char *text, *rest;
	long len;

	if (end - *at < 4 || **at != '$')
		return NULL;
	len = strtol(*at + 1, &rest, 10);
	if (len < 1 || len > REDIS_URL_TEXT - 1 || strncmp(rest, "\r\n", 2) != 0 || end - rest - 2 < len + 2 || memcmp(rest + 2 + len, "\r\n", 2) != 0)
		return NULL;
	text = rest + 2;
	text[len] = 0;
	*at = text + len + 2;
	return strlen(text) == (size_t)len ? text : NULL;
}

/* The port that a well-formed request names, its host in p->host; 0 when it is none. */
static int request_port(struct passage *p, char *from, const char *end)
{
	static const char head[] = "*3\r\n$5\r\nRELAY\r\n";
	char *at = from + sizeof head - 1, *host, *port, *rest;
	long number;

	if ((size_t)(end - from) < sizeof head || memcmp(from, head, sizeof head - 1) != 0)
		return 0;
	host = read_word(&at, end);
	port = host ? read_word(&at, end) : NULL;
	if (!port || at != end)
		return 0;
	number = strtol(port, &rest, 10);
	memcpy(p->host, host, strlen(host) + 1);
	return *rest || number < 1 || number > 65535 ? 0 : (int)number;
}

/* The request is one write of the hub, and it sends nothing more until that is answered. */
static void read_request(struct passage *p)
{
	char *bytes = p->up.bytes, why[PASSAGE_LINE / 2];
	ssize_t n = take_client(p, bytes + p->up.to, PASSAGE_LINE - 1 - p->up.to);
	unsigned lines = 0;
	int port;

	if (n < 0) {
		p->over = true;
		return;
	}
	p->up.to += (size_t)n;
	bytes[p->up.to] = 0;
	for (const char *at = bytes; (at = strstr(at, "\r\n")); at += 2)
		lines++;
	if (lines < REQUEST_LINES && p->up.to < PASSAGE_LINE - 1)
		return;
	port = request_port(p, bytes, bytes + p->up.to);
	if (!port || !port_allowed(p->relay, port)) {
		refuse(p, port ? "its port is none of redis.url and redis.ports in the configuration" : "wants RELAY host port");
		return;
	}
	p->up.to = 0;
	p->server = open_socket(p->host, port, why, sizeof why);
	if (p->server < 0)
		refuse(p, why);
	else
		p->phase = (int)CONNECTING;
}

static void greet(struct passage *p)
{
	static const char ping[] = "PING\r\n";

	memcpy(p->up.bytes, ping, sizeof ping - 1);
	p->up.from = 0;
	p->up.to = sizeof ping - 1;
	p->phase = (int)GREETING;
}

static void finish_connect(struct passage *p, short events)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (!events)
		return;
	if (getsockopt(p->server, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		refuse(p, strerror(error ? error : errno));
		return;
	}
	if (!p->relay->trust) {
		greet(p);
		return;
	}
	p->ssl = trust_start(p->relay->trust, &p->relay->config, p->host, p->server);
	if (!p->ssl)
		refuse(p, "no memory");
	p->phase = p->ssl ? (int)HANDSHAKE : p->phase;
}

static void shake_hands(struct passage *p)
{
	char why[PASSAGE_LINE / 2];
	int result = SSL_do_handshake(p->ssl);

	if (result == 1) {
		p->wants_read = p->wants_write = false;
		greet(p);
	} else if (!tls_waits(p, result)) {
		trust_why(p->ssl, why, sizeof why);
		refuse(p, why);
	}
}

/* Answers that only a Redis gives to PING, whether it lets us in or not. */
static bool is_redis(const char *line)
{
	static const char *const answers[] = { "+PONG", "-NOAUTH", "-LOADING", "-MASTERDOWN", "-BUSY", "-DENIED", "-NOPERM", "-MISCONF" };

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		if (strncmp(line, answers[i], strlen(answers[i])) == 0)
			return true;
	return false;
}

static void hear_greeting(struct passage *p)
{
	ssize_t n = 0;

	if (p->up.from < p->up.to && (n = give_server(p, p->up.bytes + p->up.from, p->up.to - p->up.from)) > 0)
		p->up.from += (size_t)n;
	if (n >= 0 && p->up.from == p->up.to)
		n = take_server(p, p->down.bytes + p->down.to, PASSAGE_LINE - 1 - p->down.to);
	else if (n >= 0)
		return;
	if (n < 0) {
		refuse(p, "closed the connection");
		return;
	}
	p->down.to += (size_t)n;
	p->down.bytes[p->down.to] = 0;
	if (!strstr(p->down.bytes, "\r\n") && p->down.to < PASSAGE_LINE - 1)
		return;
	if (!is_redis(p->down.bytes)) {
		refuse(p, "what listens there is no Redis");
		return;
	}
	memcpy(p->down.bytes, "+OK\r\n", 5);
	p->down.to = 5;
	p->up.from = p->up.to = 0;
	p->deadline_ms = 0;
	p->phase = (int)OPEN;
}

/* Empties a buffer towards its side as far as that takes it; false when that side is gone. */
static bool drain(struct passage *p, struct passage_buffer *b, ssize_t (*give)(struct passage *, const char *, size_t))
{
	while (b->from < b->to) {
		ssize_t n = give(p, b->bytes + b->from, b->to - b->from);

		if (n < 0)
			return false;
		if (n == 0)
			return true;
		b->from += (size_t)n;
	}
	b->from = b->to = 0;
	return true;
}

/* Fills and empties one direction until either side waits. False at the end. */
static bool carry(struct passage *p, struct passage_buffer *b, ssize_t (*take)(struct passage *, char *, size_t),
		  ssize_t (*give)(struct passage *, const char *, size_t))
{
	for (int rounds = 0; rounds < 16; rounds++) {
		ssize_t n;

		if (!drain(p, b, give))
			return false;
		if (b->to)
			return true;
		n = take(p, b->bytes, sizeof b->bytes);
		if (n <= 0)
			return n == 0;
		b->to = (size_t)n;
	}
	return true;
}

void passage_wait(const struct passage *p, struct pollfd fds[2])
{
	bool open = p->phase == (int)OPEN, asking = p->phase == (int)ASKING;

	fds[0] = (struct pollfd){ .fd = p->client };
	fds[1] = (struct pollfd){ .fd = p->server };
	if (asking || (open && !p->up.to))
		fds[0].events = POLLIN;
	if (p->down.to && (open || p->phase == (int)FLUSHING))
		fds[0].events = (short)(fds[0].events | POLLOUT);
	if (p->phase == (int)CONNECTING || p->wants_write || (p->up.to && (open || p->phase == (int)GREETING)))
		fds[1].events = POLLOUT;
	if (p->phase == (int)HANDSHAKE || p->phase == (int)GREETING || p->wants_read || (open && !p->down.to))
		fds[1].events = (short)(fds[1].events | (p->wants_write && p->phase == (int)HANDSHAKE ? 0 : POLLIN));
}

void passage_go_on(struct passage *p, const struct pollfd fds[2], int64_t now_ms)
{
	/* A client that is gone while nothing is awaited of it would wake us for ever. */
	if ((fds[0].revents & (POLLHUP | POLLERR)) && !(fds[0].revents & POLLIN)) {
		p->over = true;
		return;
	}
	if (p->phase == (int)ASKING && fds[0].revents)
		read_request(p);
	if (p->phase == (int)CONNECTING)
		finish_connect(p, fds[1].revents);
	if (p->phase == (int)HANDSHAKE)
		shake_hands(p);
	if (p->phase == (int)GREETING)
		hear_greeting(p);
	if (p->phase == (int)OPEN && (!carry(p, &p->up, take_client, give_server) || !carry(p, &p->down, take_server, give_client)))
		p->over = true;
	if (p->deadline_ms && now_ms >= p->deadline_ms && p->phase != (int)FLUSHING)
		refuse(p, "no answer in time");
	if (p->phase == (int)FLUSHING && (!drain(p, &p->down, give_client) || !p->down.to))
		p->over = true;
}
