/* What the watch tells: the alarm, its lifting, and the figures that stand in the documents of a device. */
#include "sensor/hub/batch.h"
#include "sensor/hub/watch_parts.h"

#include "sensor/hub/address.h"

#include <stdio.h>
#include <string.h>

enum { RADIUS_TOLD = 100, PAIRS_TOLD = 32, RECENT_TOLD = 4 };

struct degraded {
	const struct asset *radius[RADIUS_TOLD];
	unsigned radius_count;
	const struct watch_order *order;
	const struct watch_quarantine *quarantine; /* NULL when there was no room for it */
	const struct baseline *before;             /* NULL: there are no figures */
	const struct pulse *after;
	const char *analyst;
	int64_t time_ns;
};

static void put_milliseconds(struct json *j, const char *key, double us)
{
	char text[40];
	int n = snprintf(text, sizeof text, "%.3f", us / 1000);

	json_raw(j, key, text, (size_t)n);
}

static void put_usual(struct json *j, const struct baseline *b)
{
	json_number(j, "reports", b->reports);
	json_number(j, "requests", (int64_t)b->requests);
	put_milliseconds(j, "period_ms", b->gap.mean);
	put_milliseconds(j, "jitter_ms", b->jitter.mean);
	put_milliseconds(j, "longest_gap_ms", b->gap_most);
	put_milliseconds(j, "round_trip_ms", b->rtt.mean);
	put_milliseconds(j, "longest_round_trip_ms", b->rtt_most);
	json_number(j, "errors", b->errors_most);
	json_number(j, "retransmissions", b->retransmits_most);
	json_number(j, "resets", b->resets_most[0] + b->resets_most[1]);
}

static void put_seen(struct json *j, const struct pulse *p)
{
	json_time(j, "since", p->since_ns);
	json_time(j, "until", p->time_ns);
	json_number(j, "frame", (int64_t)p->frame);
	json_number(j, "requests", p->requests);
	json_number(j, "replies", p->replies);
	put_milliseconds(j, "period_ms", p->requests ? (double)p->gap_sum_us / p->requests : 0);
	put_milliseconds(j, "jitter_ms", p->requests ? (double)p->gap_jitter_us / p->requests : 0);
	put_milliseconds(j, "longest_gap_ms", p->gap_max_us);
	put_milliseconds(j, "round_trip_ms", p->replies ? (double)p->rtt_sum_us / p->replies : 0);
	put_milliseconds(j, "longest_round_trip_ms", p->rtt_max_us);
	json_number(j, "errors", p->errors);
	json_number(j, "unanswered", p->unanswered);
	json_number(j, "retransmissions", p->retransmits[0] + p->retransmits[1]);
	json_number(j, "resets", p->resets[0] + p->resets[1]);
}

static void put_pair(struct json *j, uint8_t transport, uint16_t port, const char *protocol, const struct endpoint *client)
{
	char text[ADDRESS_TEXT_BYTES];

	json_text(j, "protocol", protocol);
	json_text(j, "transport", transport_name((enum transport)transport));
	if (port)
		json_number(j, "port", port);
	address_text(text, client->family, client->family ? client->ip : client->mac);
	json_text(j, "client", text);
}

static void put_kind(struct json *j, const struct watch_kind *k)
{
	json_open(j, "kind", '{');
	json_text_if(j, "vendor", k->vendor[0] ? k->vendor : NULL);
	json_text_if(j, "product", k->product[0] ? k->product : NULL);
	json_text_if(j, "firmware", k->firmware[0] ? k->firmware : NULL);
	json_close(j, '}');
}

/* Who else is left alone from now on. Judging others uses the desk, so it comes before the document. */
static void find_radius(struct watch *w, const struct asset *victim, const struct watch_kind *kind, struct degraded *g)
{
	for (size_t i = 0; i < w->picture->id_room && g->radius_count < RADIUS_TOLD; i++) {
		const struct asset *a = w->picture->ids[i];
		struct watch_kind other;

		if (!a || a == victim)
			continue;
		watch_kind_of(w, a, &other);
		if (watch_kind_matches(kind, &other))
			g->radius[g->radius_count++] = a;
	}
}

static void write_degraded(struct document *d, const struct subject *s, void *context)
{
	static const struct event_words words = EVENT_WORDS("alert", "host", "change", "target-degraded", "askance.watch");
	const struct degraded *g = context;
	struct json *j = &d->json;

	document_open(d, s, &words, g->time_ns);
	json_text(j, "message", g->quarantine ? g->quarantine->evidence : "a device suffers from a probe");
	document_open_ot(d, s);
	json_open(j, "watch", '{');
	json_number(j, "order", (int64_t)g->order->number);
	json_text(j, "rule", g->order->rule);
	json_time(j, "asked", g->order->started_ns);
	json_bool(j, "under_way", g->order->ended_ns == 0);
	json_text(j, "evidence", g->quarantine ? g->quarantine->evidence : "see the sensor's log");
	put_kind(j, &g->order->kind);
	json_open(j, "also_quarantined", '[');
	for (unsigned i = 0; i < g->radius_count; i++)
		json_text(j, NULL, g->radius[i]->id);
	json_close(j, ']');
	if (g->after) {
		put_pair(j, g->after->transport, g->after->port, g->after->protocol, &g->after->client);
		json_open(j, "before", '{');
		put_usual(j, g->before);
		json_close(j, '}');
		json_open(j, "after", '{');
		put_seen(j, g->after);
		json_close(j, '}');
	}
	json_close(j, '}');
	document_close(d);
}

