/* Reads INFO and warns of settings that lose events. */
#include "sensor/hub/server.h"

#include "sensor/common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 32 };

static struct {
	struct redis_link *link;
	int question;
	char policy[WORD_BYTES], told_policy[WORD_BYTES];
	bool known, aof, refused, told_aof;
	int64_t used_bytes, max_bytes;
} v;

void server_start(struct redis_link *l, int question)
{
	memset(&v, 0, sizeof v);
	v.link = l;
	v.question = question;
}

void server_ask(void)
{
	const char *info[] = { "INFO" };

	redis_link_ask(v.link, v.question, 1, info, NULL);
}

/* The value behind "\nNAME:", cut to the room; empty when it is not there. */
static void read_member(const char *info, const char *name, char out[WORD_BYTES])
{
	char wanted[WORD_BYTES * 2];
	const char *at;

	snprintf(wanted, sizeof wanted, "\n%s:", name);
	at = strstr(info, wanted);
	snprintf(out, WORD_BYTES, "%.*s", at ? (int)strcspn(at + strlen(wanted), "\r\n") : 0, at ? at + strlen(wanted) : "");
}

static int64_t read_number(const char *info, const char *name)
{
	char text[WORD_BYTES];

	read_member(info, name, text);
	return strtoll(text, NULL, 10);
}

static void warn(void)
{
	if (v.policy[0] && strcmp(v.policy, "noeviction") != 0 && strcmp(v.policy, v.told_policy) != 0)
		log_warning("Redis: maxmemory-policy is %s: when its memory is full it drops keys, the whole stream among them; set noeviction", v.policy);
	if (!v.aof && !v.told_aof)
		log_warning("Redis: keeps no append-only file: what a crash of it loses is sent again only while the outbox has it (limits: outbox_days, outbox_mib); set appendonly yes");
	memcpy(v.told_policy, v.policy, sizeof v.told_policy);
	v.told_aof = !v.aof;
}

void server_answer(const redisReply *r)
{
	char aof[WORD_BYTES];

	if (r->type != REDIS_REPLY_STRING) {
		if (!v.refused)
			log_warning("Redis: whether its settings lose events is not known: %s", r->type == REDIS_REPLY_ERROR ? r->str : "INFO has another answer");
		v.refused = true;
		return;
	}
	v.known = true;
	read_member(r->str, "maxmemory_policy", v.policy);
	read_member(r->str, "aof_enabled", aof);
	v.aof = strcmp(aof, "1") == 0;
	v.used_bytes = read_number(r->str, "used_memory");
	v.max_bytes = read_number(r->str, "maxmemory");
	warn();
}

void server_health(struct json *j)
{
	if (!v.known)
		return;
	json_text(j, "maxmemory_policy", v.policy);
	json_bool(j, "append_only_file", v.aof);
	json_number(j, "used_memory_bytes", v.used_bytes);
	json_number(j, "max_memory_bytes", v.max_bytes);
}
