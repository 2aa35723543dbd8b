/*
 * What comes from Redis, where anybody may write: replies of the server, the bodies of commands, what the hub says
 * to its relay, and what the prober says to the hub.
 *
 * Input: the kind:1, and the bytes.
 */
#include "active/guard/approval.h"
#include "classifiers/finding/text.h"
#include "sensor/common/redis_url.h"
#include "sensor/hub/command_read.h"
#include "sensor/hub/stream_end.h"
#include "sensor/redis/redis_state.h"
#include "sensor/relay/passage.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_reply(const redisReply *r, unsigned depth)
{
	struct stream_end end;

	if (stream_end_read(&end, r) == 0 && r->type == REDIS_REPLY_NIL)
		abort();
	if (r->type == REDIS_REPLY_ERROR) {
		enum redis_state s = redis_state_of_error(r->str);

		if (s >= REDIS_STATES || !redis_state_name(s)[0])
			abort();
		redis_state_advice(s);
	}
	if (r->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < r->elements && depth < 9; i++)
			if (r->element[i])
				use_reply(r->element[i], depth + 1);
}

static void try_replies(const uint8_t *bytes, size_t len)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;

	if (!reader)
		abort();
	/* Whole and in two halves, as a socket brings it. */
	redisReaderFeed(reader, (const char *)bytes, len / 2);
	redisReaderGetReply(reader, &reply);
	freeReplyObject(reply);
	redisReaderFeed(reader, (const char *)bytes + len / 2, len - len / 2);
	while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
		use_reply(reply, 0);
		freeReplyObject(reply);
		reply = NULL;
	}
	redisReaderFree(reader);
}

static void try_command(const uint8_t *bytes, size_t len)
{
	struct command_read c;
	char why[256] = "", text[COMMAND_TEXT_BYTES];
	bool good = command_read(&c, "plant-1", (const char *)bytes, len, why, sizeof why);

	if (!good && !why[0])
		abort();
	if (!text_is_clean(c.id, sizeof c.id) || !text_is_clean(c.analyst, sizeof c.analyst) || !text_is_clean(c.name, sizeof c.name))
		abort();
	if (good && !c.approves && command_valid(&c.command) && !command_text(&c.command, text))
		abort();
}

static void try_url(const uint8_t *bytes, size_t len)
{
	char text[CONFIG_URL_BYTES], why[256] = "";
	struct redis_url url;

	len = len < sizeof text - 1 ? len : sizeof text - 1;
	memcpy(text, bytes, len);
	text[len] = 0;
	if (redis_url_parse(&url, text, why, sizeof why) == 0 ? url.places > REDIS_URL_PLACES : !why[0])
		abort();
}

/* No port is allowed, so that nothing is connected to, whatever the client asks. */
static void try_relay(const uint8_t *bytes, size_t len)
{
	static struct relay relay = { .config = { .version = CONFIG_VERSION } };
	struct passage p;
	struct pollfd fds[2];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	if (write(pair[1], bytes, len) < 0)
		abort();
	passage_start(&p, &relay, pair[0], 1);
	for (int64_t now_ms = 1; now_ms < 6 && !p.over; now_ms++) {
		passage_wait(&p, fds);
		poll(fds, 2, 0);
		passage_go_on(&p, fds, now_ms);
		if (p.server >= 0)
			abort();
	}
	passage_end(&p);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0: try_replies(data + 1, size - 1); break;
	case 1: try_command(data + 1, size - 1); break;
	case 2: try_url(data + 1, size - 1); break;
	default: try_relay(data + 1, size - 1);
	}
	return 0;
}
