/* What was told of one asset: looks back through the stream, batch by batch, as far as is reasonable. */
#include "sensor/console/request.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_MOST = 200, LOOKED_MOST = 100000, BATCH = 1000, ID_BYTES = 48 };

struct history {
	struct request *request;
	char asset[ASSET_KEY_BYTES];
	FILE *to;
	char *text;
	size_t len;
	unsigned found, looked;
	char before[ID_BYTES];
};

static void take_batch(void *who, const redisReply *reply);

static void end(struct history *h, struct answer a)
{
	struct request *r = h->request;

	free(h->text);
	free(h);
	request_answer(r, a);
}

static void finish(struct history *h, bool whole)
{
	struct answer a = { NULL, 0 };
	bool well;

	fprintf(h->to, "],\"looked\":%u,\"whole\":%s}", h->looked, whole ? "true" : "false");
	well = !ferror(h->to);
	if (fclose(h->to) == 0 && well) {
		a = answer_json(MHD_HTTP_OK, h->text, h->len, h->request->gzip);
		h->text = NULL;
	}
	end(h, a);
}

static void fail(struct history *h, struct answer a)
{
	fclose(h->to);
	end(h, a);
}

static void ask_batch(struct history *h)
{
	char count[16];
	const char *argv[] = { "XREVRANGE", h->request->sensor->events_key, h->before, "-", "COUNT", count };

	snprintf(count, sizeof count, "%d", BATCH);
	if (!sensor_ask(h->request->sensor, take_batch, h, 6, argv, NULL))
		fail(h, request_no_redis(h->request, NULL));
}

static bool names(const json_t *object, const char *key, const char *id)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && strcmp(text, id) == 0;
}

static bool is_of(const struct history *h, const redisReply *body)
{
	json_t *document;
	bool is;

	/* Most are of others: those need no parsing. */
	if (body->type != REDIS_REPLY_STRING || !memmem(body->str, (size_t)body->len, h->asset, strlen(h->asset)))
		return false;
	document = json_loadb(body->str, (size_t)body->len, 0, NULL);
	is = names(json_object_get(document, "host"), "id", h->asset) ||
	     names(json_object_get(json_object_get(document, "ot"), "asset"), "id", h->asset);
	json_decref(document);
	return is;
}

static void look_at(struct history *h, const redisReply *entry)
{
	const redisReply *fields = entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 ? entry->element[1] : NULL;

	h->looked++;
	if (!fields || fields->type != REDIS_REPLY_ARRAY || !entry->element[0]->str)
		return;
	snprintf(h->before, sizeof h->before, "(%.40s", entry->element[0]->str);
	for (size_t i = 0; i + 1 < fields->elements && h->found < FOUND_MOST; i += 2)
		if (fields->element[i]->str && strcmp(fields->element[i]->str, "body") == 0 && is_of(h, fields->element[i + 1])) {
			if (h->found++)
				fputc(',', h->to);
			fwrite(fields->element[i + 1]->str, 1, (size_t)fields->element[i + 1]->len, h->to);
		}
}

static void take_batch(void *who, const redisReply *reply)
{
	struct history *h = who;

	if (!reply || reply->type != REDIS_REPLY_ARRAY) {
		fail(h, request_no_redis(h->request, reply));
		return;
	}
	for (size_t i = 0; i < reply->elements; i++)
		look_at(h, reply->element[i]);
	if (reply->elements < BATCH)
		finish(h, h->found < FOUND_MOST);
	else if (h->found >= FOUND_MOST || h->looked >= LOOKED_MOST)
		finish(h, false);
	else
		ask_batch(h);
}

void history_handle(struct request *r)
{
	const char *id = request_argument(r, "id");
	bool valid = id && asset_id_valid(id);
	struct history *h = valid ? calloc(1, sizeof *h) : NULL;

	if (!valid) {
		request_answer(r, answer_error(MHD_HTTP_BAD_REQUEST, "id must be that of an asset"));
		return;
	}
	if (h)
		h->to = open_memstream(&h->text, &h->len);
	if (!h || !h->to) {
		free(h);
		request_answer(r, (struct answer){ NULL, 0 });
		return;
	}
	h->request = r;
	snprintf(h->asset, sizeof h->asset, "%s", id);
	snprintf(h->before, sizeof h->before, "+");
	fputs("{\"events\":[", h->to);
	ask_batch(h);
}
