/*
 * Which addresses are one device.
 *
 * An IP address belongs to at most one MAC, so an asset is a star: a MAC and the IP addresses bound
 * to it, or an address alone. A link is stated (ARP, DHCP ... said so) or framed (both stood in one
 * frame that no router had touched). Framed links err: a router that leaves the hop limit alone, a
 * NAT, a bridge that answers for others. So they only hold while one address of a family comes
 * from that MAC, and stated ones only while there are as few as one device has.
 */
#include "sensor/hub/binding.h"

#include "classifiers/host/place.h"
#include "sensor/hub/address.h"

#include <stdlib.h>
#include <string.h>

enum {
	STATED_MOST = 4,     /* more IPv4 addresses stated for one MAC are a proxy's */
	WEAK_KEPT = 4,       /* links of a known router that are kept to see whether they were right after all */
	PREFIXES_MOST = 2,   /* networks of IPv6 that one interface is in without being a router */
	TEMPORARY_MOST = 16, /* IPv6 addresses of one interface, with those of RFC 8981 */
};

/* Links older than this do not count as several addresses at the same time: a lease may have changed. */
static const int64_t TOGETHER_NS = 2 * 3600 * 1000000000LL;

static struct link *link_between(const struct node *ip, const struct node *mac)
{
	for (unsigned i = 0; i < ip->link_count; i++)
		if (ip->links[i].mac == mac)
			return &ip->links[i];
	return NULL;
}

static bool local(const struct node *ip)
{
	return ip_is_link_local(ip->family, ip->address);
}

/* A public address is bound by frames alone only to a MAC that no other routable address of its family is linked to. */
static bool alone_at(const struct node *ip, const struct node *mac)
{
	for (unsigned i = 0; i < mac->bound_count; i++)
		if (mac->bound[i] != ip && mac->bound[i]->family == ip->family && !local(mac->bound[i]))
			return false;
	return true;
}

static bool framed_link_holds(const struct node *ip, const struct node *mac)
{
	if (mac->flags & (NODE_ROUTER | NODE_PROXY | NODE_APART))
		return false;
	/* Of one interface's IPv6 addresses several may be public: the limits of evaluate_mac() apply to them. */
	return ip->family == 6 || !place_is_public(ip->family, ip->address) || alone_at(ip, mac);
}

struct node *binding_parent(const struct node *ip)
{
	bool stated = false;

	if (ip->flags & NODE_APART)
		return NULL;
	for (unsigned i = 0; i < ip->link_count; i++) {
		const struct link *l = &ip->links[i];

		stated |= l->stated;
		if (l->stated && !(l->mac->flags & (NODE_PROXY | NODE_APART)))
			return l->mac;
	}
	/* Once anybody has stated where it is, frames prove nothing any more. */
	for (unsigned i = 0; !stated && i < ip->link_count; i++)
		if (framed_link_holds(ip, ip->links[i].mac))
			return ip->links[i].mac;
	return NULL;
}

/* Assets */

static void tell_split(struct picture *p, struct node *n, const char *from, bool told)
{
	struct change *c;

	p->counters.splits++;
	if (!told)
		return;
	c = picture_tell(p, CHANGE_SPLIT, n, 0, p->now_ns, n->frame);
	if (c)
		memcpy(c->id, from, sizeof c->id);
}

/* Assets that analysts tied together are several stars. A group is what parents and ties hold together. */

static bool is_tied(const struct picture *p, const struct asset *a)
{
	for (size_t i = 0; i < p->tie_count; i++)
		if (p->ties[i].a->asset == a || p->ties[i].b->asset == a)
			return true;
	return false;
}

struct member {
	struct node *node;
	size_t group; /* index of a member of the same group; its own for the last of the chain */
};

static int order_members(const void *x, const void *y)
{
	const struct member *a = x, *b = y;

	return a->node->number < b->node->number ? -1 : a->node->number > b->node->number;
}

static size_t group_of(const struct member *m, size_t i)
{
	while (m[i].group != i)
		i = m[i].group;
	return i;
}

