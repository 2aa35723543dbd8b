/* Joins what an asset's nodes hold and puts it in order. */
#include "sensor/hub/view.h"

#include "active/guard/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int natural_order(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			size_t na, nb;
			int d;

			while (*a == '0' && isdigit((unsigned char)a[1]))
				a++;
			while (*b == '0' && isdigit((unsigned char)b[1]))
				b++;
			na = strspn(a, "0123456789");
			nb = strspn(b, "0123456789");
			if (na != nb)
				return na < nb ? -1 : 1;
			d = memcmp(a, b, na);
			if (d)
				return d;
			a += na;
			b += nb;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return *a ? 1 : *b ? -1 : 0;
}

static int order_texts(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

static int order_nodes(const void *x, const void *y)
{
	const struct node *a = *(const struct node *const *)x, *b = *(const struct node *const *)y;

	if (a->family != b->family)
		return a->family - b->family;
	return memcmp(a->address, b->address, sizeof a->address);
}

static int order_attributes(const void *x, const void *y)
{
	const struct view_attribute *v = x, *w = y;
	const struct attribute_item *a = v->item, *b = w->item;
	int d = a->path == b->path ? 0 : natural_order(a->path, b->path);

	if (!d)
		d = a->attribute - b->attribute;
	if (!d)
		d = order_texts(a->protocol, b->protocol);
	if (!d)
		d = a->source - b->source;
	return d ? d : order_texts(a->value, b->value);
}

static int order_services(const void *x, const void *y)
{
	const struct view_service *v = x, *w = y;
	const struct service_item *a = v->item, *b = w->item;
	int d = v->node == w->node ? 0 : order_nodes(&v->node, &w->node);

	if (!d)
		d = b->transport - a->transport;
	if (!d)
		d = a->port - b->port;
	if (!d)
		d = b->evidence - a->evidence;
	return d ? d : order_texts(a->protocol, b->protocol);
}

static int order_speaks(const void *x, const void *y)
{
	const struct speaks_item *a = *(const struct speaks_item *const *)x, *b = *(const struct speaks_item *const *)y;
	int d = order_texts(a->protocol, b->protocol);

	if (!d)
		d = a->role - b->role;
	return d ? d : b->evidence - a->evidence;
}

static int order_subassets(const void *x, const void *y)
{
	const struct view_subasset *a = x, *b = y;

	return a->path == b->path ? 0 : natural_order(a->path, b->path);
}

static int order_talks(const void *x, const void *y)
{
	const struct talk_item *a = *(const struct talk_item *const *)x, *b = *(const struct talk_item *const *)y;
	int d = a->family - b->family;

	if (!d)
		d = memcmp(a->peer, b->peer, sizeof a->peer);
	if (!d)
		d = order_texts(a->protocol, b->protocol);
	if (!d)
		d = a->transport - b->transport;
	return d ? d : a->port - b->port;
}

#define ADD(v, row) \
	(array_room(&(v)->row##s, &(v)->row##_room, (v)->row##_count, sizeof *(v)->row##s) ? \
	 &(v)->row##s[(v)->row##_count++] : NULL)

static void add_attributes(struct view *v, const struct node *n)
{
	const struct attribute_item *a = n->attributes.items;

	for (unsigned i = 0; i < n->attributes.count; i++) {
		struct view_attribute *to = ADD(v, attribute);

		if (to)
			*to = (struct view_attribute){ &a[i], a[i].first_ns, a[i].last_ns, a[i].frame, a[i].confidence };
	}
}

/* What an analyst stated of a value stands among what was heard; what was stated of the device itself stands for it. */
static void add_facts(struct view *v, const struct node *n)
{
	const struct fact_item *f = n->facts.items;

	for (unsigned i = 0; i < n->facts.count; i++) {
		const struct attribute_item *a = &f[i].value;
		struct view_attribute *to = f[i].kind == COMMAND_SET ? ADD(v, attribute) : NULL;

		if (to)
			*to = (struct view_attribute){ a, a->first_ns, a->last_ns, 0, a->confidence };
		if ((f[i].kind == COMMAND_ACCEPT || f[i].kind == COMMAND_IGNORE) && (!v->standing || f[i].number > v->standing->number))
			v->standing = &f[i];
	}
}

static void add_services(struct view *v, const struct picture *p, const struct node *n)
{
	const struct service_item *s = n->services.items;

	for (unsigned i = 0; i < n->services.count; i++) {
		struct view_service *to;

		if (s[i].evidence == EVIDENCE_NONE && !s[i].protocol[0] && s[i].port == 0)
			continue;
		to = ADD(v, service);
		if (to)
			*to = (struct view_service){ &s[i], n, picture_clients(p, n, s[i].transport, s[i].port), false };
	}
}

static void add_node(struct view *v, const struct picture *p, const struct node *n)
{
	const struct speaks_item *s = n->speaks.items;
	const struct subasset_item *u = n->subassets.items;
	const struct talk_item *t = n->talks.items;
	const struct node **node = ADD(v, node);

	if (node)
		*node = n;
	v->flags |= n->flags;
	v->lost += n->lost;
	if (n->first_ns < v->first_ns)
		v->first_ns = n->first_ns;
	if (n->last_ns > v->last_ns)
		v->last_ns = n->last_ns;
	add_attributes(v, n);
	add_facts(v, n);
	add_services(v, p, n);
	for (unsigned i = 0; i < n->speaks.count; i++) {
		const struct speaks_item **to = ADD(v, speak);

		if (to)
			*to = &s[i];
	}
	for (unsigned i = 0; i < n->subassets.count; i++) {
		struct view_subasset *to = ADD(v, subasset);

		if (to)
			*to = (struct view_subasset){ u[i].path, u[i].source == SOURCE_PROBE, u[i].first_ns, u[i].last_ns };
	}
	for (unsigned i = 0; i < n->talks.count; i++) {
		const struct talk_item **to = t[i].visits ? ADD(v, visit) : ADD(v, talk);

		if (to)
			*to = &t[i];
	}
}

/* The same value heard of two of the asset's addresses is one value. */
static void join_attributes(struct view *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->attribute_count; i++) {
		struct view_attribute *last = kept ? &v->attributes[kept - 1] : NULL, *a = &v->attributes[i];

		if (!last || order_attributes(last, a) != 0) {
			v->attributes[kept++] = *a;
			continue;
		}
		if (a->first_ns < last->first_ns) {
			last->first_ns = a->first_ns;
			last->frame = a->frame;
		}
		if (a->last_ns > last->last_ns)
			last->last_ns = a->last_ns;
		if (a->confidence > last->confidence)
			last->confidence = a->confidence;
	}
	v->attribute_count = kept;
}

static void join_subassets(struct view *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->subasset_count; i++) {
		struct view_subasset *last = kept ? &v->subassets[kept - 1] : NULL, *s = &v->subassets[i];

		if (!last || last->path != s->path) {
			v->subassets[kept++] = *s;
			continue;
		}
		last->probed |= s->probed;
		if (s->first_ns < last->first_ns)
			last->first_ns = s->first_ns;
		if (s->last_ns > last->last_ns)
			last->last_ns = s->last_ns;
	}
	v->subasset_count = kept;
	v->sole = kept == 1 ? v->subassets[0].path : NULL;
}

static void join_speaks(struct view *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->speak_count; i++)
		if (!kept || v->speaks[kept - 1]->protocol != v->speaks[i]->protocol ||
		    v->speaks[kept - 1]->role != v->speaks[i]->role)
			v->speaks[kept++] = v->speaks[i];
	v->speak_count = kept;
}

