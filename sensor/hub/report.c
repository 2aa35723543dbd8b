/* Reports of engines, which are not trusted: copied first, then checked in every field. */
#include "sensor/common/log.h"
#include "sensor/hub/hub.h"

#include "classifiers/finding/text.h"

#include <string.h>

#define COUNTER_MOST (UINT64_C(1) << 53)

int ring_of_engine(struct ring *r, unsigned i)
{
	int first = i == 0 ? FD_RECORDS_IN : FD_FIRST_FREE + 3 * ((int)i - 1);

	return ring_attach_consumer(r, first, first + 1, first + 2);
}

static bool progress_valid(const struct progress *p)
{
	return p->status <= END_UNREADABLE && text_is_clean(p->why, sizeof p->why);
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
	       p->server.binding < BINDINGS && p->client.binding < BINDINGS && p->since_ns <= p->time_ns;
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

static bool report_valid(const struct report *r)
{
	switch (r->type) {
	case REPORT_FINDING:
		return finding_valid(&r->finding);
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
	if (len != sizeof *report) {
		log_error("engine %u: a report of %zu bytes where %zu belong; ending", engine, len, sizeof *report);
		return RING_BROKEN;
	}
	memcpy(report, record, sizeof *report);
	if (!report_valid(report)) {
		log_error("engine %u: a report (type %u) that no honest engine sends; ending", engine, report->type);
		return RING_BROKEN;
	}
	return RING_OK;
}
