/*
 * What hangs on a node. A thing heard again is only counted; a value that differs from an earlier one
 * is kept beside it, and told as a change or as a contradiction.
 */
#include "sensor/hub/facts.h"

#include "classifiers/host/place.h"
#include "sensor/common/message.h"
#include "sensor/hub/address.h"
#include "sensor/hub/binding.h"
#include "sensor/hub/talks.h"

#include <string.h>

static void lose(struct node *n, uint64_t *counter)
{
	n->lost++;
	(*counter)++;
}

static const char *keep(struct picture *p, const char *text)
{
	const char *kept = text[0] ? texts_keep(&p->texts, text) : p->nothing;

	p->counters.texts_lost += !kept;
	return kept;
}

/* Many findings in a row are of one protocol. */
static const char *keep_protocol(struct picture *p, const char *protocol)
{
	if (!p->recent_protocol || strcmp(p->recent_protocol, protocol) != 0)
		p->recent_protocol = keep(p, protocol);
	return p->recent_protocol;
}

static void hear_subasset(struct picture *p, struct node *n, const struct finding *f, const char *path)
{
	struct subasset_item *s = n->subassets.items;

	for (unsigned i = 0; i < n->subassets.count; i++) {
		if (s[i].path != path)
			continue;
		s[i].last_ns = f->time_ns > s[i].last_ns ? f->time_ns : s[i].last_ns;
		s[i].dirty |= SUBASSET_HEARD;
		if (f->source == SOURCE_PROBE && s[i].source != SOURCE_PROBE) {
			s[i].source = SOURCE_PROBE;
			s[i].dirty = SUBASSET_CHANGED;
			picture_change(p, n);
		}
		return;
	}
	s = row_add(&n->subassets, sizeof *s, NODE_SUBASSETS);
	if (!s) {
		lose(n, &p->counters.subassets_lost);
		return;
	}
	p->subassets++;
	*s = (struct subasset_item){ path, f->time_ns, f->time_ns, f->frame, f->source, SUBASSET_CHANGED };
	picture_change(p, n);
}

int64_t facts_newest(const struct node *n, const char *path)
{
	const struct attribute_item *a = n->attributes.items;
	int64_t newest = INT64_MIN;

	for (unsigned i = 0; i < n->attributes.count; i++)
		if (a[i].path == path && a[i].last_ns > newest)
			newest = a[i].last_ns;
	return newest;
}

/* Items of the same (path, attribute, protocol, source) as `key`: how many, the newest of them, and the one with its value. */
static unsigned same_kind(const struct row *r, const struct attribute_item *key, struct attribute_item **same,
			  struct attribute_item **newest)
{
	struct attribute_item *a = r->items;
	unsigned count = 0;

	*same = *newest = NULL;
	for (unsigned i = 0; i < r->count; i++) {
		if (a[i].attribute != key->attribute || a[i].path != key->path || a[i].protocol != key->protocol ||
		    a[i].source != key->source)
			continue;
		count++;
		if (a[i].value == key->value) {
			*same = &a[i];
			return count;
		}
		if (!*newest || a[i].last_ns >= (*newest)->last_ns)
			*newest = &a[i];
	}
	return count;
}

static void tell_attribute(struct picture *p, struct node *n, const struct attribute_item *a, const char *previous)
{
	enum attribute attribute = (enum attribute)a->attribute;
	uint16_t index = (uint16_t)(n->attributes.count - 1);
	struct change *c;

	picture_tell(p, CHANGE_ATTRIBUTE, n, index, a->first_ns, a->frame);
	if (!previous || attribute_is_multiple(attribute))
		return;
	c = picture_tell(p, attribute_changes(attribute) ? CHANGE_VALUE : CHANGE_CONFLICT, n, index, a->first_ns, a->frame);
	if (c)
		c->previous = previous;
}

