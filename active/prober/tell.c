/* Puts rebuilt frames into the ring. The engine may be behind or gone: then they are left out and counted. */
#include "active/prober/tell.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"

#include <string.h>
#include <unistd.h>

enum { LINKTYPE_ETHERNET = 1 };

void tell_open(struct tell *t)
{
	*t = (struct tell){ .lost = 0 };
	t->open = ring_attach_producer(&t->ring, FD_RECORDS_OUT, FD_TAIL_OUT, FD_WAKE_OUT) == 0;
	if (!t->open)
		return;
	close(FD_RECORDS_OUT);
	close(FD_TAIL_OUT);
}

/* Gets each rebuilt frame. */
static void put_frame(void *context, const uint8_t *frame, size_t len, int64_t time_ns)
{
	struct tell *t = context;
	struct frame_header *h = t->open ? ring_reserve(&t->ring, sizeof *h + len) : NULL;

	if (!h) {
		t->lost += t->open;
		return;
	}
	*h = (struct frame_header){ .time_ns = time_ns, .captured = (uint32_t)len, .length = (uint32_t)len, .linktype = LINKTYPE_ETHERNET };
	memcpy(h + 1, frame, len);
	ring_commit(&t->ring, sizeof *h + len);
}

static void show(struct tell *t)
{
	if (t->open)
		ring_publish(&t->ring);
}

void tell_start(struct tell *t, const struct line *l, const uint16_t vlan[2], int64_t time_ns)
{
	struct conversation *c = &t->talk;

	*c = (struct conversation){ .transport = l->transport, .family = l->target.family, .port = { l->own_port, l->port },
	                            .ethertype = l->ethertype, .see = put_frame, .context = t };
	memcpy(c->mac[0], l->own.mac, 6);
	memcpy(c->mac[1], l->target.mac, 6);
	memcpy(c->ip[0], l->own.ip, 16);
	memcpy(c->ip[1], l->target.ip, 16);
	memcpy(c->group, l->destination, 6);
	c->to_group = l->group;
	memcpy(c->vlan, vlan, sizeof c->vlan);
	rebuild_start(c, time_ns);
	show(t);
}

void tell_bytes(struct tell *t, bool sent, const uint8_t *bytes, size_t len, const struct line_news *news)
{
	if (!sent && news->port)
		t->talk.port[1] = news->port;
	if (!sent && t->talk.transport == TRANSPORT_ETHERNET)
		memcpy(t->talk.mac[1], news->mac, 6);
	rebuild_bytes(&t->talk, sent ? 0 : 1, bytes, len, news->time_ns);
	show(t);
}

void tell_end(struct tell *t, int64_t time_ns)
{
	rebuild_end(&t->talk, time_ns);
	if (t->lost)
		log_warning("%llu frames of a probe did not reach the engine, which is behind; the audit has them", (unsigned long long)t->lost);
	t->lost = 0;
	show(t);
}
