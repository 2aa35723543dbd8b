/* Reports of engines, which are not trusted: copied first, then checked in every field. */
#include "sensor/common/log.h"
#include "sensor/common/time_range.h"
#include "sensor/hub/hub.h"

#include "classifiers/finding/text.h"

#include <stddef.h>
#include <string.h>

#define COUNTER_MOST (UINT64_C(1) << 53)

int records_of_engine(unsigned i)
{
	return fd_of_ring(FD_RECORDS_IN, i);
}

int ring_of_engine(struct ring *r, unsigned i)
{
	int first = records_of_engine(i);

	return ring_attach_consumer(r, first, first + 1, first + 2);
}

static bool progress_valid(const struct progress *p)
{
	return p->status <= END_UNREADABLE && time_valid(p->first_ns) && time_valid(p->last_ns) && text_is_clean(p->why, sizeof p->why);
}

static bool pulse_valid(const struct pulse *p)
{
	size_t n = strnlen(p->protocol, sizeof p->protocol);

	for (size_t i = 0; i < n; i++)
		if (!((p->protocol[i] >= 'a' && p->protocol[i] <= 'z') || (p->protocol[i] >= '0' && p->protocol[i] <= '9') || p->protocol[i] == '_'))
			return false;
	return n > 0 && n < sizeof p->protocol && (p->why & ~PULSE_ALL) == 0 && p->why && p->reserved == 0 && p->vlan[0] <= 4095 &&
	       p->vlan[1] <= 4095 && p->transport > TRANSPORT_NONE && p->transport < TRANSPORTS &&
	       (p->server.family == 0 || p->server.family == 4 || p->server.family == 6) && (p->client.family == 0 || p->client.family == 4 || p->client.family == 6) &&
	       p->server.binding < BINDINGS && p->client.binding < BINDINGS && time_valid(p->since_ns) && time_valid(p->time_ns) && p->since_ns <= p->time_ns &&
	       time_valid(p->heard_ns[0]) && time_valid(p->heard_ns[1]);
}

/* Documents tell them as numbers, which are exact up to here. */
static bool counters_valid(const struct engine_counters *c)
{
	uint64_t count[sizeof *c / sizeof(uint64_t)];

	memcpy(count, c, sizeof count);
	for (size_t i = 0; i < sizeof count / sizeof *count; i++)
		if (count[i] > COUNTER_MOST)
			return false;
	return true;
}

static bool sender_valid(const struct report *r)
{
	return (r->sent_from & ~SENT_FROM_BOTH) == 0 && (!(r->sent_from & SENT_FROM_IP) || r->finding.subject.family);
}

bool report_valid(const struct report *r)
{
	if (r->type != REPORT_FINDING && r->sent_from)
		return false;
	switch (r->type) {
	case REPORT_FINDING:
		return finding_valid(&r->finding) && sender_valid(r) && time_valid(r->finding.time_ns);
	case REPORT_COUNTERS:
		return counters_valid(&r->counters);
	case REPORT_PULSE:
		return pulse_valid(&r->pulse);
	case REPORT_PROGRESS:
	case REPORT_END:
		return progress_valid(&r->progress);
	default:
		return false;
	}
}

/* The bytes are the hub's own by now. */
static bool length_valid(const struct report *r, size_t len)
{
	return len == sizeof *r ||
	       (r->type == REPORT_FINDING && len > offsetof(struct report, finding.value) && ((const char *)r)[len - 1] == 0);
}

enum ring_result report_next(struct ring *r, unsigned engine, struct report *report)
{
	const void *record;
	size_t len;
	enum ring_result result = ring_next(r, &record, &len);

	if (result == RING_EMPTY)
		return result;
	if (result != RING_OK) {
		log_error("engine %u: its ring holds positions that can't be; ending", engine);
		return RING_BROKEN;
	}
	if (len <= offsetof(struct report, finding) || len > sizeof *report) {
		log_error("engine %u: a report of %zu bytes, where up to %zu belong; ending", engine, len, sizeof *report);
		return RING_BROKEN;
	}
	memcpy(report, record, len);
	if (!length_valid(report, len) || !report_valid(report)) {
		log_error("engine %u: a report (type %u) that no honest engine sends; ending", engine, report->type);
		return RING_BROKEN;
	}
	return RING_OK;
}