/* The elder names the group, so that it founds. */
static void unite(struct member *m, size_t count, const struct node *x, const struct node *y)
{
	size_t at[2] = { count, count }, a, b;

	for (size_t i = 0; i < count; i++) {
		if (m[i].node == x)
			at[0] = i;
		if (m[i].node == y)
			at[1] = i;
	}
	if (at[0] == count || at[1] == count)
		return;
	a = group_of(m, at[0]);
	b = group_of(m, at[1]);
	m[a > b ? a : b].group = a > b ? b : a;
}

static void find_groups(const struct picture *p, struct member *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (m[i].node->family)
			unite(m, count, m[i].node, binding_parent(m[i].node));
	for (size_t i = 0; i < p->tie_count; i++)
		if (p->ties[i].a->asset == m[0].node->asset && p->ties[i].b->asset == m[0].node->asset)
			unite(m, count, p->ties[i].a, p->ties[i].b);
}

/* What nothing holds together any more becomes assets of its own; the founder's group keeps the old one. */
static void regroup(struct picture *p, struct asset *a)
{
	struct member *m = calloc(a->node_count, sizeof *m);
	size_t count = 0, kept = 0;

	if (!m)
		return;
	for (struct node *n = a->nodes; n; n = n->next)
		m[count++].node = n;
	qsort(m, count, sizeof *m, order_members);
	for (size_t i = 0; i < count; i++)
		m[i].group = i;
	find_groups(p, m, count);
	for (size_t i = 0; i < count; i++)
		if (m[i].node == a->founder)
			kept = group_of(m, i);
	for (size_t i = 0; i < count; i++) {
		size_t group = group_of(m, i);

		if (group == kept)
			continue;
		picture_leave(p, m[i].node);
		if (group != i) {
			picture_place(p, m[i].node, m[group].node->asset);
			continue;
		}
		picture_found(p, m[i].node, p->now_ns);
		tell_split(p, m[i].node, a->id, a->told);
	}
	free(m);
}

/* Gives those that stay behind an asset of their own, because the founder keeps the old one. */
static void part_from_founder(struct picture *p, struct asset *a, struct node *founder)
{
	struct asset *rest = NULL;
	struct node *others[NODE_BOUND + 1];
	unsigned count = 0;

	for (struct node *n = a->nodes; n; n = n->next)
		if (n != founder && count < NODE_BOUND + 1)
			others[count++] = n;
	/* The list is newest first; the eldest founds. */
	for (unsigned i = count; i-- > 0;) {
		picture_leave(p, others[i]);
		if (rest)
			picture_place(p, others[i], rest);
		else
			rest = picture_found(p, others[i], p->now_ns);
	}
	if (rest)
		tell_split(p, rest->founder, a->id, a->told);
}

/* Takes a node out of its asset, with what an analyst tied to it. */
static void set_apart(struct picture *p, struct node *n)
{
	struct asset *a = n->asset;

	if (a->node_count == 1)
		return;
	if (is_tied(p, a)) {
		regroup(p, a);
		return;
	}
	if (a->founder == n) {
		part_from_founder(p, a, n);
		return;
	}
	picture_leave(p, n);
	picture_found(p, n, p->now_ns);
	tell_split(p, n, a->id, a->told);
}

/* The elder asset stays. */
static void merge(struct picture *p, struct node *cause, struct node *other)
{
	if (cause->asset == other->asset)
		return;
	if (cause->asset->number < other->asset->number)
		picture_merge(p, cause->asset, other->asset, cause);
	else
		picture_merge(p, other->asset, cause->asset, cause);
}

static void join(struct picture *p, struct node *ip, struct node *mac)
{
	if (ip->asset && ip->asset == mac->asset)
		return;
	/* Whoever it was thought to be one with, it isn't any more. */
	if (ip->asset)
		set_apart(p, ip);
	if (ip->asset && mac->asset) {
		merge(p, ip, mac);
	} else if (ip->asset) {
		picture_place(p, mac, ip->asset);
	} else if (mac->asset) {
		picture_place(p, ip, mac->asset);
	} else if (link_between(ip, mac)->stated) {
		picture_found(p, mac, p->now_ns);
		picture_place(p, ip, mac->asset);
	} else {
		picture_found(p, ip, p->now_ns);
		picture_place(p, mac, ip->asset);
	}
}

/* Puts an IP node where it belongs now. */
static void settle(struct picture *p, struct node *ip)
{
	struct node *parent = binding_parent(ip);

	if (parent)
		join(p, ip, parent);
	else if (!ip->asset)
		picture_found(p, ip, p->now_ns);
	else
		set_apart(p, ip);
}

