/* Questions to the kernel by rtnetlink (rtnetlink(7)), each with its answer read at once. */
#include "active/prober/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_BYTES = 32768, WAIT_MS = 500, MACHINE_MAC = 6 };

struct question {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	};
	char attributes[64];
};

static void add_attribute(struct question *q, unsigned short type, const void *value, size_t len)
{
	struct rtattr *a = (struct rtattr *)(void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), value, len);
	q->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->head.nlmsg_len) + RTA_LENGTH(len));
}

static int family_of(const struct endpoint *e)
{
	return e->family == 6 ? AF_INET6 : AF_INET;
}

static size_t address_bytes(const struct endpoint *e)
{
	return e->family == 6 ? 16 : 4;
}

static bool own_mac(const char *interface, uint8_t mac[6])
{
	struct ifreq r = { .ifr_ifindex = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found;

	strncpy(r.ifr_name, interface, sizeof r.ifr_name - 1);
	found = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &r) == 0;
	if (found)
		memcpy(mac, r.ifr_hwaddr.sa_data, MACHINE_MAC);
	if (fd >= 0)
		close(fd);
	return found;
}

bool route_open(struct route *r, const char *interface)
{
	const struct timeval limit = { 0, WAIT_MS * 1000 };

	*r = (struct route){ .fd = -1, .interface = if_nametoindex(interface), .loopback = strcmp(interface, "lo") == 0 };
	if (!r->interface || !own_mac(interface, r->own_mac))
		return false;
	r->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return r->fd >= 0 && setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0;
}

/* Gets each message of the answer; false ends it. */
typedef bool see_answer(void *context, const struct nlmsghdr *m);

/* True when the answer came to its end without an error. */
static bool ask(struct route *r, struct question *q, see_answer *see, void *context)
{
	static _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	bool dump = (q->head.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	q->head.nlmsg_seq = ++r->sequence;
	if (sendto(r->fd, q, q->head.nlmsg_len, 0, NULL, 0) < 0)
		return false;
	for (;;) {
		ssize_t n = recv(r->fd, answer, sizeof answer, 0);
		size_t left = n > 0 ? (size_t)n : 0;

		if (n <= 0)
			return false;
		for (const struct nlmsghdr *m = (const struct nlmsghdr *)(void *)answer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_seq != r->sequence)
				continue; /* a late answer to an earlier question */
			if (m->nlmsg_type == NLMSG_DONE)
				return true;
			if (m->nlmsg_type == NLMSG_ERROR)
				return false;
			if (!see(context, m))
				return true;
			if (!dump)
				return true;
		}
	}
}

static const struct rtattr *find_attribute(const struct rtattr *a, size_t left, unsigned short type, size_t least)
{
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type && RTA_PAYLOAD(a) >= least)
			return a;
	return NULL;
}

static const struct rtattr *route_attribute(const struct nlmsghdr *m, unsigned short type, size_t least)
{
	return find_attribute(RTM_RTA((const struct rtmsg *)NLMSG_DATA(m)), RTM_PAYLOAD(m), type, least);
}

struct way {
	const struct endpoint *to;
	enum route_kind kind;
	unsigned interface;
};

/* True when all bits of an IPv4 address behind its network's are 0, or all 1: the network itself, or all of it. */
static bool is_end_of_network(const struct endpoint *e, unsigned network_bits)
{
	uint32_t address, hosts;

	if (e->family != 4 || network_bits == 0 || network_bits > 30)
		return false;
	memcpy(&address, e->ip, sizeof address);
	hosts = UINT32_MAX >> network_bits;
	return (ntohl(address) & hosts) == 0 || (ntohl(address) & hosts) == hosts;
}

