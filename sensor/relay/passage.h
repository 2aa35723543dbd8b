/*
 * One passage: a client on a UNIX socket, and the Redis that it asked for. A machine of phases that never
 * blocks, but for the resolver of names.
 *
 *   ASKING -> CONNECTING -> HANDSHAKE (TLS) -> GREETING -> OPEN -> over
 */
#ifndef SENSOR_RELAY_PASSAGE_H
#define SENSOR_RELAY_PASSAGE_H

#include "sensor/common/config.h"
#include "sensor/common/redis_url.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct ssl_st;     /* OpenSSL's SSL and SSL_CTX */
struct ssl_ctx_st;

enum { PASSAGE_BYTES = 64 * 1024, PASSAGE_LINE = 512 };

/* What all passages share. */
struct relay {
	struct relay_config config;
	struct redis_url url;
	struct ssl_ctx_st *trust; /* NULL without TLS */
};

struct passage_buffer {
	size_t from, to; /* bytes that wait stand between */
	char bytes[PASSAGE_BYTES];
};

struct passage {
	const struct relay *relay;
	int client, server;      /* sockets; -1 for none */
	struct ssl_st *ssl;      /* NULL without TLS */
	int phase;
	bool over;
	bool wants_write, wants_read; /* of TLS, whatever it was called for */
	int64_t deadline_ms;     /* of the phase; 0 when OPEN */
	char host[REDIS_URL_TEXT];
	struct passage_buffer up, down; /* to the server, to the client */
};

/* Takes over the connected socket `client`. */
void passage_start(struct passage *p, const struct relay *relay, int client, int64_t now_ms);

/* Fills in what to wait for: [0] of the client, [1] of the server. */
void passage_wait(const struct passage *p, struct pollfd fds[2]);

/* Goes on as far as it can. When `over` is set, passage_end() is due. */
void passage_go_on(struct passage *p, const struct pollfd fds[2], int64_t now_ms);

void passage_end(struct passage *p);

#endif
