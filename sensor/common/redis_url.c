/* Reads the address of Redis; redis_url.h shows the forms. */
#include "sensor/common/redis_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { DATABASE_MAX = 65535 };

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
static bool read_place(struct redis_place *p, const char *at, const char *end)
{
	const char *host_end, *close = at < end && *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;

	if (at >= end || (*at == '[' && !close))
		return false;
	if (close) {
		host_end = close + 1;
		at++;
	} else {
		close = memchr(at, ':', (size_t)(end - at));
		close = host_end = close ? close : end;
	}
	if (close == at || !copy_decoded(p->host, at, close) || strpbrk(p->host, " \t\r\n"))
		return false;
	if (host_end == end)
		return true;
	return *host_end == ':' && read_number(host_end + 1, end, 65535, &p->port) && p->port > 0;
}

static bool read_places(struct redis_url *u, const char *at, const char *end, int port)
{
	while (u->places < REDIS_URL_PLACES) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct redis_place *p = &u->place[u->places++];

		p->port = port;
		if (!read_place(p, at, comma ? comma : end))
			return false;
		if (!comma)
			return true;
		at = comma + 1;
	}
	return false;
}

/* What follows the places: a database, or a master's name and then one. */
static bool read_tail(struct redis_url *u, const char *tail, bool sentinel)
{
	const char *slash = strchr(tail, '/');

	if (sentinel) {
		const char *end = slash ? slash : tail + strlen(tail);

		if (end == tail || !copy_decoded(u->master, tail, end) || strpbrk(u->master, " \t\r\n"))
			return false;
		tail = slash ? slash + 1 : end;
	}
	return !*tail || read_number(tail, tail + strlen(tail), DATABASE_MAX, &u->database);
}

static int parse_places(struct redis_url *u, const char *at, bool sentinel, char *why, size_t room)
{
	const char *end = strchr(at, '/');
	const char *tail = end ? end + 1 : "";

	if (!end)
		end = at + strlen(at);
	if (!read_login(u, &at, end))
		return refuse(why, room, "the login in the address of Redis must read user:password@ (or :password@), with %XX for special characters");
	if (!read_places(u, at, end, sentinel ? SENTINEL_PORT : REDIS_PORT))
		return refuse(why, room, "the address of Redis must read redis://[user:password@]host[:port][,host...][/database], with 8 hosts at most");
	if (!read_tail(u, tail, sentinel))
		return refuse(why, room, sentinel ? "after the Sentinels must follow /MASTER, and may follow /NUMBER of a database"
						  : "after the host of Redis only /NUMBER of its database may follow");
	return 0;
}

int redis_url_parse(struct redis_url *u, const char *text, char *why, size_t room)
{
	static const struct {
		const char *begins;
		bool tls, sentinel;
	} kinds[] = {
		{ "redis://", false, false }, { "rediss://", true, false }, { "sentinel://", false, true }, { "sentinels://", true, true },
	};

	memset(u, 0, sizeof *u);
	if (strncmp(text, "unix://", 7) == 0)
		return parse_unix(u, text + 7, why, room);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strncmp(text, kinds[i].begins, strlen(kinds[i].begins)) == 0) {
			u->tls = kinds[i].tls;
			return parse_places(u, text + strlen(kinds[i].begins), kinds[i].sentinel, why, room);
		}
	return refuse(why, room, "the address of Redis must begin with unix://, redis://, rediss://, sentinel:// or sentinels://");
}

static void set_login(char to_user[REDIS_URL_TEXT], char to_password[REDIS_URL_TEXT], const char *user, const char *password)
{
	if (!password[0])
		return;
	snprintf(to_user, REDIS_URL_TEXT, "%s", user);
	snprintf(to_password, REDIS_URL_TEXT, "%s", password);
}

void redis_url_login(struct redis_url *u, const char *user, const char *password)
{
	set_login(u->user, u->password, user, password);
}

void redis_url_sentinel_login(struct redis_url *u, const char *user, const char *password)
{
	set_login(u->sentinel_user, u->sentinel_password, user, password);
}
