/*
 * Carries the outbox to where people read it: the stream, the asset hashes and the health hash in
 * Redis, and the file of JSON lines. One sensor writes its stream alone.
 *
 *   askance:{S}:ev         stream, ID <epoch>-<event.sequence>, fields body, type, asset
 *   askance:{S}:asset:ID   hash, fields body, sequence
 *   askance:{S}:changed    sorted set of asset IDs, score = sequence of the last change
 *   askance:{S}:health     hash, fields body and those of struct publisher_stats
 *   askance:{S}:q:NAME     lists, and channels: see sensor/hub/outputs.h
 *
 * Nothing here ends the process and nothing waits: while Redis is away the outbox grows.
 */
#ifndef SENSOR_HUB_PUBLISHER_H
#define SENSOR_HUB_PUBLISHER_H

#include "sensor/common/config.h"
#include "sensor/hub/bound.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct store;

/*
 * Call once, before the walls: it opens config->jsonl. The connection itself is made on the loop,
 * again and again. Returns 0, or -1 with the cause in the log: a wrong URL, a file that can't be opened.
 * `config` is copied. It needs afterwards: socket, connect, getsockopt, setsockopt, fcntl, poll,
 * read, write, close, shutdown, epoll_ctl; newfstatat, openat, ftruncate, fsync for the file of JSON lines.
 */
int publisher_start(uv_loop_t *loop, struct store *s, const struct hub_config *config);

/* Call after every commit that appended an event or wrote an asset's state. Cheap. */
void publisher_kick(void);

/* Others who use the same connection, one after the other; the struct stays theirs. */
struct redis_link;
struct redisReply;
struct publisher_client {
	void (*ready)(struct redis_link *l, int question); /* a new connection: nothing is under way; ask with `question` */
	void (*down)(void);
	void (*pump)(void);                                /* a good moment to send what there is */
	void (*answer)(const struct redisReply *reply);    /* to one of ours, in order */
};
/* Before publisher_start(), PUBLISHER_CLIENTS of them at most. Without Redis they are never called. */
enum { PUBLISHER_CLIENTS = 2 };
void publisher_join(const struct publisher_client *c);

/* The health document as it stands now, for the health hash; copied. */
void publisher_health(const char *body, size_t len);

/*
 * Clean end: gives what is still unsent at most wait_ms to arrive, calls `done` on the loop and has
 * no handle open then. Nothing is lost when it doesn't arrive: it stays in the outbox.
 */
void publisher_stop(unsigned wait_ms, void (*done)(void));

struct publisher_stats {
	const char *redis_state; /* "off", "connecting", "streaming", or what is wrong: see publisher.c */
	uint64_t connects;       /* connections that got as far as streaming */
	uint64_t failures;       /* that ended, or never came about */
	uint64_t resyncs;        /* times that the stream's last ID was not what we expected */
	uint64_t published;      /* entries accepted since start */
	int64_t acked;           /* number of the last entry that Redis has; 0 when none */
	int64_t committed;       /* number of the newest entry */
	uint64_t lag_entries;    /* committed - acked */
	uint64_t lag_ms;         /* age of the oldest entry that Redis doesn't have */
	uint64_t outbox_entries;
	uint64_t outbox_bytes;
	struct bound_stats bound;
	const char *jsonl_state; /* "off", "writing", or what is wrong */
	int64_t jsonl_written;   /* number of the last entry in the file */
};

void publisher_stats(struct publisher_stats *stats);

#endif
