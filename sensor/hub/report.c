/* Reports of engines, which are not trusted: copied first, then checked in every field. */
#include "sensor/common/log.h"
#include "sensor/hub/hub.h"

#include "classifiers/finding/text.h"

#include <string.h>

int ring_of_engine(struct ring *r, unsigned i)
{
	int first = i == 0 ? FD_RECORDS_IN : FD_FIRST_FREE + 3 * ((int)i - 1);

	return ring_attach_consumer(r, first, first + 1, first + 2);
}

static bool progress_valid(const struct progress *p)
{
	return p->status <= END_UNREADABLE && text_is_clean(p->why, sizeof p->why);
}

static bool report_valid(const struct report *r)
{
	switch (r->type) {
	case REPORT_FINDING:
		return finding_valid(&r->finding);
	case REPORT_COUNTERS:
		return true;
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
