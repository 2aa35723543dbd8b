/* Drafts events asset by asset, then stores them with what they report. */
#include "sensor/hub/batch.h"

#include "sensor/common/log.h"
#include "sensor/hub/change.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/proposal.h"

#include <stdlib.h>
#include <string.h>

enum { DRAFT_BYTES_MOST = 64 << 20 };

/* One event, or (without a type) the state of an asset as it stands after the events before it. */
struct draft {
	const char *type;
	char asset[ASSET_ID_BYTES];
	struct document document; /* of a state: without text when the asset is gone */
	uint32_t gone;            /* number of the asset that is gone */
};

void batch_start(struct batch *b, struct picture *p, struct store *s, struct keeper *k, const struct knowledge *knowledge)
{
	memset(b, 0, sizeof *b);
	b->picture = p;
	b->store = s;
	b->keeper = k;
	b->desk.knowledge = knowledge;
	b->desk.picture = p;
}

static void drop_drafts(struct batch *b, size_t first, size_t count)
{
	struct draft *from = b->drafts + first;

	for (size_t i = 0; i < count; i++) {
		b->draft_bytes -= from[i].document.json.len;
		json_free(&from[i].document.json);
	}
	if (count)
		memmove(from, from + count, (b->draft_count - first - count) * sizeof *from);
	b->draft_count -= count;
}

void batch_free(struct batch *b)
{
	batch_store_end(b);
	drop_drafts(b, 0, b->draft_count);
	free(b->drafts);
	free(b->written);
	desk_free(&b->desk);
	json_free(&b->line);
	memset(b, 0, sizeof *b);
}

void batch_count_gaps(struct batch *b)
{
	b->gaps = 0;
	for (size_t i = 0; i < b->picture->id_room; i++)
		if (b->picture->ids[i] && b->picture->ids[i]->gaps)
			b->gaps += b->picture->ids[i]->gaps->count;
}

void batch_propose(struct batch *b, struct proposals *p)
{
	b->proposals = p;
	for (size_t i = 0; i < p->count; i++) {
		struct asset *a = p->items[i]->others ? NULL : picture_asset(b->picture, p->items[i]->asset);
		struct subject s;

		if (!a)
			continue;
		s = desk_take(&b->desk, a);
		proposals_review(p, &s, now_s(), NULL, NULL);
	}
}

/* Memory for a store that refuses is bounded; the eldest go, and the numbers in the outbox stay without a gap. */
static struct draft *add_draft(struct batch *b, const char *type, const char *asset)
{
	struct draft *d;

	if (b->draft_bytes > DRAFT_BYTES_MOST) {
		size_t half = (b->draft_count - b->handed) / 2;

		log_error("the store refuses and memory for what waits is used up: %zu events are given up", half);
		b->dropped += half;
		drop_drafts(b, b->handed, half);
	}
	if (!array_room(&b->drafts, &b->draft_room, b->draft_count, sizeof *b->drafts))
		abort();
	d = &b->drafts[b->draft_count++];
	memset(d, 0, sizeof *d);
	d->type = type;
	memcpy(d->asset, asset, sizeof d->asset);
	return d;
}

/* A document becomes the draft's, cut to its size. */
static void take_document(struct batch *b, const struct document *from, const char *type, const struct asset *a)
{
	struct draft *d = add_draft(b, type, a->id);

	d->document.mark = from->mark;
	d->document.json = (struct json){ .text = malloc(from->json.len + 1), .len = from->json.len, .room = from->json.len + 1 };
	if (!d->document.json.text)
		abort();
	memcpy(d->document.json.text, from->json.text, from->json.len + 1);
	b->draft_bytes += from->json.len;
	b->events += type != NULL;
}

static int64_t time_of(const struct batch *b, const struct change *c)
{
	return c && c->time_ns ? c->time_ns : b->picture->now_ns;
}

static void draft_asset(struct batch *b, const struct subject *s, struct asset *a, enum asset_action action,
			const struct asset_note *note, int64_t time_ns)
{
	document_asset(&b->desk.document, s, action, note, time_ns, false);
	take_document(b, &b->desk.document, "asset", a);
}

static void draft_change(struct batch *b, const struct subject *s, struct asset *a, const struct change *c)
{
	const struct attribute_item *attributes = c->node->attributes.items; /* NULL where it has none */
	struct asset_note note = { .previous = c->previous };

	switch (c->kind) {
	case CHANGE_ATTRIBUTE:
		document_attribute(&b->desk.document, s, &attributes[c->index], NULL, time_of(b, c));
		take_document(b, &b->desk.document, "attribute", a);
		break;
	case CHANGE_VALUE:
	case CHANGE_CONFLICT:
		note.attribute = &attributes[c->index];
		draft_asset(b, s, a, c->kind == CHANGE_VALUE ? ASSET_CHANGED : ASSET_CONFLICT, &note, time_of(b, c));
		if (b->changes && changes_write_value(&b->desk.document, s, c, time_of(b, c)))
			take_document(b, &b->desk.document, "change", a);
		break;
	case CHANGE_CONTEST:
		note.contested = c->node;
		note.claimant = c->other;
		if (c->other)
			draft_asset(b, s, a, ASSET_CONFLICT, &note, time_of(b, c));
		if (b->changes && changes_write_contest(&b->desk.document, s, c, time_of(b, c)))
			take_document(b, &b->desk.document, "change", a);
		break;
	case CHANGE_SERVICE:
		document_service(&b->desk.document, s, c->node, (const struct service_item *)c->node->services.items + c->index,
				 time_of(b, c));
		take_document(b, &b->desk.document, "service", a);
		break;
	case CHANGE_MERGED:
	case CHANGE_SPLIT:
		note.other = c->id;
		draft_asset(b, s, a, c->kind == CHANGE_MERGED ? ASSET_MERGED : ASSET_SPLIT, &note, time_of(b, c));
		break;
	}
}

