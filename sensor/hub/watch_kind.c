/* Which devices are of one kind. */
#include "sensor/hub/batch.h"
#include "sensor/hub/watch_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void put(char to[WATCH_WORD_BYTES], const char *text)
{
	snprintf(to, WATCH_WORD_BYTES, "%s", text ? text : "");
}

static const char *best(const struct view *v, enum attribute a)
{
	const struct view_attribute *found = view_best(v, a);

	return found ? found->item->value : NULL;
}

void watch_kind_of(struct watch *w, const struct asset *a, struct watch_kind *k)
{
	struct desk *d = &w->batch->desk;
	const char *vendor, *product;

	memset(k, 0, sizeof *k);
	view_fill(&d->view, w->picture, a);
	knowledge_judge(d->knowledge, &d->view, &d->judgement);
	vendor = d->judgement.vendor ? d->judgement.vendor : best(&d->view, ATTR_VENDOR);
	put(k->vendor, vendor ? vendor : d->judgement.maker);
	product = best(&d->view, ATTR_ORDER_CODE);
	if (!product)
		product = best(&d->view, ATTR_PRODUCT);
	put(k->firmware, best(&d->view, ATTR_FIRMWARE));
	if (product)
		put(k->product, product);
	else if (d->judgement.class)
		snprintf(k->product, sizeof k->product, "(%s)", d->judgement.class);
}

bool watch_kind_known(const struct watch_kind *k)
{
	return k->vendor[0] && k->product[0];
}

bool watch_kind_same(const struct watch_kind *a, const struct watch_kind *b)
{
	return strcasecmp(a->vendor, b->vendor) == 0 && strcasecmp(a->product, b->product) == 0 && strcasecmp(a->firmware, b->firmware) == 0;
}

bool watch_kind_matches(const struct watch_kind *a, const struct watch_kind *b)
{
	if (!watch_kind_known(a) || strcasecmp(a->vendor, b->vendor) != 0 || strcasecmp(a->product, b->product) != 0)
		return false;
	return !a->firmware[0] || !b->firmware[0] || strcasecmp(a->firmware, b->firmware) == 0;
}

void watch_kind_text(const struct watch_kind *k, char *text, size_t room)
{
	snprintf(text, room, "%s%s%s%s%s", k->vendor[0] ? k->vendor : "unknown maker", k->product[0] ? " " : "", k->product,
		 k->firmware[0] ? " " : "", k->firmware);
}
