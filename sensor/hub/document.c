/* The events of one asset, in their ECS envelope. What stands under "ot" for the asset itself is in asset_document.c. */
#include "sensor/hub/document.h"

#include "sensor/hub/address.h"
#include "sensor/hub/asset_document.h"

#include <stdio.h>
#include <string.h>

static const char ecs[] = "\"ecs\":{\"version\":\"8.17.0\"}";
static const char observer[] =
	"\"type\":\"sensor\",\"vendor\":\"askance\",\"product\":\"askance\",\"version\":\"" ASKANCE_VERSION "\"";

static void put_list_of_one(struct json *j, const char *key, const char *word)
{
	json_open(j, key, '[');
	json_text(j, NULL, word);
	json_close(j, ']');
}

static void begin(struct document *d, const struct subject *s, const struct event_words *w, int64_t time_ns)
{
	struct json *j = &d->json;
	char zone[128];

	json_clear(j);
	json_open(j, NULL, '{');
	json_time(j, "@timestamp", time_ns);
	json_raw(j, NULL, ecs, sizeof ecs - 1);
	json_open(j, "event", '{');
	d->mark = j->len;
	json_raw(j, NULL, w->members, strlen(w->members));
	json_close(j, '}');
	picture_zone(s->picture, s->view->asset->nodes, zone, sizeof zone);
	json_open(j, "observer", '{');
	json_text(j, "name", s->picture->sensor);
	json_raw(j, NULL, observer, sizeof observer - 1);
	json_open(j, "ingress", '{');
	json_text(j, "zone", zone);
	json_close(j, '}');
	json_close(j, '}');
}

/* RFC 7042 as ECS wants it: 00-1B-1B-01-02-03. */
static void ecs_mac(char text[ADDRESS_TEXT_BYTES], const uint8_t *mac)
{
	mac_text(text, mac, '-', "0123456789ABCDEF");
}

static void put_ips(struct json *j, const char *key, const struct view *v)
{
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, key, '[');
	for (size_t i = v->mac_count; i < v->node_count; i++) {
		address_text(text, v->nodes[i]->family, v->nodes[i]->address);
		json_text(j, NULL, text);
	}
	json_close(j, ']');
}

static const char *best_text(const struct view *v, enum attribute a)
{
	const struct view_attribute *best = view_best(v, a);

	return best ? best->item->value : NULL;
}

static void put_host(struct json *j, const struct subject *s)
{
	const struct view *v = s->view;
	const char *hostname = best_text(v, ATTR_HOSTNAME);
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, "host", '{');
	json_text(j, "id", v->asset->id);
	put_ips(j, "ip", v);
	json_open(j, "mac", '[');
	for (size_t i = 0; i < v->mac_count; i++) {
		ecs_mac(text, v->nodes[i]->address);
		json_text(j, NULL, text);
	}
	json_close(j, ']');
	json_text_if(j, "hostname", hostname);
	json_close(j, '}');
	json_open(j, "related", '{');
	put_ips(j, "ip", v);
	if (hostname)
		put_list_of_one(j, "hosts", hostname);
	json_close(j, '}');
}

static void put_vlan(struct json *j, const struct node *n)
{
	char id[8];

	if (!n->vlan[0])
		return;
	json_open(j, "vlan", '{');
	snprintf(id, sizeof id, "%u", n->vlan[0]);
	json_text(j, "id", id);
	json_close(j, '}');
}

static void put_device(struct json *j, const struct subject *s)
{
	const struct view *v = s->view;
	const char *vendor = best_text(v, ATTR_VENDOR), *product = best_text(v, ATTR_PRODUCT), *code = best_text(v, ATTR_ORDER_CODE);

	json_open(j, "device", '{');
	json_text(j, "id", v->asset->id);
	json_text_if(j, "manufacturer", vendor ? vendor : s->judgement->vendor ? s->judgement->vendor : s->judgement->maker);
	if (product || code) {
		json_open(j, "model", '{');
		json_text_if(j, "name", product);
		json_text_if(j, "identifier", code);
		json_close(j, '}');
	}
	json_text_if(j, "serial_number", best_text(v, ATTR_SERIAL));
	json_text_if(j, "type", s->judgement->class);
	json_close(j, '}');
}

