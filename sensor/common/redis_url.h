/*
 * Where Redis is and as whom to log in.
 *
 *   unix:///run/redis.sock          unix://user:password@/run/redis.sock?db=1
 *   redis://host                    redis://user:password@[2001:db8::1]:6379/1
 *
 * User and password may hold %XX. A password without a user is `:password@`.
 */
#ifndef SENSOR_COMMON_REDIS_URL_H
#define SENSOR_COMMON_REDIS_URL_H

#include <stddef.h>

enum { REDIS_URL_TEXT = 256, REDIS_URL_ADDRESSES = 8, REDIS_URL_ADDRESS = 64 };

struct redis_url {
	char path[REDIS_URL_TEXT]; /* of the socket; empty: TCP */
	char host[REDIS_URL_TEXT];
	int port;
	int database;
	char user[REDIS_URL_TEXT];     /* empty: "default" */
	char password[REDIS_URL_TEXT]; /* empty: no login */
	unsigned addresses;            /* of host, after redis_url_resolve() */
	char address[REDIS_URL_ADDRESSES][REDIS_URL_ADDRESS];
};

/* 0, or -1 with a clear sentence in why[room], which never holds the password. */
int redis_url_parse(struct redis_url *u, const char *text, char *why, size_t room);

/* Finds the host's addresses, which may take seconds when it is a name. Nothing to do for a socket. */
int redis_url_resolve(struct redis_url *u, char *why, size_t room);

#endif
