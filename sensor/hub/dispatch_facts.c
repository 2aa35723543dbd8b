/* Looks the target up in the picture: heard when, contested by whom, serving what. */
#include "sensor/hub/dispatch_facts.h"

#include "sensor/hub/binding.h"

#include <string.h>

/* When MAC and address last sent something, if they still belong together; 0 when they don't, or only others spoke of them. */
static uint32_t heard_s(const struct picture *p, const struct approval *a, const struct node *ip)
{
	static const uint8_t none[6];
	bool has_mac = memcmp(a->target.mac, none, sizeof none) != 0;
	const struct node *parent = ip ? binding_parent(ip) : NULL, *mac;

	if (a->target.family && !ip)
		return 0;
	/* Behind a router there is no MAC of its own, and none may have appeared since. */
	if (!has_mac)
		return ip && !parent ? ip->heard_s : 0;
	mac = picture_find(p, a->vlan, 0, a->target.mac);
	if (!mac || (ip && parent != mac))
		return 0;
	return ip && ip->heard_s < mac->heard_s ? ip->heard_s : mac->heard_s;
}

static bool serves(const struct node *n, const struct approval *a, const struct rule *rule)
{
	const struct service_item *s = n->services.items;

	for (unsigned i = 0; i < n->services.count; i++) {
		if (s[i].transport != a->transport || (a->transport != TRANSPORT_ETHERNET && s[i].port != a->port))
			continue;
		if (rule_asks_service(rule, (enum transport)s[i].transport, s[i].protocol, s[i].evidence == EVIDENCE_STRUCTURE))
			return true;
	}
	return false;
}

void dispatch_facts(const struct picture *p, const struct proposal *x, const struct rule *rule, struct order *o)
{
	const struct approval *a = &x->a;
	const struct node *ip = a->target.family ? picture_find(p, a->vlan, a->target.family, a->target.ip) : NULL;
	const struct node *n = ip ? ip : picture_find(p, a->vlan, 0, a->target.mac);
	const uint8_t flags = n ? n->flags : 0;

	o->heard_s = heard_s(p, a, ip);
	o->conflict = (flags & NODE_CONTESTED) != 0;
	o->seen = n && serves(n, a, rule);
}