/* Analysts */

bool binding_tie(struct picture *p, struct node *a, struct node *b)
{
	if (p->tie_count >= PICTURE_TIES || !array_room(&p->ties, &p->tie_room, p->tie_count, sizeof *p->ties))
		return false;
	p->ties[p->tie_count++] = (struct tie){ a, b };
	merge(p, a, b);
	return true;
}

void binding_untie(struct picture *p, struct node *a, struct node *b)
{
	for (size_t i = 0; i < p->tie_count; i++)
		if (p->ties[i].a == a && p->ties[i].b == b) {
			p->ties[i] = p->ties[--p->tie_count];
			break;
		}
	regroup(p, a->asset);
}

void binding_apart(struct picture *p, struct node *n, bool apart)
{
	n->flags = (uint8_t)((n->flags & ~NODE_APART) | (apart ? NODE_APART : 0));
	picture_change(p, n);
	if (n->family)
		settle(p, n);
	for (unsigned i = 0; !n->family && i < n->bound_count; i++)
		if (n->bound[i]->asset)
			settle(p, n->bound[i]);
}

/* Links */

/* What the addresses linked to a MAC say of it. */
static void evaluate_mac(struct node *mac, int64_t now)
{
	unsigned framed4 = 0, unstated4 = 0, stated4 = 0, unstated6 = 0, prefixes = 0;
	const uint8_t *seen[PREFIXES_MOST + 1];
	bool was_router = mac->flags & NODE_ROUTER, router;

	for (unsigned i = 0; i < mac->bound_count; i++) {
		const struct node *ip = mac->bound[i];
		const struct link *l = link_between(ip, mac);
		unsigned k = 0;

		if (!l || local(ip) || (!was_router && now - l->last_ns > TOGETHER_NS))
			continue;
		if (ip->family == 4) {
			framed4 += l->framed;
			unstated4 += !l->stated;
			stated4 += l->stated;
			continue;
		}
		unstated6 += !l->stated;
		while (k < prefixes && memcmp(seen[k], ip->address, 8) != 0)
			k++;
		if (!l->stated && k == prefixes && prefixes <= PREFIXES_MOST)
			seen[prefixes++] = ip->address;
	}
	router = (framed4 > 1 && unstated4 > 0) || unstated6 > TEMPORARY_MOST || prefixes > PREFIXES_MOST;
	mac->flags = (uint8_t)((mac->flags & ~NODE_ROUTER) | (router ? NODE_ROUTER : 0));
	if (stated4 > STATED_MOST)
		mac->flags |= NODE_PROXY;
}

static bool bind_to(struct node *mac, struct node *ip)
{
	if (mac->bound_count >= NODE_BOUND)
		return false;
	if (mac->bound_count == mac->bound_room) {
		uint16_t room = mac->bound_room ? (uint16_t)(mac->bound_room * 2) : 2;
		struct node **grown = realloc(mac->bound, room * sizeof(struct node *));

		if (!grown)
			return false;
		mac->bound = grown;
		mac->bound_room = room;
	}
	mac->bound[mac->bound_count++] = ip;
	return true;
}

static struct link *add_link(struct node *ip, struct node *mac, int64_t now)
{
	struct link *l;

	if (ip->link_count == NODE_LINKS)
		return NULL;
	if (!ip->links && !(ip->links = calloc(NODE_LINKS, sizeof *ip->links)))
		return NULL;
	if (!bind_to(mac, ip))
		return NULL;
	l = &ip->links[ip->link_count++];
	*l = (struct link){ .mac = mac, .first_ns = now, .last_ns = now };
	return l;
}

void binding_restore(struct node *ip, struct node *mac, bool stated, bool framed, int64_t first_ns, int64_t last_ns)
{
	struct link *l = add_link(ip, mac, first_ns);

	if (l) {
		l->last_ns = last_ns;
		l->stated = stated;
		l->framed = framed;
	}
}

/* An address that another MAC had long ago has moved: the newer link decides from now on. */
static struct link *put_first(struct node *ip, struct link *l)
{
	struct link moved = *l;

	*l = ip->links[0];
	ip->links[0] = moved;
	return &ip->links[0];
}

