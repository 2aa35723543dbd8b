/* The asset's own document. Every array is in a fixed order, so that equal pictures give equal bytes. */
#include "sensor/hub/asset_document.h"

#include "active/guard/command.h"
#include "sensor/hub/address.h"
#include "sensor/hub/completeness.h"

#include <stdio.h>
#include <string.h>

enum { CPE_BYTES = 256 };

static void put_seen(struct json *j, int64_t first_ns, int64_t last_ns)
{
	json_time(j, "first_seen", first_ns);
	json_time(j, "last_seen", last_ns);
}

static void put_addresses(struct json *j, const struct view *v)
{
	char text[ADDRESS_TEXT_BYTES];

	for (int macs = 1; macs >= 0; macs--) {
		json_open(j, macs ? "mac" : "ip", '[');
		for (size_t i = 0; i < v->node_count; i++) {
			if ((v->nodes[i]->family == 0) != macs)
				continue;
			address_text(text, v->nodes[i]->family, v->nodes[i]->address);
			json_text(j, NULL, text);
		}
		json_close(j, ']');
	}
}

/* Attributes stand in order of their names and protocols, so equal hostnames need not be neighbours. */
static bool said_before(const struct view *v, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (v->attributes[i].item->attribute == ATTR_HOSTNAME && v->attributes[i].item->value == v->attributes[at].item->value &&
		    view_is_device(v, v->attributes[i].item->path))
			return true;
	return false;
}

static void put_hostnames(struct json *j, const struct view *v)
{
	json_open(j, "hostname", '[');
	for (size_t i = 0; i < v->attribute_count; i++)
		if (v->attributes[i].item->attribute == ATTR_HOSTNAME && view_is_device(v, v->attributes[i].item->path) &&
		    !said_before(v, i))
			json_text(j, NULL, v->attributes[i].item->value);
	json_close(j, ']');
}

static void put_places(struct json *j, const struct subject *s)
{
	const struct view *v = s->view;
	bool any = false;

	for (size_t i = v->mac_count; i < v->node_count; i++) {
		const struct node *n = v->nodes[i];
		char text[ADDRESS_TEXT_BYTES];
		struct place place;

		if (!place_of(s->knowledge->places, n->family, n->address, &place))
			continue;
		if (!any)
			json_open(j, "places", '[');
		any = true;
		json_open(j, NULL, '{');
		address_text(text, n->family, n->address);
		json_text(j, "ip", text);
		json_text_if(j, "country", place.country);
		if (place.as_number)
			json_number(j, "as_number", place.as_number);
		json_text_if(j, "as_organisation", place.as_organisation);
		json_close(j, '}');
	}
	if (any)
		json_close(j, ']');
}

static const char *best(const struct view *v, enum attribute a)
{
	const struct view_attribute *found = view_best(v, a);

	return found ? found->item->value : NULL;
}

/* The class of a router is judged of its frames and not by a rule, and so has no level of its own. */
static void put_class(struct json *j, const struct judgement *judged)
{
	json_text_if(j, "class", judged->class);
	json_text_if(j, "purdue_level", judged->verdict.purdue);
	json_text_if(j, "attack_asset", judged->verdict.attack);
}

/* Looked up, not heard: said under its own name, so that nobody takes it for the device's word. */
static void put_cpe(struct json *j, const struct device_verdict *verdict, const char *firmware)
{
	char name[CPE_BYTES];

	if (device_cpe(verdict, firmware, name, sizeof name))
		json_text(j, "cpe_mapped", name);
}

static void put_asset(struct json *j, const struct subject *s)
{
	const struct view *v = s->view;
	const struct judgement *judged = s->judgement;
	char zone[128];

	picture_zone(s->picture, v->asset->nodes, zone, sizeof zone);
	json_open(j, "asset", '{');
	json_text(j, "id", v->asset->id);
	json_text(j, "zone", zone);
	put_addresses(j, v);
	put_hostnames(j, v);
	put_class(j, judged);
	json_text_if(j, "maker", judged->maker);
	json_text_if(j, "vendor", judged->vendor);
	json_text_if(j, "series", judged->series);
	json_text_if(j, "os", best(v, ATTR_OS) ? best(v, ATTR_OS) : judged->os);
	json_text_if(j, "firmware", best(v, ATTR_FIRMWARE));
	put_cpe(j, &judged->verdict, best(v, ATTR_FIRMWARE));
	json_text_if(j, "role", best(v, ATTR_ROLE));
	if (v->flags & (NODE_ROUTER | NODE_FORWARDS | NODE_PROXY))
		json_bool(j, "forwards", true);
	if (v->flags & NODE_CONTESTED)
		json_bool(j, "contested", true);
	put_places(j, s);
	if (v->standing)
		json_text(j, "standing", v->standing->kind == COMMAND_IGNORE ? "ignored" : "accepted");
	completeness_put(j, s);
	put_seen(j, v->first_ns, v->last_ns);
	if (v->lost)
		json_number(j, "not_kept", v->lost);
	json_close(j, '}');
}

