/* The claim to a sensor's name, as a key that expires. */
#include "sensor/hub/owner.h"

#include "sensor/common/log.h"
#include "sensor/hub/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

enum { KEY_BYTES = 128, VALUE_BYTES = 128, STORE_DIGITS = 16, ASK_TAKEN = 0, ASK_OWNER = 1 };

static const char identity_key[] = "identity", lease_ms[] = "15000";

static struct {
	struct redis_link *link;
	int queued, question;
	char key[KEY_BYTES], value[VALUE_BYTES];
	unsigned asked;
	bool ours, was_ours;
} o;

/* One number for the life of the store. */
static int64_t identity_of(struct store *s)
{
	int64_t identity = store_meta(s, identity_key, 0);

	while (identity == 0)
		if (uv_random(NULL, NULL, &identity, sizeof identity, 0, NULL) < 0)
			return 0;
	return store_set_meta(s, identity_key, identity) < 0 ? 0 : identity;
}

int owner_start(struct store *s, struct redis_link *l, const char *sensor, int queued, int question)
{
	int64_t identity = identity_of(s);
	uint64_t process = 0;
	struct utsname host;

	memset(&o, 0, sizeof o);
	o.link = l;
	o.queued = queued;
	o.question = question;
	if (identity == 0 || uname(&host) < 0 || uv_random(NULL, NULL, &process, sizeof process, 0, NULL) < 0) {
		log_error("the sensor can't claim its name in Redis: no random numbers, or the store cannot be written");
		return -1;
	}
	snprintf(o.key, sizeof o.key, "askance:{%s}:owner", sensor);
	snprintf(o.value, sizeof o.value, "%016" PRIx64 " %016" PRIx64 " %.64s", (uint64_t)identity, process, host.nodename);
	return 0;
}

static void ask_owner(void)
{
	const char *watch[] = { "WATCH", o.key }, *get[] = { "GET", o.key };

	redis_link_ask(o.link, o.queued, 2, watch, NULL);
	if (redis_link_ask(o.link, o.question + ASK_OWNER, 2, get, NULL))
		o.asked++;
}

void owner_ask(void)
{
	const char *unwatch[] = { "UNWATCH" }, *claim[] = { "SET", o.key, o.value, "NX", "PX", lease_ms };

	/* What we do to the key ourselves must not fail the next transaction. */
	redis_link_ask(o.link, o.queued, 1, unwatch, NULL);
	redis_link_ask(o.link, o.question + ASK_TAKEN, 6, claim, NULL);
	ask_owner();
}

void owner_guard(void)
{
	ask_owner();
}

void owner_renew(void)
{
	const char *renew[] = { "PEXPIRE", o.key, lease_ms };

	redis_link_ask(o.link, o.queued, 3, renew, NULL);
}

static void tell_taken(const char *other, bool copy)
{
	const char *host = strrchr(other, ' ');
	char why[256];

	snprintf(why, sizeof why, copy ? "a sensor with a copy of this one's store runs on %.64s" : "another sensor of this name runs on %.64s",
		 host ? host + 1 : "an unknown host");
	redis_link_fail_as(o.link, REDIS_TAKEN, why);
}

/* Our own process before this one, as far as can be known: its place is ours. */
static void take_over(void)
{
	const char *take[] = { "SET", o.key, o.value, "PX", lease_ms };

	redis_link_ask(o.link, o.question + ASK_TAKEN, 5, take, NULL);
}

static bool read_owner(const char *value)
{
	bool same_store = strncmp(value, o.value, STORE_DIGITS) == 0;

	o.ours = strcmp(value, o.value) == 0;
	if (o.ours) {
		o.was_ours = true;
		return false;
	}
	if (!same_store || o.was_ours) {
		tell_taken(value, same_store);
		return false;
	}
	take_over();
	return true;
}

bool owner_answer(int question, const redisReply *reply)
{
	if (question == ASK_OWNER && o.asked)
		o.asked--;
	if (reply->type == REDIS_REPLY_ERROR) {
		redis_link_fail(o.link, reply->str);
		return false;
	}
	if (question != ASK_OWNER)
		return false;
	o.ours = false;
	/* Expired or flushed this moment. */
	return reply->type == REDIS_REPLY_STRING ? read_owner(reply->str) : o.asked == 0;
}

void owner_again(void)
{
	o.asked = 0;
	o.ours = false;
}

bool owner_ready(void)
{
	return o.ours && o.asked == 0;
}
