/* Reads interfaces from getifaddrs(), which also brings the kernel's counters. */
#include "sensor/ctl/interfaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };

/* Of a link that is up; 0 when the driver doesn't say, or in a container that sees another machine's /sys. */
static int read_speed(const char *name)
{
	char path[64];
	int speed = 0;
	FILE *f;

	snprintf(path, sizeof path, "/sys/class/net/%s/speed", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%d", &speed) != 1)
		speed = 0;
	fclose(f);
	return speed;
}

static void read_link(struct interface_seen *i, unsigned flags)
{
	int speed = read_speed(i->name);

	i->has_link = (flags & IFF_UP) && (flags & IFF_RUNNING);
	if (!(flags & IFF_UP))
		snprintf(i->link, sizeof i->link, "down");
	else if (!i->has_link)
		snprintf(i->link, sizeof i->link, "no carrier");
	else if (speed > 0)
		snprintf(i->link, sizeof i->link, "%d Mbit/s", speed);
	else
		snprintf(i->link, sizeof i->link, "up");
}

/* An address that every interface gives itself says nothing of what it is used for. */
static void read_address(struct interface_seen *i, const struct sockaddr *a)
{
	const struct sockaddr_in6 *six = (const void *)a;
	const struct sockaddr_in *four = (const void *)a;

	if (a->sa_family == AF_INET)
		inet_ntop(AF_INET, &four->sin_addr, i->address, sizeof i->address);
	else if (a->sa_family == AF_INET6 && !i->address[0] && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
		inet_ntop(AF_INET6, &six->sin6_addr, i->address, sizeof i->address);
}

static struct interface_seen *take_name(struct interfaces *all, const char *name)
{
	struct interface_seen *i = (struct interface_seen *)interfaces_find(all, name);

	if (i || all->count == INTERFACES_MOST || strlen(name) >= sizeof i->name)
		return i;
	i = &all->one[all->count++];
	*i = (struct interface_seen){ .counted = false };
	strcpy(i->name, name);
	return i;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct interface_seen *)a)->name, ((const struct interface_seen *)b)->name);
}

int interfaces_list(struct interfaces *all)
{
	struct ifaddrs *first;

	all->count = 0;
	if (getifaddrs(&first) < 0)
		return -1;
	for (struct ifaddrs *a = first; a; a = a->ifa_next) {
		struct interface_seen *i = a->ifa_flags & IFF_LOOPBACK ? NULL : take_name(all, a->ifa_name);

		if (!i)
			continue;
		if (!i->link[0])
			read_link(i, a->ifa_flags);
		if (a->ifa_addr)
			read_address(i, a->ifa_addr);
	}
	freeifaddrs(first);
	qsort(all->one, all->count, sizeof all->one[0], by_name);
	return 0;
}

const struct interface_seen *interfaces_find(const struct interfaces *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->one[i].name, name) == 0)
			return &all->one[i];
	return NULL;
}

/* A socket of no protocol: it is given no frame. Its memberships end with it. */
static int open_ears(const struct interfaces *all)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < all->count; i++) {
		struct packet_mreq m = { .mr_type = PACKET_MR_PROMISC };

		m.mr_ifindex = (int)if_nametoindex(all->one[i].name);
		if (all->one[i].has_link && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m) < 0 && errno == EPERM) {
			close(fd);
			errno = EPERM;
			return -1;
		}
	}
	return fd;
}

/* Received frames of each; those of an interface that is gone stay 0. False when the kernel doesn't tell. */
static bool read_counters(const struct interfaces *all, uint32_t frames[INTERFACES_MOST])
{
	struct ifaddrs *first;

	memset(frames, 0, INTERFACES_MOST * sizeof *frames);
	if (getifaddrs(&first) < 0)
		return false;
	for (struct ifaddrs *a = first; a; a = a->ifa_next) {
		const struct interface_seen *i = interfaces_find(all, a->ifa_name);
		const struct rtnl_link_stats *stats = a->ifa_data;

		if (i && stats && a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET)
			frames[i - all->one] = stats->rx_packets;
	}
	freeifaddrs(first);
	return true;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool interfaces_count(struct interfaces *all, unsigned milliseconds)
{
	struct timespec wait = { milliseconds / MS_PER_S, milliseconds % MS_PER_S * NS_PER_MS };
	int ears = open_ears(all), cause = errno;
	uint32_t before[INTERFACES_MOST], after[INTERFACES_MOST];
	double begin = now_s();
	bool counted = read_counters(all, before);

	nanosleep(&wait, NULL);
	counted = counted && read_counters(all, after);
	for (size_t i = 0; counted && i < all->count; i++) {
		all->one[i].counted = true;
		all->one[i].frames_a_second = (uint32_t)(after[i] - before[i]) / (now_s() - begin);
	}
	if (ears >= 0)
		close(ears);
	errno = cause;
	return ears >= 0;
}