/* Opens "ot" with what every event has there. */
static void open_ot(struct json *j, const struct subject *s)
{
	json_open(j, "ot", '{');
	json_number(j, "schema_version", DOCUMENT_SCHEMA_VERSION);
	json_text(j, "zone", s->picture->zone);
}

static void put_asset_name(struct json *j, const struct subject *s)
{
	char zone[128];

	picture_zone(s->picture, s->view->asset->nodes, zone, sizeof zone);
	json_open(j, "asset", '{');
	json_text(j, "id", s->view->asset->id);
	json_text(j, "zone", zone);
	json_text_if(j, "class", s->judgement->class);
	json_close(j, '}');
}

static void end(struct document *d)
{
	json_close(&d->json, '}');
	json_close(&d->json, '}');
}

void document_open(struct document *d, const struct subject *s, const struct event_words *w, int64_t time_ns)
{
	begin(d, s, w, time_ns);
	put_host(&d->json, s);
}

void document_open_ot(struct document *d, const struct subject *s)
{
	open_ot(&d->json, s);
	put_asset_name(&d->json, s);
}

void document_close(struct document *d)
{
	end(d);
}

static void put_note(struct json *j, const struct asset_note *note, enum asset_action action)
{
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, "change", '{');
	if (note->attribute) {
		json_text(j, "name", attribute_name((enum attribute)note->attribute->attribute));
		json_text(j, "subject", note->attribute->path);
		json_text(j, "protocol", note->attribute->protocol);
		json_text(j, "value", note->attribute->value);
		json_text_if(j, "previous", note->previous);
	}
	if (note->contested) {
		address_text(text, note->contested->family, note->contested->address);
		json_text(j, "ip", text);
		address_text(text, 0, note->claimant->address);
		json_text(j, "claimed_by", text);
	}
	if (note->other)
		json_text(j, action == ASSET_MERGED ? "merged" : "split_from", note->other);
	json_close(j, '}');
}

/* Most changes are told with two documents of the asset as it stands, that of the change and its state: it is written once. */
static void put_body(struct json *j, const struct subject *s)
{
	if (s->body->len == 0)
		asset_document_body(s->body, s, DOCUMENT_TALKS);
	json_raw(j, NULL, s->body->text, s->body->len);
}

void document_asset(struct document *d, const struct subject *s, enum asset_action action, const struct asset_note *note,
		    int64_t time_ns, bool all_talks)
{
	static const struct event_words words[] = {
		[ASSET_OBSERVED] = EVENT_WORDS("asset", "host", "info", "asset-observed", "askance.asset"),
		[ASSET_CHANGED] = EVENT_WORDS("event", "host", "change", "asset-changed", "askance.asset"),
		[ASSET_CONFLICT] = EVENT_WORDS("event", "host", "change", "asset-conflict", "askance.asset"),
		[ASSET_MERGED] = EVENT_WORDS("event", "host", "change", "asset-merged", "askance.asset"),
		[ASSET_SPLIT] = EVENT_WORDS("event", "host", "change", "asset-split", "askance.asset"),
	};
	struct json *j = &d->json;

	begin(d, s, &words[action], time_ns);
	put_host(j, s);
	put_device(j, s);
	put_vlan(j, s->view->asset->nodes);
	open_ot(j, s);
	if (note)
		put_note(j, note, action);
	if (all_talks)
		asset_document_body(j, s, SIZE_MAX);
	else
		put_body(j, s);
	end(d);
}

static void put_server(struct json *j, const struct node *n, uint16_t port)
{
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, "server", '{');
	address_text(text, n->family, n->address);
	json_text(j, n->family ? "ip" : "mac", text);
	if (port)
		json_number(j, "port", port);
	json_close(j, '}');
}