/* What the gaps were against what they are. */
static void draft_gaps(struct batch *b, const struct subject *s, struct asset *a)
{
	int64_t now = b->picture->now_ns;
	struct gap_list *old = gaps_remember(a, s->gaps, now);

	for (size_t i = 0; i < s->gaps->count; i++) {
		const struct gap *g = &s->gaps->items[i];
		const struct gap_told *told = gaps_told(old, (enum gap_kind)g->kind, g->subject);

		if (told && told->print == gap_print(g))
			continue;
		a->unsaved = true;
		document_gap(&b->desk.document, s, g, now);
		take_document(b, &b->desk.document, "gap", a);
	}
	for (size_t i = 0; old && i < old->count; i++) {
		if (gaps_told(a->gaps, (enum gap_kind)old->items[i].kind, old->items[i].subject))
			continue;
		a->unsaved = true;
		document_gap_closed(&b->desk.document, s, &old->items[i], now);
		take_document(b, &b->desk.document, "gap", a);
	}
	b->gaps += s->gaps->count;
	b->gaps -= old ? old->count : 0;
	gaps_free(old);
}

/* A proposal that was made or superseded; its event is in the document of the proposals. */
static void draft_proposal(void *context, const struct proposal *x)
{
	struct batch *b = context;

	(void)x;
	take_document(b, &b->proposals->document, "proposal", b->desk.view.asset);
}

/* True when it is another device than was told: other addresses, another class or maker. */
static bool take_judgement(struct batch *b, struct asset *a, const struct judgement *j)
{
	struct texts *texts = &b->picture->texts;
	const char *class = j->class ? texts_keep(texts, j->class) : NULL, *maker = j->maker ? texts_keep(texts, j->maker) : NULL;
	bool other = a->class != class || a->maker != maker || a->told_nodes != a->node_count;

	if (other)
		a->unsaved = true;
	a->class = class;
	a->maker = maker;
	a->told_nodes = a->node_count;
	return other;
}

static bool tells_asset(const struct change *c)
{
	return c->kind != CHANGE_ATTRIBUTE && c->kind != CHANGE_SERVICE;
}

static void draft_one(struct batch *b, struct asset *a, const struct change *changes, size_t count)
{
	struct subject s = desk_take(&b->desk, a);
	bool other = take_judgement(b, a, &b->desk.judgement);

	for (size_t i = 0; i < s.gaps->count; i++) {
		const struct gap_told *told = gaps_told(a->gaps, (enum gap_kind)s.gaps->items[i].kind, s.gaps->items[i].subject);

		s.gaps->items[i].since_ns = told ? told->since_ns : b->picture->now_ns;
	}
	for (size_t i = 0; i < count; i++)
		other &= !tells_asset(&changes[i]);
	if (!a->told)
		draft_asset(b, &s, a, ASSET_OBSERVED, NULL, a->first_ns);
	else if (other)
		draft_asset(b, &s, a, ASSET_CHANGED, NULL, b->picture->now_ns);
	a->unsaved |= !a->told;
	a->told = true;
	for (size_t i = 0; i < count; i++)
		draft_change(b, &s, a, &changes[i]);
	draft_gaps(b, &s, a);
	for (size_t at = 0; b->changes && changes_write_public(b->changes, &b->desk.document, &s, &at);)
		take_document(b, &b->desk.document, "change", a);
	if (b->proposals)
		proposals_review(b->proposals, &s, now_s(), draft_proposal, b);
	document_asset(&b->desk.document, &s, ASSET_OBSERVED, NULL, b->desk.view.last_ns, false);
	take_document(b, &b->desk.document, NULL, a);
}