static void put_witnesses(struct json *j, const struct view *v, size_t at)
{
	bool any = false;

	for (size_t i = at + 1; i < v->service_count; i++) {
		const struct view_service *s = &v->services[i];

		if (s->node != v->services[at].node || s->item->transport != v->services[at].item->transport ||
		    s->item->port != v->services[at].item->port)
			break;
		if (!s->shadowed)
			continue;
		if (!any)
			json_open(j, "witnesses", '[');
		any = true;
		json_open(j, NULL, '{');
		json_text(j, "protocol", s->item->protocol);
		json_text(j, "evidence", s->item->evidence ? evidence_name((enum evidence)s->item->evidence) : "none");
		json_close(j, '}');
	}
	if (any)
		json_close(j, ']');
}

static void put_service(struct json *j, const struct view *v, size_t at)
{
	const struct view_service *s = &v->services[at];
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, NULL, '{');
	json_text(j, "protocol", s->item->protocol[0] ? s->item->protocol : "unknown");
	json_text(j, "transport", transport_name((enum transport)s->item->transport));
	if (s->item->port)
		json_number(j, "port", s->item->port);
	if (s->node->family) {
		address_text(text, s->node->family, s->node->address);
		json_text(j, "ip", text);
	}
	if (s->item->ethertype) {
		snprintf(text, sizeof text, "0x%04x", s->item->ethertype);
		json_text(j, "ethertype", text);
	}
	json_text(j, "evidence", s->item->evidence ? evidence_name((enum evidence)s->item->evidence) : "none");
	json_hundredths(j, "confidence", s->item->confidence);
	json_number(j, "clients", s->clients);
	put_seen(j, s->item->first_ns, s->item->last_ns);
	put_witnesses(j, v, at);
	json_close(j, '}');
}