/* Services stand surest first at each port. A guess beside a proof, or another guess of the same kind, is a witness. */
static void shadow_services(struct view *v)
{
	const struct view_service *best = NULL;

	for (size_t i = 0; i < v->service_count; i++) {
		struct view_service *s = &v->services[i];

		if (!best || best->node != s->node || best->item->transport != s->item->transport ||
		    best->item->port != s->item->port || best->item->transport == TRANSPORT_ETHERNET ||
		    best->item->transport == TRANSPORT_IP)
			best = s;
		else
			s->shadowed = s->item->evidence < best->item->evidence;
	}
}

void view_fill(struct view *v, const struct picture *p, const struct asset *a)
{
	v->asset = a;
	v->node_count = v->attribute_count = v->service_count = v->speak_count = v->subasset_count = v->talk_count = v->visit_count = 0;
	v->first_ns = INT64_MAX;
	v->last_ns = INT64_MIN;
	v->flags = 0;
	v->standing = NULL;
	v->lost = 0;
	for (const struct node *n = a->nodes; n; n = n->next)
		add_node(v, p, n);
	if (v->node_count)
		qsort(v->nodes, v->node_count, sizeof *v->nodes, order_nodes);
	for (v->mac_count = 0; v->mac_count < v->node_count && v->nodes[v->mac_count]->family == 0;)
		v->mac_count++;
	if (v->attribute_count)
		qsort(v->attributes, v->attribute_count, sizeof *v->attributes, order_attributes);
	if (v->service_count)
		qsort(v->services, v->service_count, sizeof *v->services, order_services);
	if (v->speak_count)
		qsort(v->speaks, v->speak_count, sizeof *v->speaks, order_speaks);
	if (v->subasset_count)
		qsort(v->subassets, v->subasset_count, sizeof *v->subassets, order_subassets);
	if (v->talk_count)
		qsort(v->talks, v->talk_count, sizeof *v->talks, order_talks);
	if (v->visit_count)
		qsort(v->visits, v->visit_count, sizeof *v->visits, order_talks);
	join_attributes(v);
	join_speaks(v);
	join_subassets(v);
	shadow_services(v);
}

void view_free(struct view *v)
{
	free(v->nodes);
	free(v->attributes);
	free(v->services);
	free(v->speaks);
	free(v->subassets);
	free(v->talks);
	free(v->visits);
	memset(v, 0, sizeof *v);
}

bool view_is_device(const struct view *v, const char *path)
{
	return !path[0] || path == v->sole;
}

/* An analyst's word beats a probe's answer, which beats what was overheard; then the surer, then the newer word. The device's own beats its sole sub-asset's. */
static bool better(const struct view_attribute *a, const struct view_attribute *b)
{
	if (!b)
		return true;
	if (a->item->path[0] != b->item->path[0] && (!a->item->path[0] || !b->item->path[0]))
		return !a->item->path[0];
	if (a->item->source != b->item->source)
		return a->item->source > b->item->source;
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	return a->last_ns > b->last_ns;
}

const struct view_attribute *view_best(const struct view *v, enum attribute attribute)
{
	const struct view_attribute *best = NULL;

	for (size_t i = 0; i < v->attribute_count; i++) {
		const struct view_attribute *a = &v->attributes[i];

		if (a->item->attribute == attribute && view_is_device(v, a->item->path) && better(a, best))
			best = a;
	}
	return best;
}
