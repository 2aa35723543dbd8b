/* Collects what a classifier states about one message, in room of fixed size. */
#include "classifiers/api/tell.h"

#include "classifiers/api/classifier.h"
#include "classifiers/finding/text.h"

#include <stdarg.h>
#include <stdio.h>

static struct told_item *add(struct told *t, uint8_t kind, enum side side, enum attribute a)
{
	struct told_item *i;

	if (t->count >= TOLD_ITEMS || sizeof t->text - t->used < FINDING_VALUE_BYTES + FINDING_PATH_BYTES) {
		t->lost++;
		return NULL;
	}
	i = &t->items[t->count];
	memset(i, 0, sizeof *i);
	i->kind = kind;
	i->side = (uint8_t)side;
	i->attribute = (uint8_t)a;
	i->confidence = 90;
	return i;
}

static uint16_t put_path(struct told *t, const char *path)
{
	uint16_t at = t->used;
	size_t n = path ? strlen(path) : 0;

	if (n > FINDING_PATH_BYTES - 1)
		n = FINDING_PATH_BYTES - 1;
	if (n)
		memcpy(t->text + at, path, n);
	t->text[at + n] = 0;
	t->used = (uint16_t)(at + n + 1);
	return at;
}

static void finish(struct told *t, struct told_item *i, const char *path, const char *value, size_t len)
{
	if (len == 0)
		return;
	i->path = put_path(t, path);
	i->value = t->used;
	memcpy(t->text + t->used, value, len + 1);
	t->used = (uint16_t)(t->used + len + 1);
	t->count++;
}

static void state(struct reader *r, enum side side, const struct endpoint *other, const char *path, enum attribute a,
		  struct cursor text, size_t (*clean)(char *, size_t, const void *, size_t))
{
	char value[FINDING_VALUE_BYTES];
	struct told_item *i;

	if (!cursor_ok(&text) || cursor_left(&text) == 0)
		return;
	i = add(r->told, FINDING_ATTRIBUTE, side, a);
	if (!i)
		return;
	if (other)
		i->other = *other;
	finish(r->told, i, path, value, clean(value, sizeof value, text.at, cursor_left(&text)));
}

void tell(struct reader *r, enum side side, const char *path, enum attribute a, struct cursor text)
{
	state(r, side, NULL, path, a, text, text_clean);
}

void tell_utf16le(struct reader *r, enum side side, const char *path, enum attribute a, struct cursor text)
{
	state(r, side, NULL, path, a, text, text_clean_utf16le);
}

void tell_text(struct reader *r, enum side side, const char *path, enum attribute a, const char *text)
{
	state(r, side, NULL, path, a, cursor_over(text, strlen(text)), text_clean);
}

void tell_other(struct reader *r, const struct endpoint *who, const char *path, enum attribute a, struct cursor text)
{
	state(r, OTHER, who, path, a, text, text_clean);
}

void tell_format(struct reader *r, enum side side, const char *path, enum attribute a, const char *format, ...)
{
	char text[FINDING_VALUE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	tell_text(r, side, path, a, text);
}

void tell_subasset(struct reader *r, enum side side, const char *path)
{
	struct told_item *i = add(r->told, FINDING_SUBASSET, side, ATTR_NONE);

	if (!i)
		return;
	i->path = put_path(r->told, path);
	i->value = put_path(r->told, "");
	r->told->count++;
}

void tell_binding(struct reader *r, const uint8_t mac[6], uint8_t family, const uint8_t *ip)
{
	struct told_item *i = add(r->told, FINDING_HOST, OTHER, ATTR_NONE);

	if (!i)
		return;
	memcpy(i->other.mac, mac, sizeof i->other.mac);
	i->other.family = family;
	i->other.binding = BINDING_STATED;
	memcpy(i->other.ip, ip, family == 6 ? 16 : 4);
	i->path = put_path(r->told, "");
	i->value = i->path;
	r->told->count++;
}

void tell_activity(struct reader *r, const char *path, enum activity a, const char *format, ...)
{
	char text[FINDING_VALUE_BYTES], value[FINDING_VALUE_BYTES];
	struct told_item *i = add(r->told, FINDING_ACTIVITY, SENDER, ATTR_NONE);
	va_list args;

	if (!i)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	i->attribute = (uint8_t)a;
	finish(r->told, i, path, value, text_clean(value, sizeof value, text, strlen(text)));
}
