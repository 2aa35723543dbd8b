/*
 * Who answers for the target's address, before anything is sent to it: another device than the approved one is
 * told nothing, and gets neither a SYN nor a datagram.
 *
 * The kernel resolves an address only by sending what is to be sent, and whoever answers gets it; to have it
 * resolved without that takes CAP_NET_ADMIN. So where the kernel knows no MAC yet, one ARP request (RFC 826) is sent
 * over a packet socket that was opened before the walls, as the kernel's own would be, and all answers are waited for.
 *
 *   0        2        4   5   6        8            14           18           24           28
 *   +--------+--------+---+---+--------+------------+------------+------------+------------+
 *   | 1      | 0x0800 | 6 | 4 | 1 asks | sender MAC | sender IP  | target MAC | target IP  |
 *   +--------+--------+---+---+--------+------------+------------+------------+------------+
 *
 * For IPv6 this would take a neighbour solicitation and a socket that hears all of IPv6, which the prober shall not
 * have: there the kernel's word counts where it has one, and is looked at again before each message.
 */
#include "active/prober/run_state.h"

#include "sensor/common/message.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ARP_BYTES = 28, ASKS = 1, SENDER_MAC_AT = 8, SENDER_IP_AT = 14, TARGET_IP_AT = 24,
	SILENCE_MS = 800, /* as long as a connection is waited for */
	MORE_MS = 200,    /* after an answer: two devices with one address both answer */
};

static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0 };

static bool is_right(struct run *r, const uint8_t mac[6])
{
	if (memcmp(mac, r->a->target.mac, 6) == 0)
		return true;
	snprintf(r->why, sizeof r->why, "%02x:%02x:%02x:%02x:%02x:%02x answers for the target's address", mac[0], mac[1], mac[2], mac[3],
	         mac[4], mac[5]);
	return false;
}

/* On our own network; behind a router the target has no MAC, and frames on Ethernet itself are addressed to it. */
static bool has_neighbour(struct run *r)
{
	unsigned leaves_by;

	return r->line.transport != TRANSPORT_ETHERNET && !r->p->route.loopback &&
	       route_to(&r->p->route, &r->a->target, &leaves_by) == ROUTE_DIRECT;
}

bool run_right_neighbour(struct run *r)
{
	uint8_t mac[6];

	return !has_neighbour(r) || !route_neighbour(&r->p->route, &r->a->target, mac) || is_right(r, mac);
}

static bool send_request(const struct run *r, int fd)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_OF_ARP), .sll_ifindex = (int)r->line.interface,
	                          .sll_halen = 6 };
	uint8_t request[ARP_BYTES] = { 0 };

	memset(to.sll_addr, 0xff, 6);
	memcpy(request, head, sizeof head);
	request[sizeof head] = ASKS;
	memcpy(request + SENDER_MAC_AT, r->line.own.mac, 6);
	memcpy(request + SENDER_IP_AT, r->line.own.ip, 4);
	memcpy(request + TARGET_IP_AT, r->a->target.ip, 4);
	return sendto(fd, request, sizeof request, 0, (const struct sockaddr *)&to, sizeof to) == (ssize_t)sizeof request;
}

/* The next station that says it has the target's address; false when nobody does at the moment. */
static bool take_claim(const struct run *r, int fd, uint8_t mac[6])
{
	uint8_t said[ARP_BYTES];
	ssize_t n;

	while ((n = recv(fd, said, sizeof said, MSG_DONTWAIT)) >= 0) {
		if (n < ARP_BYTES || memcmp(said, head, sizeof head) != 0 || memcmp(said + SENDER_IP_AT, r->a->target.ip, 4) != 0)
			continue;
		memcpy(mac, said + SENDER_MAC_AT, 6);
		return true;
	}
	return false;
}

static enum probe_end hear_claims(struct run *r, int fd)
{
	int64_t until_ms = clock_ms() + SILENCE_MS, left;
	bool any = false;
	uint8_t mac[6];

	while ((left = until_ms - clock_ms()) > 0) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };

		if (run_must_end(r))
			return PROBE_ABORTED;
		poll(&ready, 1, (int)(left < WORD_LOOK_MS ? left : WORD_LOOK_MS));
		while (take_claim(r, fd, mac)) {
			if (!is_right(r, mac))
				return PROBE_ABORTED;
			if (!any)
				until_ms = clock_ms() + MORE_MS;
			any = true;
		}
	}
	if (any)
		return PROBE_COMPLETE;
	snprintf(r->why, sizeof r->why, "nobody answers for the target's address");
	return PROBE_NO_CONNECTION;
}

enum probe_end run_find_neighbour(struct run *r)
{
	uint8_t mac[6];
	int fd;

	if (!has_neighbour(r))
		return PROBE_COMPLETE;
	if (route_neighbour(&r->p->route, &r->a->target, mac))
		return is_right(r, mac) ? PROBE_COMPLETE : PROBE_ABORTED;
	if (r->a->target.family != 4)
		return PROBE_COMPLETE;
	fd = ethernet_listen(&r->p->ethernet, ETHERTYPE_OF_ARP);
	if (fd < 0 || !send_request(r, fd)) {
		snprintf(r->why, sizeof r->why, "it can't be told who answers for the target's address");
		return PROBE_ABORTED;
	}
	return hear_claims(r, fd);
}