static void hear_attribute(struct picture *p, struct node *n, const struct finding *f, const char *protocol, const char *path)
{
	struct attribute_item key = { .path = path, .protocol = protocol, .value = keep(p, f->value),
				      .attribute = f->attribute, .source = f->source, .confidence = f->confidence };
	struct attribute_item *same, *newest, *a;
	const char *previous;
	unsigned count, most;

	if (path[0])
		hear_subasset(p, n, f, path);
	if (!key.value) {
		lose(n, &p->counters.attributes_lost);
		return;
	}
	count = same_kind(&n->attributes, &key, &same, &newest);
	if (same) {
		same->last_ns = f->time_ns > same->last_ns ? f->time_ns : same->last_ns;
		same->heard++;
		same->dirty = 1;
		if (f->confidence > same->confidence)
			same->confidence = f->confidence;
		return;
	}
	previous = newest ? newest->value : NULL;
	most = attribute_is_multiple((enum attribute)f->attribute) ? VALUES_OF_MULTIPLE : VALUES_OF_SINGLE;
	if (count >= most || (!path[0] && n->own_attributes >= NODE_ATTRIBUTES) ||
	    !(a = row_add(&n->attributes, sizeof *a, NODE_ATTRIBUTES + NODE_SUBASSET_ATTRIBUTES))) {
		lose(n, &p->counters.attributes_lost);
		return;
	}
	key.first_ns = key.last_ns = f->time_ns;
	key.frame = f->frame;
	key.heard = 1;
	key.dirty = 1;
	*a = key;
	n->own_attributes += !path[0];
	tell_attribute(p, n, a, previous);
}

static void hear_service(struct picture *p, struct node *n, const struct finding *f, const char *protocol)
{
	struct service_item *s = n->services.items;

	for (unsigned i = 0; i < n->services.count; i++) {
		if (s[i].protocol != protocol || s[i].port != f->port || s[i].transport != f->transport)
			continue;
		s[i].last_ns = f->time_ns > s[i].last_ns ? f->time_ns : s[i].last_ns;
		s[i].dirty = 1;
		if (f->evidence > s[i].evidence) {
			s[i].evidence = f->evidence;
			s[i].confidence = f->confidence;
			picture_tell(p, CHANGE_SERVICE, n, (uint16_t)i, f->time_ns, f->frame);
		}
		return;
	}
	s = row_add(&n->services, sizeof *s, NODE_SERVICES);
	if (!s) {
		lose(n, &p->counters.services_lost);
		return;
	}
	p->services++;
	*s = (struct service_item){ protocol, f->time_ns, f->time_ns, f->frame, f->port, f->ethertype,
				    f->transport, f->evidence, f->confidence, 1 };
	picture_tell(p, CHANGE_SERVICE, n, (uint16_t)(n->services.count - 1), f->time_ns, f->frame);
}

static void hear_speaks(struct picture *p, struct node *n, const struct finding *f, const char *protocol)
{
	struct speaks_item *s = n->speaks.items;

	for (unsigned i = 0; i < n->speaks.count; i++) {
		if (s[i].protocol != protocol || s[i].role != f->role)
			continue;
		s[i].last_ns = f->time_ns > s[i].last_ns ? f->time_ns : s[i].last_ns;
		s[i].dirty = 1;
		if (f->evidence > s[i].evidence) {
			s[i].evidence = f->evidence;
			picture_change(p, n);
		}
		return;
	}
	s = row_add(&n->speaks, sizeof *s, NODE_SPEAKS);
	if (!s) {
		lose(n, &p->counters.speaks_lost);
		return;
	}
	*s = (struct speaks_item){ protocol, f->time_ns, f->time_ns, f->frame, f->role, f->evidence, 1 };
	picture_change(p, n);
}

static struct talk_item talk_of(const struct finding *f, const struct endpoint *peer, const char *protocol)
{
	struct talk_item t = { .protocol = protocol, .first_ns = f->time_ns, .last_ns = f->time_ns, .frame = f->frame,
				 .port = f->port, .transport = f->transport, .family = peer->family, .dirty = 1 };

	memcpy(t.peer, peer->family ? peer->ip : peer->mac, address_bytes(peer->family));
	return t;
}

static unsigned visitors_of(const struct node *n)
{
	const struct talk_item *t = n->talks.items;
	unsigned count = 0;

	for (unsigned i = 0; i < n->talks.count; i++)
		count += t[i].visits;
	return count;
}

