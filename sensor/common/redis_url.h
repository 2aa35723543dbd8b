/*
 * Where Redis is and as whom to log in.
 *
 *   unix:///run/redis.sock          unix://user:password@/run/redis.sock?db=1
 *   redis://host                    redis://user:password@[2001:db8::1]:6379/1
 *   rediss://host:6380              the same over TLS
 *   redis://a:7000,b:7000,c:7000    any of these: nodes of a cluster, or addresses of one server
 *   sentinel://a,b:26379,c/plant    Sentinels that know the master of that name; sentinels:// over TLS
 *
 * User and password may hold %XX. A password without a user is `:password@`.
 */
#ifndef SENSOR_COMMON_REDIS_URL_H
#define SENSOR_COMMON_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

enum { REDIS_URL_TEXT = 256, REDIS_URL_PLACES = 8, REDIS_PORT = 6379, SENTINEL_PORT = 26379 };

struct redis_place {
	char host[REDIS_URL_TEXT]; /* name or address, IPv6 without brackets */
	int port;
};

struct redis_url {
	char path[REDIS_URL_TEXT]; /* of the socket; empty: TCP */
	bool tls;
	char master[REDIS_URL_TEXT]; /* that the places, Sentinels then, are asked for; empty: they are Redis itself */
	unsigned places;
	struct redis_place place[REDIS_URL_PLACES];
	int database;
	char user[REDIS_URL_TEXT];     /* empty: "default" */
	char password[REDIS_URL_TEXT]; /* empty: no login */
	/* The Sentinels' own login, which stands beside the text and not in it. */
	char sentinel_user[REDIS_URL_TEXT];
	char sentinel_password[REDIS_URL_TEXT];
};

/* Logins that stand beside the text, in the configuration. Without a password the text's stays, or none. */
void redis_url_login(struct redis_url *u, const char *user, const char *password);
void redis_url_sentinel_login(struct redis_url *u, const char *user, const char *password);

/* 0, or -1 with a clear sentence in why[room], which never holds the password. */
int redis_url_parse(struct redis_url *u, const char *text, char *why, size_t room);

#endif
