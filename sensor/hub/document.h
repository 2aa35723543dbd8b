/*
 * Documents: what the hub tells, as JSON. The envelope is ECS, everything of ours stands under "ot".
 *
 * A document is drafted when something happens and gets its number when it enters the outbox; the
 * draft leaves a mark where the number goes.
 */
#ifndef SENSOR_HUB_DOCUMENT_H
#define SENSOR_HUB_DOCUMENT_H

#include "sensor/hub/gaps.h"
#include "sensor/hub/json.h"

enum { DOCUMENT_SCHEMA_VERSION = 1, DOCUMENT_TALKS = 256 };

struct document {
	struct json json;
	size_t mark; /* where event.sequence and event.id are put in */
};

/* All that is needed to write about one asset. */
struct subject {
	const struct picture *picture;
	const struct knowledge *knowledge;
	const struct view *view;
	const struct judgement *judgement;
	struct gaps *gaps;
	struct json *body; /* what document_asset() wrote of the asset itself; cleared when anything above changes */
};

enum asset_action { ASSET_OBSERVED, ASSET_CHANGED, ASSET_CONFLICT, ASSET_MERGED, ASSET_SPLIT };

/* What an asset event says beside the asset itself; zero for nothing. */
struct asset_note {
	const struct attribute_item *attribute; /* that changed or contradicts */
	const char *previous;
	const struct node *contested, *claimant; /* an IP address, and the MAC that claims it too */
	const char *other;                       /* id of the asset merged in, or split from */
};

/* How ECS sorts an event, as the members of "event" that say so. */
struct event_words {
	const char *members;
};

#define EVENT_WORDS(kind, category, type, action, dataset) \
	{ "\"kind\":\"" kind "\",\"category\":[\"" category "\"],\"type\":[\"" type "\"],\"action\":\"" action \
	  "\",\"dataset\":\"" dataset "\",\"module\":\"askance\"" }

/*
 * For events of other parts: the envelope, the asset's addresses, and "ot" with its name, open for more members of "ot";
 * document_close() closes it. Members of the top level belong between document_open() and document_open_ot().
 */
void document_open(struct document *d, const struct subject *s, const struct event_words *w, int64_t time_ns);
void document_open_ot(struct document *d, const struct subject *s);
void document_close(struct document *d);

/* Each clears the draft first. */
void document_asset(struct document *d, const struct subject *s, enum asset_action action, const struct asset_note *note,
		    int64_t time_ns, bool all_talks);
void document_service(struct document *d, const struct subject *s, const struct node *n, const struct service_item *item, int64_t time_ns);
void document_attribute(struct document *d, const struct subject *s, const struct attribute_item *a, const char *previous, int64_t time_ns);
void document_gap(struct document *d, const struct subject *s, const struct gap *g, int64_t time_ns);
void document_gap_closed(struct document *d, const struct subject *s, const struct gap_told *g, int64_t time_ns);

/* The draft with its number, as one line without end; valid until the next call. */
void document_number(const struct document *d, const char *sensor, uint64_t epoch, int64_t sequence, struct json *out);

/* The same for a document that has a number: what stands before it, and the text from behind it on. */
void document_renumber(const char *head, size_t head_len, const char *tail, const char *sensor, uint64_t epoch, int64_t sequence, struct json *out);

/* The members of one fact, as the asset's document and the fact's event write them. */
void document_fact_body(struct json *j, const struct fact_item *f);
/* The members of one gap, as the asset's document and the gap's event write them. */
void document_gap_body(struct json *j, const struct gap *g);

#endif
