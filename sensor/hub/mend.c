/* Fills the holes that a damaged store left in the outbox. */
#include "sensor/hub/mend.h"

#include "sensor/common/log.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/sensor_document.h"
#include "sensor/hub/store.h"

#include <stdlib.h>
#include <string.h>

enum { HOLES_MOST = 4096 /* what is torn into more pieces has one event for several */ };

struct hole {
	int64_t first, last;
};

/* The lowest number that a row stands for. */
static int64_t first_of(sqlite3_stmt *row)
{
	const char *body = (const char *)sqlite3_column_text(row, 1), *first = body ? strstr(body, "\"delivery\":{\"first\":") : NULL;

	return first ? strtoll(first + strlen("\"delivery\":{\"first\":"), NULL, 10) : sqlite3_column_int64(row, 0);
}

static size_t find_holes(struct store *s, struct hole holes[HOLES_MOST])
{
	sqlite3_stmt *rows = store_prepare(s, "SELECT seq,CASE type WHEN '" OUTBOX_DELIVERY "' THEN body END FROM outbox ORDER BY seq");
	int64_t before = 0;
	size_t count = 0;

	while (count < HOLES_MOST && sqlite3_step(rows) == SQLITE_ROW) {
		/* What stood before the first row was trimmed. */
		if (before && first_of(rows) > before + 1)
			holes[count++] = (struct hole){ before + 1, first_of(rows) - 1 };
		before = sqlite3_column_int64(rows, 0);
	}
	sqlite3_finalize(rows);
	return count;
}

static int fill_hole(struct store *s, const struct hub_config *config, const struct hole *h)
{
	static const struct event_words words = EVENT_WORDS("alert", "host", "info", "events-lost", "askance.delivery");
	sqlite3_stmt *insert = store_prepare(s, "INSERT INTO outbox(seq,type,asset,body,at_ns) VALUES(?1,'" OUTBOX_DELIVERY "','',?2,"
						"(SELECT at_ns FROM outbox WHERE seq=?3))");
	struct json j = { 0 };
	int result;

	sensor_document_open(&j, config, &words, outbox_epoch(s), h->last);
	json_open(&j, "delivery", '{');
	json_number(&j, "first", h->first);
	json_number(&j, "last", h->last);
	json_close(&j, '}');
	sensor_document_close(&j);
	sqlite3_bind_int64(insert, 1, h->last);
	sqlite3_bind_text64(insert, 2, j.text, j.len, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_int64(insert, 3, h->first - 1);
	result = store_run(s, insert);
	sqlite3_finalize(insert);
	json_free(&j);
	return result;
}

int mend_outbox(struct store *s, const struct hub_config *config)
{
	static struct hole holes[HOLES_MOST];
	int64_t lost = 0;
	size_t count;

	if (store_meta(s, "salvaged", 0) == 0)
		return 0;
	count = find_holes(s, holes);
	if (store_begin(s) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		lost += holes[i].last - holes[i].first + 1;
		if (fill_hole(s, config, &holes[i]) < 0)
			goto failed;
	}
	if (store_set_meta(s, "salvaged", 0) < 0)
		goto failed;
	if (lost)
		log_error("%lld events could not be read in the damaged store: they are told as lost", (long long)lost);
	return store_commit(s);
failed:
	store_rollback(s);
	return -1;
}