/* Two MACs claim one address at the same time: both are kept, and people are told. */
static bool note_contest(struct picture *p, struct node *ip, struct node *mac, int64_t now, uint64_t frame)
{
	for (unsigned i = 0; i < ip->link_count; i++) {
		struct node *other = ip->links[i].mac;
		struct change *c;

		if (other == mac || !ip->links[i].stated || (other->flags & NODE_PROXY) ||
		    now - ip->links[i].last_ns > TOGETHER_NS)
			continue;
		ip->flags |= NODE_CONTESTED;
		p->counters.contests++;
		c = picture_tell(p, CHANGE_CONTEST, ip, 0, now, frame);
		if (c)
			c->other = mac;
		return true;
	}
	return false;
}

/* A known router's frames bind nothing; a few are kept, to see whether ARP proves them right. */
static bool worth_linking(const struct node *mac, bool stated)
{
	if (mac->flags & NODE_PROXY)
		return false;
	return stated || !(mac->flags & NODE_ROUTER) || mac->bound_count < WEAK_KEPT;
}

static void hear_link(struct picture *p, struct node *ip, struct node *mac, bool stated, bool framed, int64_t now, uint64_t frame)
{
	struct link *l = link_between(ip, mac);
	bool news = !l || (stated && !l->stated) || (framed && !l->framed);

	if (!l && worth_linking(mac, stated)) {
		l = add_link(ip, mac, now);
		p->counters.links_lost += !l;
	}
	if (!l)
		return;
	l->last_ns = now;
	if (!news)
		return;
	if (stated && !l->stated && !(mac->flags & NODE_PROXY) && !note_contest(p, ip, mac, now, frame))
		l = put_first(ip, l);
	l->stated |= stated;
	l->framed |= framed;
	picture_change(p, ip);
	evaluate_mac(mac, now);
	for (unsigned i = 0; i < mac->bound_count; i++)
		if (mac->bound[i]->asset)
			settle(p, mac->bound[i]);
}

static struct node *hear_mac(struct picture *p, const uint16_t vlan[2], const uint8_t mac[6], int64_t now, uint64_t frame)
{
	return mac_is_one(mac) && !mac_is_virtual(mac) ? picture_node(p, vlan, 0, mac, now, frame) : NULL;
}

/* Routed frames of two addresses make their MAC a forwarder, which says what it is but unbinds nothing. */
static void note_forwarding(struct picture *p, struct node *mac, struct node *ip)
{
	if (!mac->via)
		mac->via = ip;
	if (mac->via == ip || (mac->flags & NODE_FORWARDS))
		return;
	mac->flags |= NODE_FORWARDS;
	if (mac->asset)
		picture_change(p, mac);
}

static void refresh(struct picture *p, struct node *n, int64_t now)
{
	if (!n)
		return;
	if (now > n->last_ns)
		n->last_ns = now;
	picture_touch(p, n);
}

void binding_hear(struct picture *p, const uint16_t vlan[2], const struct endpoint *e, int64_t now, uint64_t frame,
		  struct node **ip, struct node **mac)
{
	bool stated = e->binding == BINDING_STATED, framed = e->binding == BINDING_FRAME;
	uint8_t own[6];
	struct node *maker = NULL;

	*ip = e->family && ip_is_one(e->family, e->ip) ? picture_node(p, vlan, e->family, e->ip, now, frame) : NULL;
	*mac = hear_mac(p, vlan, e->mac, now, frame);
	/* No router forwards a link-local address, so the frame that carried it is its own word. */
	if (*ip && framed && local(*ip))
		stated = true;
	if (*ip && *mac && (stated || framed))
		hear_link(p, *ip, *mac, stated, framed, now, frame);
	else if (*ip && *mac)
		note_forwarding(p, *mac, *ip);
	if (*ip && ip_eui64_mac(e->family, e->ip, own) && (maker = hear_mac(p, vlan, own, now, frame)) && maker != *mac)
		hear_link(p, *ip, maker, true, false, now, frame);
	if (*ip && !(*ip)->asset)
		settle(p, *ip);
	if (*mac && !(*mac)->asset)
		picture_found(p, *mac, now);
	if (maker && !maker->asset)
		picture_found(p, maker, now);
	refresh(p, *ip, now);
	refresh(p, *mac, now);
}