static int order_changes(const void *x, const void *y)
{
	const struct change *a = x, *b = y;

	if (a->node->asset != b->node->asset)
		return a->node->asset->number < b->node->asset->number ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static int order_assets(const void *x, const void *y)
{
	const struct asset *a = *(struct asset *const *)x, *b = *(struct asset *const *)y;

	return a->number < b->number ? -1 : a->number > b->number;
}

static void draft_gone(struct batch *b)
{
	struct picture *p = b->picture;

	for (size_t i = 0; i < p->gone_count; i++) {
		struct draft *d;

		b->gaps -= p->gone[i]->gaps ? p->gone[i]->gaps->count : 0;
		if (!p->gone[i]->told)
			continue;
		d = add_draft(b, NULL, p->gone[i]->id);
		d->gone = p->gone[i]->number;
	}
}

void batch_draft(struct batch *b)
{
	struct picture *p = b->picture;
	size_t at = 0;

	/* By asset, so that each is judged once; among one asset's changes the order stays. */
	for (size_t i = 0; i < p->change_count; i++)
		p->changes[i].order = i;
	if (p->change_count)
		qsort(p->changes, p->change_count, sizeof *p->changes, order_changes);
	if (p->changed_asset_count)
		qsort(p->changed_assets, p->changed_asset_count, sizeof *p->changed_assets, order_assets);
	draft_gone(b);
	for (size_t i = 0; i < p->changed_asset_count; i++) {
		struct asset *a = p->changed_assets[i];
		size_t first = at;

		while (at < p->change_count && p->changes[at].node->asset == a)
			at++;
		if (!a->gone)
			draft_one(b, a, p->changes + first, at - first);
	}
	picture_settled(p);
}

bool batch_pending(const struct batch *b)
{
	return b->draft_count > b->handed || b->picture->changed_count;
}

static int store_draft(struct batch *b, const struct draft *d)
{
	int64_t sequence = outbox_next(b->store);

	if (sequence <= 0)
		return -1;
	if (d->gone && keep_forget(b->keeper, d->gone) < 0)
		return -1;
	if (!d->document.json.text)
		return keep_state(b->keeper, d->asset, NULL, 0, sequence - 1);
	/* A state bears the number of the last event that it includes. */
	document_number(&d->document, b->picture->sensor, outbox_epoch(b->store), d->type ? sequence : sequence - 1, &b->line);
	if (!d->type)
		return keep_state(b->keeper, d->asset, b->line.text, b->line.len, sequence - 1);
	return outbox_append(b->store, d->type, d->asset, b->line.text, b->line.len) > 0 ? 0 : -1;
}

/* The nodes are noted: should the commit fail, they are to be written again. */
static void hand_over(struct batch *b)
{
	struct picture *p = b->picture;

	if (b->written_room < p->changed_room) {
		b->written = realloc(b->written, p->changed_room * sizeof *b->written);
		if (!b->written)
			abort();
		b->written_room = p->changed_room;
	}
	b->handed = b->draft_count;
	b->written_count = p->changed_count;
	if (p->changed_count)
		memcpy(b->written, p->changed_nodes, p->changed_count * sizeof *b->written);
	keep_saved(p);
	store_commit_begin(b->store);
}

int batch_store_begin(struct batch *b, int (*more)(struct store *s, void *context), void *context)
{
	bool proposed = b->proposals && proposals_unsaved(b->proposals);

	if (batch_store_end(b) < 0 || store_begin(b->store) < 0)
		return -1;
	for (size_t i = 0; i < b->draft_count; i++)
		if (store_draft(b, &b->drafts[i]) < 0)
			goto failed;
	if (keep_save(b->keeper, b->picture) < 0 || (proposed && proposals_save(b->proposals) < 0) ||
	    (more && more(b->store, context) < 0))
		goto failed;
	hand_over(b);
	/* Which proposals changed meanwhile could not be told from these. */
	if (!proposed)
		return 0;
	if (batch_store_end(b) < 0)
		return -1;
	proposals_saved(b->proposals);
	return 0;
failed:
	store_rollback(b->store);
	return -1;
}

int batch_store_end(struct batch *b)
{
	size_t nodes = b->written_count, drafts = b->handed;

	b->written_count = b->handed = 0;
	if (store_commit_end(b->store) < 0) {
		keep_unsaved(b->picture, b->written, nodes);
		return -1;
	}
	drop_drafts(b, 0, drafts);
	return 0;
}

int batch_store(struct batch *b, int (*more)(struct store *s, void *context), void *context)
{
	return batch_store_begin(b, more, context) < 0 ? -1 : batch_store_end(b);
}

void batch_event(struct batch *b, const char *type, struct asset *a,
		 void (*write)(struct document *d, const struct subject *s, void *context), void *context)
{
	struct subject s = desk_take(&b->desk, a);

	write(&b->desk.document, &s, context);
	take_document(b, &b->desk.document, type, a);
}

void batch_review(struct batch *b, struct asset *a)
{
	struct subject s = desk_take(&b->desk, a);
	bool same = s.gaps->count == (a->gaps ? a->gaps->count : 0) &&
		    strcmp(a->class ? a->class : "", b->desk.judgement.class ? b->desk.judgement.class : "") == 0;

	for (size_t i = 0; same && i < s.gaps->count; i++) {
		const struct gap_told *told = gaps_told(a->gaps, (enum gap_kind)s.gaps->items[i].kind, s.gaps->items[i].subject);

		same = told && told->print == gap_print(&s.gaps->items[i]);
	}
	if (!same || (b->proposals && proposals_review(b->proposals, &s, now_s(), NULL, NULL)))
		picture_change(b->picture, a->nodes);
}
