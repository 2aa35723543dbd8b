/* The outbox's limits of time and size, and what is said when they are reached. */
#include "sensor/hub/bound.h"

#include "sensor/common/log.h"
#include "sensor/hub/merge.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* An entry from so far in the future was written by a clock that was wrong. */
enum { FUTURE_S = 86400 };

static struct {
	struct store *store;
	const struct hub_config *config;
	struct merge merge;
	bool merging, over, told;
} b;

void bound_start(struct store *s, const struct hub_config *config)
{
	memset(&b, 0, sizeof b);
	b.store = s;
	b.config = config;
	merge_start(&b.merge, s, config);
}

void bound_stop(void)
{
	merge_stop(&b.merge);
	memset(&b, 0, sizeof b);
}

static uint64_t limit_bytes(void)
{
	return (uint64_t)b.config->outbox_bytes_mib << 20;
}

static void trim(int64_t read)
{
	const int64_t second = INT64_C(1000000000);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	outbox_trim(b.store, read, (now.tv_sec - (int64_t)b.config->outbox_days * 86400) * second, (now.tv_sec + FUTURE_S) * second, limit_bytes());
}

static void tell(bool merging, bool over)
{
	if (merging && !b.told) {
		log_warning("the outbox is full (%u MiB) of events that a reader lacks: states that devices had meanwhile are merged; their last is told",
			    b.config->outbox_bytes_mib);
		b.told = true;
	}
	if (over && !b.over)
		log_error("the outbox is beyond its limit (%u MiB) with events that are never dropped: give it room, or its readers back",
			  b.config->outbox_bytes_mib);
	b.merging = merging;
	b.over = over;
}

/* Goes on until an eighth is free, so that it is not begun again with the next event. */
static void shrink(int64_t read, int64_t sent)
{
	struct outbox_size size;

	if (outbox_size(b.store, &size) < 0)
		return;
	if (size.bytes <= limit_bytes() && !b.merging) {
		b.over = false;
		return;
	}
	if (merge_some(&b.merge, (sent > read ? sent : read) + 1) < 0 || outbox_size(b.store, &size) < 0)
		return;
	tell(size.bytes > limit_bytes() / 8 * 7 && !(b.merge.done && size.bytes <= limit_bytes()), b.merge.done && size.bytes > limit_bytes());
}

bool bound_keep(int64_t read, int64_t sent, bool caught_up)
{
	trim(read);
	if (!caught_up) {
		shrink(read, sent);
		return false;
	}
	b.merging = b.over = b.told = false;
	return merge_repay(&b.merge) > 0;
}

static uint64_t file_bytes(const char *path, const char *ending)
{
	char whole[CONFIG_PATH_BYTES + 32];
	struct stat st;

	snprintf(whole, sizeof whole, "%s%s", path, ending);
	return stat(whole, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void bound_stats(struct bound_stats *stats)
{
	const char *path = sqlite3_db_filename(b.store->db, "main");

	stats->state = b.over ? "over" : b.merging ? "merging" : "well";
	stats->limit_bytes = limit_bytes();
	stats->disk_bytes = path ? file_bytes(path, "") + file_bytes(path, "-wal") : 0;
	stats->merged = b.merge.merged;
	stats->owed = b.merge.owes ? merge_debt(&b.merge) : 0;
}
