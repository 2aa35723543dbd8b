/* Error replies of Redis and what they mean for the sensor. */
#include "sensor/redis/redis_state.h"

#include <string.h>

static const struct {
	const char *name, *advice;
} states[REDIS_STATES] = {
	[REDIS_OFF] = { "off", "" },
	[REDIS_CONNECTING] = { "connecting", "" },
	[REDIS_STREAMING] = { "streaming", "" },
	[REDIS_UNREACHABLE] = { "unreachable", "is it running, and is the address right?" },
	[REDIS_LOST] = { "lost", "" },
	[REDIS_TIMEOUT] = { "timeout", "is it frozen, or overloaded?" },
	[REDIS_LOGIN] = { "login-refused", "check user and password of redis:" },
	[REDIS_NOPERM] = { "no-permission", "give the sensor's user the rights of packaging/redis/sensor.acl" },
	[REDIS_LOADING] = { "loading", "" },
	[REDIS_READONLY] = { "read-only", "it is a replica: name the master in redis.url, or its Sentinels" },
	[REDIS_OOM] = { "out-of-memory", "raise maxmemory or trim the stream; maxmemory-policy must be noeviction" },
	[REDIS_MISCONF] = { "cannot-save", "see the log of the Redis server" },
	[REDIS_MOVED] = { "cluster-moved", "the cluster has no owner of the sensor's keys now" },
	[REDIS_NO_MASTER] = { "master-down", "it is a replica and its master is away: name the master in redis.url, or its Sentinels" },
	[REDIS_TAKEN] = { "name-taken", "give each sensor a `name` and a state folder of its own" },
	[REDIS_WRONGTYPE] = { "wrong-type", "another program uses a key of the sensor" },
	[REDIS_POISONED] = { "ids-exhausted", "somebody wrote an ID to the stream that none can follow: rename the stream" },
	[REDIS_REFUSED] = { "refused", "" },
};

static const struct {
	const char *begins;
	enum redis_state state;
} errors[] = {
	{ "WRONGPASS", REDIS_LOGIN },
	{ "NOAUTH", REDIS_LOGIN },
	{ "ERR invalid password", REDIS_LOGIN }, /* before 6.0 */
	{ "ERR AUTH", REDIS_LOGIN },
	{ "ERR Client sent AUTH", REDIS_LOGIN },
	{ "ERR DB index", REDIS_LOGIN },
	{ "ERR invalid DB index", REDIS_LOGIN },
	{ "ERR SELECT is not allowed", REDIS_LOGIN },
	{ "NOPERM", REDIS_NOPERM },
	{ "LOADING", REDIS_LOADING },
	{ "MASTERDOWN", REDIS_NO_MASTER },
	{ "BUSY", REDIS_LOADING },
	{ "TRYAGAIN", REDIS_LOADING },
	{ "READONLY", REDIS_READONLY },
	{ "OOM", REDIS_OOM },
	{ "MISCONF", REDIS_MISCONF },
	{ "NOREPLICAS", REDIS_MISCONF },
	{ "MOVED", REDIS_MOVED },
	{ "ASK", REDIS_MOVED },
	{ "CLUSTERDOWN", REDIS_MOVED },
	{ "CROSSSLOT", REDIS_MOVED },
	{ "WRONGTYPE", REDIS_WRONGTYPE },
};

enum redis_state redis_state_of_error(const char *error)
{
	static const char aborted[] = "EXECABORT Transaction discarded because of: ";

	if (strncmp(error, aborted, sizeof aborted - 1) == 0)
		error += sizeof aborted - 1;
	for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strncmp(error, errors[i].begins, strlen(errors[i].begins)) == 0)
			return errors[i].state;
	return REDIS_REFUSED;
}

const char *redis_state_name(enum redis_state state)
{
	return state < REDIS_STATES ? states[state].name : "refused";
}

const char *redis_state_advice(enum redis_state state)
{
	return state < REDIS_STATES ? states[state].advice : "";
}
