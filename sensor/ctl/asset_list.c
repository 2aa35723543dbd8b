/* Fetches all assets of a sensor, a hundred at a time. */
#include "sensor/ctl/asset_list.h"

#include "sensor/ctl/document_words.h"
#include "sensor/redis/redis_ask.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 100, KEY_BYTES = CONFIG_NAME_BYTES + 64 };

/* VLAN ids, then 4, 6 or 9 (no IP), then the address, so that memcmp() gives the order. */
static void find_order(struct listed_asset *a)
{
	const json_t *asset = json_object_get(json_object_get(a->document, "ot"), "asset");
	const char *ip = json_string_value(json_array_get(json_object_get(asset, "ip"), 0));
	const char *mac = json_string_value(json_array_get(json_object_get(asset, "mac"), 0));
	const char *vlan = strstr(words_text(asset, "zone"), "/vlan:");
	unsigned v[2] = { 0, 0 }, m[6] = { 0 };

	memset(a->order, 0, sizeof a->order);
	if (vlan)
		sscanf(vlan, "/vlan:%u.%u", &v[0], &v[1]);
	for (int i = 0; i < 2; i++) {
		a->order[2 * i] = (unsigned char)(v[i] >> 8);
		a->order[2 * i + 1] = (unsigned char)v[i];
	}
	a->order[4] = ip ? strchr(ip, ':') ? 6 : 4 : 9;
	if (ip)
		inet_pton(a->order[4] == 6 ? AF_INET6 : AF_INET, ip, a->order + 5);
	else if (mac && sscanf(mac, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) == 6)
		for (int i = 0; i < 6; i++)
			a->order[5 + i] = (unsigned char)m[i];
}

void asset_list_add(struct asset_list *a, const char *body, size_t len)
{
	json_t *document = json_loadb(body, len, 0, NULL);

	if (!document)
		return;
	words_disarm(document);
	if (a->count == a->room) {
		a->room = a->room ? a->room * 2 : 64;
		a->items = realloc(a->items, a->room * sizeof *a->items);
		if (!a->items)
			abort();
	}
	a->items[a->count] = (struct listed_asset){ .document = document, .body = words_line(body, len, document) };
	find_order(&a->items[a->count++]);
}

/* Pipelined: all questions first, then the answers. */
static int fetch_some(struct asset_list *a, struct sensor_link *l, redisReply **ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char key[KEY_BYTES];

		snprintf(key, sizeof key, "askance:{%s}:asset:%.*s", l->sensor, (int)ids[i]->len, ids[i]->str ? ids[i]->str : "");
		redisAppendCommand(l->redis, "HGET %s body", key);
	}
	for (size_t i = 0; i < count; i++) {
		redisReply *reply = redis_await(l->redis);

		if (!reply) {
			fprintf(stderr, "askance %s: Redis at %s: %s\n", l->verb, l->where, l->redis->errstr);
			return -1;
		}
		/* One that was merged away between the two questions is nil. */
		if (reply->type == REDIS_REPLY_STRING)
			asset_list_add(a, reply->str, reply->len);
		freeReplyObject(reply);
	}
	return 0;
}

static int order_assets(const void *x, const void *y)
{
	const struct listed_asset *a = x, *b = y;

	return memcmp(a->order, b->order, sizeof a->order);
}

void asset_list_sort(struct asset_list *a)
{
	if (a->count)
		qsort(a->items, a->count, sizeof *a->items, order_assets);
}

int asset_list_fetch(struct asset_list *a, struct sensor_link *l)
{
	char key[KEY_BYTES];
	const char *ask[] = { "ZRANGE", key, "0", "-1" };
	redisReply *ids;
	int result = 0;

	memset(a, 0, sizeof *a);
	snprintf(key, sizeof key, "askance:{%s}:changed", l->sensor);
	ids = sensor_link_ask(l, 4, ask);
	if (!ids)
		return -1;
	for (size_t i = 0; ids->type == REDIS_REPLY_ARRAY && i < ids->elements && result == 0; i += AT_ONCE)
		result = fetch_some(a, l, ids->element + i, ids->elements - i < AT_ONCE ? ids->elements - i : AT_ONCE);
	freeReplyObject(ids);
	asset_list_sort(a);
	return result;
}

void asset_list_free(struct asset_list *a)
{
	for (size_t i = 0; i < a->count; i++) {
		json_decref(a->items[i].document);
		free(a->items[i].body);
	}
	free(a->items);
	memset(a, 0, sizeof *a);
}
