/* Reads XINFO STREAM's list of names and values. */
#include "sensor/hub/stream_end.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool stream_id_read(const char *text, uint64_t *epoch, uint64_t *seq)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*epoch = strtoull(text, &end, 10);
	if (*end != '-' || !isdigit((unsigned char)end[1]))
		return false;
	*seq = strtoull(end + 1, &end, 10);
	return *end == 0 && errno == 0;
}

static const redisReply *value_of(const redisReply *list, const char *name, int type)
{
	for (size_t i = 0; i + 1 < list->elements; i += 2)
		if (list->element[i]->type == REDIS_REPLY_STRING && strcmp(list->element[i]->str, name) == 0)
			return list->element[i + 1]->type == type ? list->element[i + 1] : NULL;
	return NULL;
}

/* last-entry: [ID, [field, value, ...]]. It stands below the last ID when the last entry was deleted. */
static void read_last_entry(struct stream_end *end, const redisReply *entry)
{
	uint64_t epoch, seq;
	const redisReply *body;

	if (entry->elements != 2 || entry->element[0]->type != REDIS_REPLY_STRING || entry->element[1]->type != REDIS_REPLY_ARRAY ||
	    !stream_id_read(entry->element[0]->str, &epoch, &seq) || epoch != end->epoch || seq != end->seq)
		return;
	body = value_of(entry->element[1], "body", REDIS_REPLY_STRING);
	end->body = body ? body->str : "";
	end->body_len = body ? (size_t)body->len : 0;
}

int stream_end_read(struct stream_end *end, const redisReply *r)
{
	const redisReply *id, *entry;

	memset(end, 0, sizeof *end);
	if (r->type == REDIS_REPLY_ERROR) {
		end->missing = true;
		return 0;
	}
	if (r->type != REDIS_REPLY_ARRAY)
		return -1;
	id = value_of(r, "last-generated-id", REDIS_REPLY_STRING);
	if (!id || !stream_id_read(id->str, &end->epoch, &end->seq))
		return -1;
	entry = value_of(r, "last-entry", REDIS_REPLY_ARRAY);
	if (entry)
		read_last_entry(end, entry);
	return 0;
}