static void put_services(struct json *j, const struct view *v)
{
	json_open(j, "services", '[');
	for (size_t i = 0; i < v->service_count; i++)
		if (!v->services[i].shadowed)
			put_service(j, v, i);
	json_close(j, ']');
	json_open(j, "speaks", '[');
	for (size_t i = 0; i < v->speak_count; i++) {
		json_open(j, NULL, '{');
		json_text(j, "protocol", v->speaks[i]->protocol);
		json_text(j, "role", role_name((enum role)v->speaks[i]->role));
		json_text(j, "evidence", v->speaks[i]->evidence ? evidence_name((enum evidence)v->speaks[i]->evidence) : "none");
		put_seen(j, v->speaks[i]->first_ns, v->speaks[i]->last_ns);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_talks(struct json *j, const struct view *v, size_t most)
{
	char text[ADDRESS_TEXT_BYTES];

	json_open(j, "talks", '[');
	for (size_t i = 0; i < v->talk_count && i < most; i++) {
		const struct talk_item *t = v->talks[i];

		json_open(j, NULL, '{');
		address_text(text, t->family, t->peer);
		json_text(j, "peer", text);
		json_text_if(j, "protocol", t->protocol);
		json_text(j, "transport", transport_name((enum transport)t->transport));
		if (t->port)
			json_number(j, "port", t->port);
		json_close(j, '}');
	}
	json_close(j, ']');
	if (v->talk_count > most)
		json_number(j, "talks_total", (int64_t)v->talk_count);
}

static void put_attribute(struct json *j, const struct view_attribute *a)
{
	json_open(j, NULL, '{');
	json_text(j, "subject", a->item->path);
	json_text(j, "name", attribute_name((enum attribute)a->item->attribute));
	json_text(j, "value", a->item->value);
	json_text(j, "source", source_name((enum source)a->item->source));
	json_text(j, "protocol", a->item->protocol);
	json_hundredths(j, "confidence", a->confidence);
	json_number(j, "frame", (int64_t)a->frame);
	json_time(j, "time", a->first_ns);
	put_seen(j, a->first_ns, a->last_ns);
	json_close(j, '}');
}

/* The device's own stand first: attributes are in the order of their paths. Returns where those of sub-assets begin. */
static size_t put_attributes(struct json *j, const struct view *v)
{
	size_t i = 0;

	json_open(j, "attributes", '[');
	for (; i < v->attribute_count && !v->attributes[i].item->path[0]; i++)
		put_attribute(j, &v->attributes[i]);
	json_close(j, ']');
	return i;
}

static void put_subassets(struct json *j, const struct view *v, size_t at)
{
	json_open(j, "subassets", '[');
	for (size_t i = 0; i < v->subasset_count; i++) {
		const struct view_subasset *s = &v->subassets[i];

		json_open(j, NULL, '{');
		json_text(j, "path", s->path);
		json_text(j, "source", s->probed ? "probe" : "passive");
		put_seen(j, s->first_ns, s->last_ns);
		json_open(j, "attributes", '[');
		while (at < v->attribute_count && natural_order(v->attributes[at].item->path, s->path) < 0)
			at++;
		for (size_t k = at; k < v->attribute_count && natural_order(v->attributes[k].item->path, s->path) == 0; k++)
			if (v->attributes[k].item->path == s->path)
				put_attribute(j, &v->attributes[k]);
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

void document_fact_body(struct json *j, const struct fact_item *f)
{
	json_number(j, "id", f->number);
	json_text(j, "kind", command_name((enum command_type)f->kind));
	if (f->kind == COMMAND_SET) {
		json_text(j, "name", attribute_name((enum attribute)f->value.attribute));
		json_text(j, "subject", f->value.path);
	}
	json_text_if(j, "value", f->text[0] ? f->text : NULL);
	json_text(j, "analyst", f->analyst);
	json_text_if(j, "why", f->why[0] ? f->why : NULL);
	json_time(j, "time", f->time_ns);
}

/* What analysts stated of it, by whom and when; a value stands among the attributes too. */
static void put_facts(struct json *j, const struct view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->node_count; i++) {
		const struct fact_item *f = v->nodes[i]->facts.items;

		for (unsigned k = 0; k < v->nodes[i]->facts.count; k++) {
			if (!any)
				json_open(j, "facts", '[');
			any = true;
			json_open(j, NULL, '{');
			document_fact_body(j, &f[k]);
			json_close(j, '}');
		}
	}
	if (any)
		json_close(j, ']');
}

void document_gap_body(struct json *j, const struct gap *g)
{
	json_text(j, "kind", gap_kind_name((enum gap_kind)g->kind));
	json_text(j, "subject", g->subject);
	json_open(j, "lacks", '[');
	for (unsigned i = 0; i < g->lacks_count; i++)
		json_text(j, NULL, attribute_name((enum attribute)g->lacks[i]));
	json_close(j, ']');
	json_text_if(j, "protocol", g->protocol);
	if (g->rule) {
		json_text(j, "rule", g->rule->name);
		json_text(j, "risk", risk_name((enum risk)g->rule->risk));
		json_open(j, "cost", '{');
		json_number(j, "packets", g->rule->max_packets);
		json_number(j, "bytes", g->rule->max_bytes);
		json_close(j, '}');
	}
	json_text(j, "verdict", gap_verdict_name((enum gap_verdict)g->verdict));
	json_text(j, "why", g->why);
	if (g->since_ns)
		json_time(j, "since", g->since_ns);
}

static void put_gaps(struct json *j, const struct gaps *g)
{
	json_open(j, "gaps", '[');
	for (size_t i = 0; i < g->count; i++) {
		json_open(j, NULL, '{');
		document_gap_body(j, &g->items[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
	if (g->lost)
		json_number(j, "gaps_not_listed", g->lost);
}

void asset_document_body(struct json *j, const struct subject *s, size_t talks)
{
	size_t of_subassets;

	put_asset(j, s);
	put_services(j, s->view);
	put_talks(j, s->view, talks);
	of_subassets = put_attributes(j, s->view);
	put_subassets(j, s->view, of_subassets);
	put_gaps(j, s->gaps);
	put_facts(j, s->view);
}
