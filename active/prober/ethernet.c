/*
 * Frames of one ethertype on one interface. The kernel writes their headers: nothing here could name
 * another source or ethertype than the socket was opened for.
 */
#include "active/prober/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int find(const struct ethernet *e, uint16_t ethertype)
{
	for (unsigned i = 0; i < e->count; i++)
		if (e->sockets[i].ethertype == ethertype)
			return e->sockets[i].fd;
	return -1;
}

static int open_socket(uint16_t ethertype, unsigned interface)
{
	const int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
	                   SOF_TIMESTAMPING_OPT_TSONLY;
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ethertype), .sll_ifindex = (int)interface };
	int cause, fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); /* hears nothing until it is bound */

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

static bool add_socket(struct ethernet *e, uint16_t ethertype, unsigned interface)
{
	int fd;

	if (find(e, ethertype) >= 0)
		return true;
	if (e->count == ETHERNET_SOCKETS) {
		errno = EMFILE;
		return false;
	}
	fd = open_socket(ethertype, interface);
	if (fd < 0)
		return false;
	e->sockets[e->count].ethertype = ethertype;
	e->sockets[e->count++].fd = fd;
	return true;
}

bool ethernet_prepare(struct ethernet *e, const struct ruleset *rules, unsigned interface)
{
	e->count = 0;
	if (!add_socket(e, ETHERTYPE_OF_ARP, interface))
		return false;
	for (size_t i = 0; i < ruleset_count(rules); i++) {
		const struct rule *rule = ruleset_at(rules, i);

		if (rule->transport == TRANSPORT_ETHERNET && !add_socket(e, rule->ethertype, interface))
			return false;
	}
	return true;
}

/* What stations said to each other until now is no answer. */
static void empty(int fd)
{
	uint8_t nowhere[64];

	while (recv(fd, nowhere, sizeof nowhere, MSG_DONTWAIT) >= 0)
		;
}

int ethernet_listen(const struct ethernet *e, uint16_t ethertype)
{
	int fd = find(e, ethertype);

	if (fd >= 0)
		empty(fd);
	return fd;
}

int ethernet_open(struct line *l, const struct ethernet *e, const struct rule *rule, unsigned interface)
{
	static const uint8_t none[6];

	l->fd = ethernet_listen(e, rule->ethertype);
	if (l->fd < 0) {
		errno = EPERM;
		return -1;
	}
	l->ethertype = rule->ethertype;
	l->interface = interface;
	l->group = memcmp(rule->destination, none, sizeof none) != 0;
	memcpy(l->destination, l->group ? rule->destination : l->target.mac, sizeof l->destination);
	return 0;
}
