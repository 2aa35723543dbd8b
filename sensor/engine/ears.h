/*
 * The user's file of service probes, used to listen: what servers say is matched with its lines, as if a
 * probe had asked for it, when the client that did ask asked like a probe. Nothing is ever sent.
 *
 * A flow has one say: what its server says first, and if that is not known, its answer to the first request.
 * Up to SERVICE_SUBJECT_BYTES of it are kept until a line matches. A server that was looked at is left alone
 * for a while: what the thousandth connection says the first has said.
 */
#ifndef SENSOR_ENGINE_EARS_H
#define SENSOR_ENGINE_EARS_H

#include "sensor/engine/flow.h"

#include <stdbool.h>
#include <stddef.h>

struct engine;
struct ears;

/*
 * Reads the file at `fd` and takes all memory there will be, for `flows` flows that wait at once. Lines that
 * can't be used are told when `words`, patterns that PCRE2 refuses when their turn comes; `path` must live as long. NULL, and told, when nothing of it can be used.
 */
struct ears *ears_open(int fd, const char *path, unsigned flows, bool words);
void ears_close(struct ears *x);

/* Bytes in order of a TCP connection that has a detail. */
void ears_stream(struct engine *e, struct flow *f, const struct packet *p, const uint8_t *bytes, size_t len);
/* A datagram of a flow that has a detail. */
void ears_datagram(struct engine *e, struct flow *f, const struct packet *p);

/* True while an answer is waited for: the flow's detail is worth keeping. */
bool ears_wait(const struct engine *e, const struct flow *f);

/* No more will be heard of this flow, whose detail is about to go. True when its service has a name now. */
bool ears_end(struct engine *e, struct flow *f, const struct packet *p);

#endif
