/*
 * The hub of `askance read`: one picture in memory, filled by engines that work off one file after
 * the other, printed when the command closes its end of FD_ORDERS. Progress and the end of each file
 * go to the command through FD_OUTCOMES, as struct report.
 */
#include "sensor/common/log.h"
#include "sensor/hub/address.h"
#include "sensor/hub/gather.h"
#include "sensor/hub/hub.h"
#include "sensor/hub/walls.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 1 << 20, RELEASE_EVERY = 256, HOLD_MS = 2, AHEAD = 12 };

/* Reports taken from the rings and not yet heard, so that the memory they need comes meanwhile. */
struct queue {
	struct report report[AHEAD];
	struct expected expected[AHEAD];
	unsigned first, count;
};

struct reading {
	const struct hub_config *config;
	struct intake intakes[CONFIG_ENGINES];
	struct gather gather;
	struct queue queue;
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

static void release_all(struct reading *h)
{
	for (unsigned i = 0; i < h->gather.count; i++)
		intake_release(&h->intakes[i]);
}

/* A finding without the room that its last text, the longest, leaves empty. */
static void copy_report(struct report *to, const struct report *from)
{
	size_t len = from->type == REPORT_FINDING ? offsetof(struct report, finding.value) + strlen(from->finding.value) + 1 : sizeof *from;

	memcpy(to, from, len);
}

static void add(struct reading *h, const struct report *report)
{
	struct queue *q = &h->queue;
	unsigned at = (q->first + q->count++) % AHEAD;

	copy_report(&q->report[at], report);
	q->expected[at].count = 0;
	if (report->type == REPORT_FINDING)
		picture_expect(&h->picture, &report->finding, &q->expected[at]);
}

static void hear_first(struct reading *h)
{
	struct queue *q = &h->queue;
	const struct report *report = &q->report[q->first];

	for (unsigned ahead = AHEAD / 4; ahead < q->count && ahead < AHEAD; ahead += AHEAD / 2)
		picture_fetch(&h->picture, &q->expected[(q->first + ahead) % AHEAD]);
	if (report->type == REPORT_FINDING)
		picture_hear(&h->picture, &report->finding, report->sent_from);
	else if (report->type != REPORT_COUNTERS && report->type != REPORT_PULSE)
		pass_on(report);
	q->first = (q->first + 1) % AHEAD;
	q->count--;
}

/* Everything that may be taken now. GATHER_BROKEN when an engine sent something wrong. */
static enum gather_result drain(struct reading *h)
{
	const struct report *report;
	enum gather_result result;
	unsigned taken = 0, from;

	while ((result = gather_next(&h->gather, &report, &from)) == GATHER_REPORT) {
		if (h->queue.count == AHEAD)
			hear_first(h);
		add(h, report);
		/* Now and then, because the other end reads the position. */
		if (++taken % RELEASE_EVERY == 0)
			intake_release(&h->intakes[from]);
	}
	while (h->queue.count > 0)
		hear_first(h);
	release_all(h);
	return result;
}

/* Until the command has closed FD_ORDERS and the rings are empty. An engine that comes further tells nobody of it: hence the limit. */
static bool listen_to_engines(struct reading *h)
{
	struct pollfd fds[CONFIG_ENGINES + 1] = { { .fd = FD_ORDERS, .events = POLLIN } };
	unsigned count = h->gather.count;

	for (unsigned i = 0; i < count; i++)
		fds[i + 1] = (struct pollfd){ .fd = records_of_engine(i) + 2, .events = POLLIN };
	for (;;) {
		enum gather_result result = drain(h);

		if (result == GATHER_BROKEN)
			return false;
		if (h->gather.hasty)
			return true;
		if (!gather_sleep(&h->gather))
			continue;
		if (poll(fds, count + 1, result == GATHER_WAIT ? HOLD_MS : -1) < 0 && errno != EINTR)
			return false;
		for (unsigned i = 0; i < count; i++)
			ring_woken(&h->intakes[i].ring);
		h->gather.hasty = fds[0].revents != 0;
	}
}

static bool open_rings(struct reading *h)
{
	h->gather = (struct gather){ .intakes = h->intakes, .count = h->config->engines };
	for (unsigned i = 0; i < h->gather.count; i++)
		if (ring_of_engine(&h->intakes[i].ring, i) < 0)
			return false;
	return true;
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
	if (!open_rings(&h)) {
		log_error("the findings rings could not be mapped");
		return EXIT_CONFIGURATION;
	}
	knowledge_load_to_read(&h.knowledge, config);
	picture_start(&h.picture, config->sensor, config->zone, config->max_assets);
	h.desk.knowledge = &h.knowledge;
	h.desk.picture = &h.picture;
	if (hub_walls(config) < 0)
		return EXIT_CONFIGURATION;
	if (!listen_to_engines(&h))
		return EXIT_WRONG_REPORT;
	knowledge_load_makers(&h.knowledge, config, &h.picture);
	well = print_assets(&h);
	if (!well)
		log_error("the picture could not be printed: %s", strerror(errno));
	tell_losses(&h.picture.counters);
	/* All that `h` holds is left to the end of the process, which gives it back sooner than free() does. */
	return well ? 0 : 1;
}