static bool see_way(void *context, const struct nlmsghdr *m)
{
	const struct rtmsg *route = NLMSG_DATA(m);
	const struct rtattr *by;
	struct way *w = context;

	if (m->nlmsg_type != RTM_NEWROUTE)
		return true;
	switch (route->rtm_type) {
	case RTN_LOCAL:
		w->kind = ROUTE_OWN;
		break;
	case RTN_UNICAST:
		w->kind = route_attribute(m, RTA_GATEWAY, 4) || route_attribute(m, RTA_VIA, 4) ? ROUTE_ROUTED : ROUTE_DIRECT;
		if (w->kind == ROUTE_DIRECT && is_end_of_network(w->to, route->rtm_dst_len))
			w->kind = ROUTE_MANY;
		break;
	case RTN_BROADCAST:
	case RTN_MULTICAST:
	case RTN_ANYCAST:
		w->kind = ROUTE_MANY;
		break;
	default:
		w->kind = ROUTE_NONE;
	}
	by = route_attribute(m, RTA_OIF, sizeof w->interface);
	if (by)
		memcpy(&w->interface, RTA_DATA(by), sizeof w->interface);
	return false;
}

enum route_kind route_to(struct route *r, const struct endpoint *to, unsigned *leaves_by)
{
	struct question q = { .head = { NLMSG_LENGTH(sizeof q.route), RTM_GETROUTE, NLM_F_REQUEST, 0, 0 } };
	struct way w = { to, ROUTE_NONE, 0 };

	q.route.rtm_family = (unsigned char)family_of(to);
	q.route.rtm_dst_len = (unsigned char)(address_bytes(to) * 8);
	q.route.rtm_flags = RTM_F_FIB_MATCH; /* the route itself, with its length */
	add_attribute(&q, RTA_DST, to->ip, address_bytes(to));
	if (!ask(r, &q, see_way, &w))
		return ROUTE_NONE;
	*leaves_by = w.interface;
	return w.kind;
}

struct search {
	const struct endpoint *who;
	bool found;
};

static bool see_route(void *context, const struct nlmsghdr *m)
{
	struct search *s = context;
	const struct rtattr *a = route_attribute(m, RTA_GATEWAY, address_bytes(s->who));

	s->found |= a && memcmp(RTA_DATA(a), s->who->ip, address_bytes(s->who)) == 0;
	return true;
}

bool route_is_gateway(struct route *r, const struct endpoint *who)
{
	struct question q = { .head = { NLMSG_LENGTH(sizeof q.route), RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 0, 0 } };
	struct search s = { who, false };

	q.route.rtm_family = (unsigned char)family_of(who);
	return !ask(r, &q, see_route, &s) || s.found;
}

struct finding_mac {
	bool found;
	uint8_t mac[6];
};

static bool see_neighbour(void *context, const struct nlmsghdr *m)
{
	const struct ndmsg *n = NLMSG_DATA(m);
	const struct rtattr *a = find_attribute((const struct rtattr *)(const void *)((const char *)n + NLMSG_ALIGN(sizeof *n)),
	                                        NLMSG_PAYLOAD(m, sizeof *n), NDA_LLADDR, 6);
	struct finding_mac *f = context;

	if (m->nlmsg_type == RTM_NEWNEIGH && a && !(n->ndm_state & (NUD_INCOMPLETE | NUD_FAILED))) {
		memcpy(f->mac, RTA_DATA(a), 6);
		f->found = true;
	}
	return false;
}

bool route_neighbour(struct route *r, const struct endpoint *who, uint8_t mac[6])
{
	struct question q = { .head = { NLMSG_LENGTH(sizeof q.neighbour), RTM_GETNEIGH, NLM_F_REQUEST, 0, 0 } };
	struct finding_mac f = { .found = false };

	q.neighbour.ndm_family = (unsigned char)family_of(who);
	q.neighbour.ndm_ifindex = (int)r->interface;
	add_attribute(&q, NDA_DST, who->ip, address_bytes(who));
	if (!ask(r, &q, see_neighbour, &f) || !f.found)
		return false;
	memcpy(mac, f.mac, 6);
	return true;
}