/* A public client is kept with whom it visits too: whether that is of the plant may turn out later. */
static void hear_visit(struct picture *p, const struct finding *f, const char *protocol)
{
	const struct endpoint *client = &f->subject, *server = &f->peer;
	struct talk_item key = talk_of(f, client, protocol), *t;
	struct node *n;
	bool known;

	if (!client->family || !server->family || !place_is_public(client->family, client->ip))
		return;
	n = picture_find(p, f->vlan, server->family, server->ip);
	key.visits = 1;
	if (!n || talks_find(n, &key, &known) || known)
		return;
	t = visitors_of(n) < NODE_VISITORS ? row_add(&n->talks, sizeof *t, NODE_TALKS) : NULL;
	if (!t) {
		lose(n, &p->counters.talks_lost);
		return;
	}
	*t = key;
	picture_change(p, n);
}

static void hear_talks(struct picture *p, struct node *n, const struct finding *f, const char *protocol)
{
	struct talk_item key = talk_of(f, &f->peer, protocol), *t;
	bool counted;

	t = talks_find(n, &key, &counted);
	if (t) {
		t->last_ns = f->time_ns > t->last_ns ? f->time_ns : t->last_ns;
		t->dirty = 1;
		return;
	}
	t = row_add(&n->talks, sizeof *t, NODE_TALKS);
	if (!t) {
		lose(n, &p->counters.talks_lost);
		return;
	}
	*t = key;
	/* One client counts once, whatever it was thought to speak there. */
	if (!counted)
		picture_demand(p, n, &f->peer, f->transport, f->port);
	picture_change(p, n);
}

void facts_hear(struct picture *p, struct node *n, const struct finding *f)
{
	const char *protocol = keep_protocol(p, f->protocol), *path = keep(p, f->path);

	if (!protocol || !path)
		return;
	switch ((enum finding_kind)f->kind) {
	case FINDING_SERVICE:
		hear_service(p, n, f, protocol);
		break;
	case FINDING_SPEAKS:
		hear_speaks(p, n, f, protocol);
		break;
	case FINDING_ATTRIBUTE:
		hear_attribute(p, n, f, protocol, path);
		break;
	case FINDING_SUBASSET:
		if (path[0])
			hear_subasset(p, n, f, path);
		break;
	case FINDING_TALKS:
		hear_talks(p, n, f, protocol);
		hear_visit(p, f, protocol);
		break;
	case FINDING_HOST:
	case FINDING_ACTIVITY: /* an event, and no property of anybody */
	case FINDING_KINDS:
		break;
	}
}

/* Heard by listening: an answer to us shows nobody whose other traffic could be watched while he is asked. */
static void note_sender(struct node *n, const struct finding *f)
{
	int64_t time_s = f->source == SOURCE_PASSIVE ? f->time_ns / 1000000000 : 0;

	if (time_s > n->heard_s)
		n->heard_s = time_s < UINT32_MAX ? (uint32_t)time_s : UINT32_MAX;
}

/* An address that a proxy answers ARP for need not be there. */
static bool is_proxied(const struct endpoint *subject, const struct node *mac)
{
	return subject->binding == BINDING_STATED && mac && mac->flags & NODE_PROXY;
}

void picture_hear(struct picture *p, const struct finding *f, unsigned sent_from)
{
	struct node *ip, *mac, *n;

	p->counters.findings++;
	if (f->time_ns > p->now_ns)
		p->now_ns = f->time_ns;
	binding_hear(p, f->vlan, &f->subject, f->time_ns, f->frame, &ip, &mac);
	if (mac && sent_from & SENT_FROM_MAC)
		note_sender(mac, f);
	if (ip && sent_from & SENT_FROM_IP && !is_proxied(&f->subject, mac))
		note_sender(ip, f);
	/* What a frame says below IP is said of its station, even when that station is a router. */
	n = f->transport == TRANSPORT_ETHERNET && mac ? mac : ip ? ip : mac;
	if (!n) {
		p->counters.unplaced++;
		return;
	}
	facts_hear(p, n, f);
}
