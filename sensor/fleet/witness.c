/* Reads an asset's document and keeps what identifies and describes the device. */
#include "sensor/fleet/witness.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 255, ROOM = 24 * 1024 };

/* The texts of one witness while they are gathered. */
struct draft {
	uint16_t at[WITNESS_TEXTS];
	size_t len;
	char text[ROOM];
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Bytes of the text, `most` at most. A byte of a character that is cut in the middle goes too. */
static size_t fitting(const char *text, size_t most)
{
	size_t n = strnlen(text, most + 1);

	if (n <= most)
		return n;
	for (n = most; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

void witness_copy_text(char *to, size_t room, const char *text)
{
	size_t n = text ? fitting(text, room - 1) : 0;

	memcpy(to, text ? text : "", n);
	to[n] = 0;
}

static void add(struct draft *d, const char *prefix, const char *text)
{
	size_t before = strlen(prefix), n = fitting(text, TEXT_MOST);

	if (d->len + before + n + 2 > ROOM)
		return;
	memcpy(d->text + d->len, prefix, before);
	memcpy(d->text + d->len + before, text, n);
	d->len += before + n;
	d->text[d->len++] = 0;
}

static void open_text(struct draft *d, enum witness_text which)
{
	d->at[which] = (uint16_t)d->len;
}

static void end_list(struct draft *d)
{
	d->text[d->len++] = 0;
}

static void put(struct draft *d, enum witness_text which, const char *text)
{
	open_text(d, which);
	add(d, "", text);
}

static void put_list(struct draft *d, enum witness_text which, const json_t *array, unsigned most)
{
	const json_t *item;
	unsigned kept = 0;
	size_t i;

	open_text(d, which);
	json_array_foreach(array, i, item) {
		const char *text = json_string_value(item);

		if (text && text[0] && kept++ < most)
			add(d, "", text);
	}
	end_list(d);
}

/* Of the device itself: what stands behind it has serials and names of its own. */
static bool is_own(const json_t *attribute, const char *name)
{
	return strcmp(text_of(attribute, "name"), name) == 0 && !text_of(attribute, "subject")[0] && text_of(attribute, "value")[0];
}

static void put_names(struct draft *d, const json_t *asset, const json_t *attributes)
{
	const json_t *item;
	unsigned kept = 0;
	size_t i;

	open_text(d, WITNESS_NAME);
	json_array_foreach(json_object_get(asset, "hostname"), i, item)
		if (json_is_string(item) && json_string_value(item)[0] && kept++ < WITNESS_NAMES)
			add(d, "", json_string_value(item));
	json_array_foreach(attributes, i, item)
		if (is_own(item, "name") && kept++ < WITNESS_NAMES)
			add(d, "", text_of(item, "value"));
	end_list(d);
}

static void put_serials(struct draft *d, const json_t *attributes)
{
	const json_t *item;
	unsigned kept = 0;
	size_t i;

	open_text(d, WITNESS_SERIAL);
	json_array_foreach(attributes, i, item) {
		char prefix[64];

		if (!is_own(item, "serial") || strlen(text_of(item, "protocol")) + 2 > sizeof prefix || kept++ >= WITNESS_SERIALS)
			continue;
		strcpy(prefix, text_of(item, "protocol"));
		strcat(prefix, " ");
		add(d, prefix, text_of(item, "value"));
	}
	end_list(d);
}

static void gather(struct draft *d, const json_t *document, const json_t *ot, const json_t *asset)
{
	const json_t *device = json_object_get(document, "device"), *model = json_object_get(device, "model");
	const json_t *attributes = json_object_get(ot, "attributes");
	const char *vendor = text_of(asset, "vendor");

	put(d, WITNESS_ZONE, text_of(asset, "zone"));
	put(d, WITNESS_CLASS, text_of(asset, "class"));
	put(d, WITNESS_VENDOR, vendor[0] ? vendor : text_of(device, "manufacturer"));
	put(d, WITNESS_PRODUCT, text_of(model, "name"));
	put(d, WITNESS_ORDER_CODE, text_of(model, "identifier"));
	put(d, WITNESS_FIRMWARE, text_of(asset, "firmware"));
	put(d, WITNESS_FIRST_SEEN, text_of(asset, "first_seen"));
	put(d, WITNESS_LAST_SEEN, text_of(asset, "last_seen"));
	put_list(d, WITNESS_MAC, json_object_get(asset, "mac"), WITNESS_MACS);
	put_list(d, WITNESS_IP, json_object_get(asset, "ip"), WITNESS_IPS);
	put_names(d, asset, attributes);
	put_serials(d, attributes);
}

struct witness *witness_of(const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
	const char *id = text_of(asset, "id");
	struct witness *w = NULL;
	struct draft d;

	if (id[0] && strlen(id) < WITNESS_ID_BYTES) {
		d.len = 0;
		gather(&d, document, ot, asset);
		w = calloc(1, sizeof *w + d.len);
	}
	if (w) {
		strcpy(w->id, id);
		w->forwards = json_is_true(json_object_get(asset, "forwards"));
		w->completeness = (uint8_t)(json_number_value(json_object_get(asset, "completeness")) * 100 + 0.5);
		memcpy(w->at, d.at, sizeof w->at);
		memcpy(w->text, d.text, d.len);
		w->len = (uint32_t)d.len;
	}
	return w;
}

struct witness *witness_read(const char *body, size_t len)
{
	json_t *document = json_loadb(body, len, 0, NULL);
	struct witness *w = witness_of(document);

	json_decref(document);
	return w;
}

struct witness *witness_copy(const struct witness *w)
{
	struct witness *copy = malloc(sizeof *w + w->len);

	return copy ? memcpy(copy, w, sizeof *w + w->len) : NULL;
}

bool witness_same(const struct witness *a, const struct witness *b)
{
	return a->forwards == b->forwards && a->completeness == b->completeness && a->len == b->len && memcmp(a->at, b->at, sizeof a->at) == 0 &&
	       memcmp(a->text, b->text, a->at[WITNESS_FIRST_SEEN]) == 0 &&
	       memcmp(a->text + a->at[WITNESS_MAC], b->text + b->at[WITNESS_MAC], a->len - a->at[WITNESS_MAC]) == 0;
}

const char *witness_next(const char *text)
{
	return text + strlen(text) + 1;
}

const char *witness_shared(const struct witness *a, const struct witness *b, enum witness_text list)
{
	for (const char *x = witness_text(a, list); *x; x = witness_next(x))
		for (const char *y = witness_text(b, list); *y; y = witness_next(y))
			if (strcasecmp(x, y) == 0)
				return x;
	return NULL;
}