void watch_tell_degraded(struct watch *w, struct asset *a, const struct watch_order *o, const struct watch_quarantine *q,
			 const struct baseline *before, const struct pulse *after, int64_t now_ns)
{
	struct degraded g = { .order = o, .quarantine = q, .before = before, .after = after, .time_ns = now_ns };

	find_radius(w, a, &o->kind, &g);
	batch_event(w->batch, "watch", a, write_degraded, &g);
}

static void write_released(struct document *d, const struct subject *s, void *context)
{
	static const struct event_words words = EVENT_WORDS("event", "host", "change", "quarantine-released", "askance.watch");
	const struct degraded *g = context;
	struct json *j = &d->json;

	document_open(d, s, &words, g->time_ns);
	json_open(j, "user", '{');
	json_text(j, "name", g->analyst);
	json_close(j, '}');
	document_open_ot(d, s);
	json_open(j, "watch", '{');
	json_number(j, "order", (int64_t)g->quarantine->order);
	json_text(j, "rule", g->quarantine->rule);
	json_time(j, "quarantined", g->quarantine->since_ns);
	json_text(j, "evidence", g->quarantine->evidence);
	put_kind(j, &g->quarantine->kind);
	json_close(j, '}');
	document_close(d);
}

void watch_tell_released(struct watch *w, struct asset *a, const struct watch_quarantine *q, const char *analyst, int64_t now_ns)
{
	struct degraded g = { .quarantine = q, .analyst = analyst, .time_ns = now_ns };

	batch_event(w->batch, "watch", a, write_released, &g);
}

/* The oldest first. */
static void put_ring(struct json *j, const char *key, const uint32_t us[WATCH_RECENT], uint32_t count)
{
	uint32_t first = count > WATCH_RECENT ? count - WATCH_RECENT : 0;

	json_open(j, key, '[');
	for (uint32_t i = first; i < count; i++)
		put_milliseconds(j, NULL, us[i % WATCH_RECENT]);
	json_close(j, ']');
}

static void put_recent(struct json *j, const struct watch_recent *r)
{
	json_open(j, "recent", '{');
	put_ring(j, "period_ms", r->gap_us, r->count);
	put_ring(j, "round_trip_ms", r->rtt_us, r->count);
	json_close(j, '}');
}

static void write_pair(struct watch *w, const struct watch_pair *x, bool recent, int64_t now_ns, struct json *j)
{
	struct endpoint client = { .family = x->key.client_family };
	char why[BASELINE_WHY_BYTES];

	memcpy(client.family ? client.ip : client.mac, x->key.client, address_bytes(client.family));
	json_open(j, NULL, '{');
	put_pair(j, x->key.transport, x->key.port, x->protocol, &client);
	json_bool(j, "cyclic", baseline_is_cyclic(&x->baseline));
	json_bool(j, "steady", !baseline_is_noisy(&x->baseline, why) && x->baseline.last_ns - x->baseline.steady_ns >= w->times.learn_ns);
	json_number(j, "steady_s", (x->baseline.last_ns - x->baseline.steady_ns) / 1000000000);
	json_number(j, "silent_s", (now_ns - x->told_ns) / 1000000000);
	json_text_if(j, "deviation", x->why[0] ? x->why : NULL);
	put_usual(j, &x->baseline);
	if (recent)
		put_recent(j, &x->recent);
	json_close(j, '}');
}

bool watch_knows(struct watch *w, const struct asset *a)
{
	uint32_t at = 0;

	return a && watch_next_pair(w, a, &at);
}

void watch_write(struct watch *w, const struct asset *a, int64_t now_ns, struct json *j)
{
	const struct watch_quarantine *q = NULL;
	unsigned told = 0;
	uint32_t at = 0;

	for (unsigned i = 0; i < WATCH_QUARANTINES && !q; i++)
		if (w->quarantines[i].asset[0] && !w->quarantines[i].lifted && strcmp(w->quarantines[i].asset, a->id) == 0)
			q = &w->quarantines[i];
	if (q) {
		json_open(j, "quarantine", '{');
		json_time(j, "since", q->since_ns);
		json_number(j, "order", (int64_t)q->order);
		json_text(j, "rule", q->rule);
		json_text(j, "evidence", q->evidence);
		json_close(j, '}');
	}
	json_open(j, "pairs", '[');
	for (const struct watch_pair *x; told < PAIRS_TOLD && (x = watch_next_pair(w, a, &at)); told++)
		write_pair(w, x, told < RECENT_TOLD, now_ns, j);
	json_close(j, ']');
}