void document_service(struct document *d, const struct subject *s, const struct node *n, const struct service_item *item, int64_t time_ns)
{
	static const struct event_words words = EVENT_WORDS("asset", "network", "info", "service-observed", "askance.service");
	struct json *j = &d->json;

	begin(d, s, &words, time_ns);
	put_host(j, s);
	put_server(j, n, item->port);
	json_open(j, "network", '{');
	json_text(j, "transport", transport_name((enum transport)item->transport));
	json_text_if(j, "protocol", item->protocol);
	json_close(j, '}');
	json_open(j, "service", '{');
	json_text_if(j, "type", item->protocol);
	json_close(j, '}');
	open_ot(j, s);
	put_asset_name(j, s);
	json_open(j, "service", '{');
	json_text(j, "protocol", item->protocol);
	json_text(j, "transport", transport_name((enum transport)item->transport));
	if (item->port)
		json_number(j, "port", item->port);
	json_text(j, "evidence", item->evidence ? evidence_name((enum evidence)item->evidence) : "none");
	json_hundredths(j, "confidence", item->confidence);
	json_number(j, "client_count", picture_clients(s->picture, n, item->transport, item->port));
	json_number(j, "frame", (int64_t)item->frame);
	json_time(j, "first_seen", item->first_ns);
	json_close(j, '}');
	end(d);
}

void document_attribute(struct document *d, const struct subject *s, const struct attribute_item *a, const char *previous, int64_t time_ns)
{
	static const struct event_words words = EVENT_WORDS("state", "host", "info", "attribute-learned", "askance.attribute");
	struct json *j = &d->json;

	begin(d, s, &words, time_ns);
	put_host(j, s);
	open_ot(j, s);
	put_asset_name(j, s);
	json_open(j, "attr", '{');
	json_text(j, "subject", a->path);
	json_text(j, "name", attribute_name((enum attribute)a->attribute));
	json_text(j, "value", a->value);
	json_text_if(j, "previous", previous);
	json_text(j, "source", source_name((enum source)a->source));
	json_text(j, "protocol", a->protocol);
	json_hundredths(j, "confidence", a->confidence);
	json_number(j, "frame", (int64_t)a->frame);
	json_time(j, "first_seen", a->first_ns);
	json_time(j, "last_seen", a->last_ns);
	json_close(j, '}');
	end(d);
}

void document_gap(struct document *d, const struct subject *s, const struct gap *g, int64_t time_ns)
{
	static const struct event_words words = EVENT_WORDS("state", "host", "info", "gap-open", "askance.gap");
	struct json *j = &d->json;

	begin(d, s, &words, time_ns);
	put_host(j, s);
	open_ot(j, s);
	put_asset_name(j, s);
	json_open(j, "gap", '{');
	document_gap_body(j, g);
	json_close(j, '}');
	end(d);
}

void document_gap_closed(struct document *d, const struct subject *s, const struct gap_told *g, int64_t time_ns)
{
	static const struct event_words words = EVENT_WORDS("state", "host", "info", "gap-closed", "askance.gap");
	struct json *j = &d->json;

	begin(d, s, &words, time_ns);
	put_host(j, s);
	open_ot(j, s);
	put_asset_name(j, s);
	json_open(j, "gap", '{');
	json_text(j, "kind", gap_kind_name((enum gap_kind)g->kind));
	json_text(j, "subject", g->subject);
	json_time(j, "since", g->since_ns);
	json_close(j, '}');
	end(d);
}

/* The writer's commas stay out of it. */
static void put_piece(struct json *out, const char *text, size_t len)
{
	out->first = true;
	json_raw(out, NULL, text, len);
}

static void put_count(struct json *out, int64_t count)
{
	out->first = true;
	json_number(out, NULL, count);
}

void document_renumber(const char *head, size_t head_len, const char *tail, const char *sensor, uint64_t epoch, int64_t sequence, struct json *out)
{
	static const char before[] = "\"sequence\":", id[] = ",\"id\":\"";

	json_clear(out);
	put_piece(out, head, head_len);
	put_piece(out, before, sizeof before - 1);
	put_count(out, sequence);
	put_piece(out, id, sizeof id - 1);
	put_piece(out, sensor, strlen(sensor));
	put_piece(out, ":", 1);
	put_count(out, (int64_t)epoch);
	put_piece(out, ":", 1);
	put_count(out, sequence);
	put_piece(out, "\",", 2);
	put_piece(out, tail, strlen(tail));
}

void document_number(const struct document *d, const char *sensor, uint64_t epoch, int64_t sequence, struct json *out)
{
	document_renumber(d->json.text, d->mark, d->json.text + d->mark, sensor, epoch, sequence, out);
}
