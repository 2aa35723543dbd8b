/* Reads the address of Redis; redis_url.h shows the forms. */
#include "sensor/common/redis_url.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { REDIS_PORT = 6379, DATABASE_MAX = 65535 };

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* Copies [from, to) with %XX undone. False when it does not fit, is no valid escape or holds a NUL. */
static bool copy_decoded(char out[REDIS_URL_TEXT], const char *from, const char *to)
{
	size_t n = 0;

	while (from < to) {
		int c = (unsigned char)*from++;

		if (c == '%') {
			if (to - from < 2 || hex_digit(from[0]) < 0 || hex_digit(from[1]) < 0)
				return false;
			c = hex_digit(from[0]) * 16 + hex_digit(from[1]);
			from += 2;
		}
		if (c == 0 || n == REDIS_URL_TEXT - 1)
			return false;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return true;
}

static bool read_number(const char *from, const char *to, int max, int *value)
{
	long v = 0;

	if (from == to)
		return false;
	for (; from < to; from++) {
		if (!isdigit((unsigned char)*from) || (v = v * 10 + (*from - '0')) > max)
			return false;
	}
	*value = (int)v;
	return true;
}

/* user:password before the last @ of the authority; leaves *at behind it. */
static bool read_login(struct redis_url *u, const char **at, const char *end)
{
	const char *sign = memrchr(*at, '@', (size_t)(end - *at)), *colon;

	if (!sign)
		return true;
	colon = memchr(*at, ':', (size_t)(sign - *at));
	if (!colon || !copy_decoded(u->user, *at, colon) || !copy_decoded(u->password, colon + 1, sign))
		return false;
	*at = sign + 1;
	return u->password[0] != 0;
}

static int refuse(char *why, size_t room, const char *sentence)
{
	snprintf(why, room, "%s", sentence);
	return -1;
}

static int parse_unix(struct redis_url *u, const char *at, char *why, size_t room)
{
	const char *question = strchr(at, '?'), *end = question ? question : at + strlen(at);
	const char *slash = strchr(at, '/');

	/* A path may hold an @, a login stands before the first slash. */
	if (!slash || slash > end || !read_login(u, &at, slash))
		return refuse(why, room, "the address of Redis must read unix:///path/to/socket or unix://user:password@/path/to/socket");
	if (at != slash || end - at < 2 || !copy_decoded(u->path, at, end))
		return refuse(why, room, "the address of Redis lacks the path of its socket (unix:///path/to/socket)");
	if (strlen(u->path) >= sizeof ((struct sockaddr_un *)0)->sun_path)
		return refuse(why, room, "the path of Redis's socket is too long for a UNIX socket (107 bytes at most)");
	if (question && (strncmp(question, "?db=", 4) != 0 ||
			 !read_number(question + 4, question + strlen(question), DATABASE_MAX, &u->database)))
		return refuse(why, room, "after the path of Redis's socket only ?db=NUMBER may follow");
	return 0;
}

/* host, host:port, [v6] or [v6]:port */
static bool read_host(struct redis_url *u, const char *at, const char *end)
{
	const char *host_end;

	u->port = REDIS_PORT;
	if (*at == '[') {
		host_end = memchr(at, ']', (size_t)(end - at));
		if (!host_end || !copy_decoded(u->host, at + 1, host_end))
			return false;
		host_end++;
	} else {
		const char *colon = memchr(at, ':', (size_t)(end - at));

		host_end = colon ? colon : end;
		if (!copy_decoded(u->host, at, host_end))
			return false;
	}
	if (!u->host[0])
		return false;
	if (host_end == end)
		return true;
	return *host_end == ':' && read_number(host_end + 1, end, 65535, &u->port) && u->port > 0;
}

static int parse_tcp(struct redis_url *u, const char *at, char *why, size_t room)
{
	const char *end = strchr(at, '/');
	const char *rest = end ? end + 1 : "";

	if (!end)
		end = at + strlen(at);
	if (!read_login(u, &at, end))
		return refuse(why, room, "the login in the address of Redis must read user:password@ (or :password@), with %XX for special characters");
	if (!read_host(u, at, end))
		return refuse(why, room, "the address of Redis must read redis://[user:password@]host[:port][/database]");
	if (rest[0] && !read_number(rest, rest + strlen(rest), DATABASE_MAX, &u->database))
		return refuse(why, room, "after the host of Redis only /NUMBER of its database may follow");
	return 0;
}

int redis_url_parse(struct redis_url *u, const char *text, char *why, size_t room)
{
	memset(u, 0, sizeof *u);
	if (strncmp(text, "unix://", 7) == 0)
		return parse_unix(u, text + 7, why, room);
	if (strncmp(text, "redis://", 8) == 0)
		return parse_tcp(u, text + 8, why, room);
	if (strncmp(text, "rediss://", 9) == 0)
		return refuse(why, room, "TLS to Redis (rediss://) is not supported; use a local Redis on a UNIX socket that replicates with TLS");
	if (strncmp(text, "sentinel://", 11) == 0)
		return refuse(why, room, "Redis Sentinel (sentinel://) is not supported; name the server itself with redis:// or unix://");
	return refuse(why, room, "the address of Redis must begin with unix:// or redis://");
}

int redis_url_resolve(struct redis_url *u, char *why, size_t room)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *one;
	int error;

	if (u->path[0])
		return 0;
	error = getaddrinfo(u->host, NULL, &hints, &all);
	if (error) {
		snprintf(why, room, "the host of Redis, %s, has no address: %s", u->host,
			 error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	u->addresses = 0;
	for (one = all; one && u->addresses < REDIS_URL_ADDRESSES; one = one->ai_next)
		if (getnameinfo(one->ai_addr, one->ai_addrlen, u->address[u->addresses], REDIS_URL_ADDRESS, NULL, 0, NI_NUMERICHOST) == 0)
			u->addresses++;
	freeaddrinfo(all);
	return u->addresses ? 0 : refuse(why, room, "the host of Redis has no usable address");
}
