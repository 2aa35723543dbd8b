/*
 * The hub of `askance read`: one picture in memory, filled by engines that work off one file after
 * the other, printed when the command closes its end of FD_ORDERS. Progress and the end of each file
 * go to the command through FD_OUTCOMES, as struct report.
 */
#include "sensor/common/log.h"
#include "sensor/hub/address.h"
#include "sensor/hub/hub.h"
#include "sensor/hub/walls.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 1 << 20, RELEASE_EVERY = 256 };

struct reading {
	const struct hub_config *config;
	struct ring ring;
	struct picture picture;
	struct knowledge knowledge;
	struct desk desk;
	bool failed;
};

static void pass_on(const struct report *r)
{
	/* A command that no longer listens is about to end us. */
	if (write(FD_OUTCOMES, r, sizeof *r) < 0)
		return;
}

/* Everything that is in the ring now. False when an engine sent something wrong. */
static bool drain(struct reading *h)
{
	struct report report;
	enum ring_result result;
	unsigned taken = 0;

	while ((result = report_next(&h->ring, 0, &report)) == RING_OK) {
		if (report.type == REPORT_FINDING)
			picture_hear(&h->picture, &report.finding);
		else if (report.type != REPORT_COUNTERS && report.type != REPORT_PULSE)
			pass_on(&report);
		/* Now and then, because the other end reads the position. */
		if (++taken % RELEASE_EVERY == 0)
			ring_release(&h->ring);
	}
	ring_release(&h->ring);
	return result == RING_EMPTY;
}

/* Until the command has closed FD_ORDERS and the ring is empty. */
static bool listen_to_engines(struct reading *h)
{
	struct pollfd fds[] = { { .fd = FD_WAKE_IN, .events = POLLIN }, { .fd = FD_ORDERS, .events = POLLIN } };
	bool closed = false;

	for (;;) {
		if (!drain(h))
			return false;
		if (closed)
			return true;
		if (!ring_sleep(&h->ring))
			continue;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		ring_woken(&h->ring);
		closed = fds[1].revents != 0;
	}
}

/* Where an asset stands in the listing: its zone, then its first IP address, or its first MAC. */
struct place_in_list {
	const struct asset *asset;
	const struct node *node;
};

static const struct node *first_of(const struct asset *a)
{
	const struct node *first = NULL;

	for (const struct node *n = a->nodes; n; n = n->next) {
		/* 4 and 6 before 0: people look for IP addresses. */
		int d = first ? (n->family ? n->family : 9) - (first->family ? first->family : 9) : -1;

		if (d < 0 || (d == 0 && memcmp(n->address, first->address, sizeof n->address) < 0))
			first = n;
	}
	return first;
}

static int order_places(const void *x, const void *y)
{
	const struct node *a = ((const struct place_in_list *)x)->node, *b = ((const struct place_in_list *)y)->node;

	if (a->vlan[0] != b->vlan[0])
		return a->vlan[0] - b->vlan[0];
	if (a->vlan[1] != b->vlan[1])
		return a->vlan[1] - b->vlan[1];
	if (a->family != b->family)
		return (a->family ? a->family : 9) - (b->family ? b->family : 9);
	return memcmp(a->address, b->address, sizeof a->address);
}

static struct place_in_list *list_assets(const struct picture *p, size_t *count)
{
	struct place_in_list *list = malloc((p->assets ? p->assets : 1) * sizeof *list);

	*count = 0;
	for (size_t i = 0; list && i < p->id_room; i++)
		if (p->ids[i] && p->ids[i]->nodes)
			list[(*count)++] = (struct place_in_list){ p->ids[i], first_of(p->ids[i]) };
	if (list)
		qsort(list, *count, sizeof *list, order_places);
	return list;
}

/* One document a line. The numbers are those of the lines. */
static bool print_assets(struct reading *h)
{
	static char buffer[OUTPUT_BYTES];
	struct json line = { .text = NULL };
	size_t count;
	struct place_in_list *list = list_assets(&h->picture, &count);

	if (!list)
		return false;
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	for (size_t i = 0; i < count; i++) {
		struct subject s = desk_take(&h->desk, list[i].asset);

		document_asset(&h->desk.document, &s, ASSET_OBSERVED, NULL, h->desk.view.last_ns, true);
		document_number(&h->desk.document, h->picture.sensor, 0, (int64_t)i + 1, &line);
		fwrite(line.text, 1, line.len, stdout);
		putchar('\n');
	}
	free(list);
	json_free(&line);
	return fflush(stdout) == 0;
}

static void tell_losses(const struct picture_counters *c)
{
	uint64_t lost = c->attributes_lost + c->services_lost + c->speaks_lost + c->subassets_lost + c->talks_lost + c->texts_lost;

	if (c->assets_refused)
		log_warning("the picture was full: %llu findings were of assets that found no room", (unsigned long long)c->assets_refused);
	if (lost)
		log_warning("%llu findings did not fit beside what was known of their asset", (unsigned long long)lost);
}

int hub_read(const struct hub_config *config)
{
	static struct reading h;
	bool well;

	/* An interrupt from the keyboard is for the command, which then wants to hear what was learned. */
	signal(SIGINT, SIG_IGN);
	h.config = config;
	if (ring_of_engine(&h.ring, 0) < 0) {
		log_error("the findings ring could not be mapped");
		return EXIT_CONFIGURATION;
	}
	knowledge_load(&h.knowledge, config, false);
	picture_start(&h.picture, config->sensor, config->zone, config->max_assets);
	h.desk.knowledge = &h.knowledge;
	h.desk.picture = &h.picture;
	if (hub_walls(config) < 0)
		return EXIT_CONFIGURATION;
	if (!listen_to_engines(&h))
		return EXIT_WRONG_REPORT;
	well = print_assets(&h);
	if (!well)
		log_error("the picture could not be printed: %s", strerror(errno));
	tell_losses(&h.picture.counters);
	desk_free(&h.desk);
	picture_end(&h.picture);
	knowledge_free(&h.knowledge);
	ring_detach(&h.ring);
	return well ? 0 : 1;
}
