/* Reads an address and opens the socket. */
#include "sensor/console/listen.h"

#include "sensor/common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAITING = 64, HOST_BYTES = 64 };

static bool is_local(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static int open_at(const struct addrinfo *at, const char *text)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	/* A console that is started again must not wait for the connections of the last one. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
	    listen(fd, WAITING) == 0)
		return fd;
	log_error("can't listen on %s: %s", text, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int listen_open(const char *text, bool login)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':'), *from = text + (text[0] == '[');
	const char *end = colon && colon > text && colon[-1] == ']' ? colon - 1 : colon;
	struct addrinfo *found = NULL;
	char host[HOST_BYTES];
	int fd = -1;

	if (!colon || !colon[1] || end - from >= HOST_BYTES || (text[0] == '[') != (end != colon)) {
		log_error("'%s' is no address to listen on; write 127.0.0.1:8080, or [::1]:8080", text);
		return -1;
	}
	snprintf(host, sizeof host, "%.*s", (int)(end - from), end == from ? "" : from);
	if (getaddrinfo(host[0] ? host : "127.0.0.1", colon + 1, &hints, &found) != 0) {
		log_error("'%s' is no address to listen on; write a number like 127.0.0.1:8080, not a name", text);
		return -1;
	}
	if (login || is_local(found->ai_addr))
		fd = open_at(found, text);
	else
		log_error("%s is reached from other machines: that wants --tls-cert, --tls-key and --client-ca, so that only analysts come in", text);
	freeaddrinfo(found);
	return fd;
}
