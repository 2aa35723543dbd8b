/*
 * A listener is a place in the journal. What it is to be told is written when its connection has room, so that a slow
 * one holds no memory: when its place has fallen out of the journal it is told to begin anew.
 *
 * While there is nothing to say the connection is suspended; news and the tick resume it.
 */
#include "sensor/console/live.h"

#include "sensor/console/request.h"
#include "sensor/console/server.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTENERS_MOST = 32, BLOCK_BYTES = 16 * 1024, COMMENT_S = 15, CHANGED_S = 1, LINE_BYTES = 256 };

struct listener {
	struct listener *next;
	struct MHD_Connection *connection;
	struct sensor *sensor;
	bool suspended, over;
	bool greeted;
	bool placed;             /* `at` is set */
	bool goes_on;            /* after `last` */
	struct event_id last;
	uint64_t at;
	unsigned generation;     /* of the journal that `at` is a place of */
	enum redis_state told;
	int64_t told_revision;
	unsigned since_changed_s, since_said_s;
	char *text;              /* being sent */
	size_t len, sent;
};

static struct listener *listeners;
static unsigned count;

/* Takes the place of the text before. */
__attribute__((format(printf, 2, 3)))
static bool say(struct listener *l, const char *format, ...)
{
	va_list args;
	int len;

	free(l->text);
	l->text = NULL;
	va_start(args, format);
	len = vasprintf(&l->text, format, args);
	va_end(args);
	if (len < 0)
		l->text = NULL;
	l->len = l->text ? (size_t)len : 0;
	l->sent = 0;
	l->since_said_s = 0;
	return l->len > 0;
}

static bool say_event(struct listener *l, const struct event *e)
{
	int head;

	free(l->text);
	l->text = malloc(LINE_BYTES + e->len);
	l->len = l->sent = 0;
	l->since_said_s = 0;
	if (!l->text)
		return false;
	head = snprintf(l->text, LINE_BYTES, "event: %s\nid: %" PRIu64 "-%" PRIu64 "\ndata: ", e->dataset, e->id.ms, e->id.seq);
	memcpy(l->text + head, e->body, e->len);
	memcpy(l->text + head + e->len, "\n\n", 2);
	l->len = (size_t)head + e->len + 2;
	return true;
}

static bool say_connection(struct listener *l)
{
	l->told = sensor_state(l->sensor);
	return say(l, "%sevent: connection\ndata: {\"redis\":\"%s\",\"advice\":\"%s\"}\n\n", l->greeted ? "" : ": here\n\n", redis_state_name(l->told),
		   redis_state_advice(l->told));
}

static bool say_reset(struct listener *l)
{
	const struct journal *j = &l->sensor->journal;

	l->at = j->row[ROW_RECENT].next;
	l->generation = j->generation;
	l->placed = true;
	l->goes_on = false;
	return say(l, "event: reset\ndata: {}\n\n");
}

/* Who went away and comes back goes on where it was, once enough of the past is read to know where that is. */
static bool place(struct listener *l)
{
	const struct journal *j = &l->sensor->journal;
	const struct journal_row *recent = &j->row[ROW_RECENT];

	if (!l->goes_on) {
		l->at = recent->next;
	} else if (!journal_find(j, &l->last, &l->at)) {
		if (!l->sensor->following || !l->sensor->filled)
			return false;
		return say_reset(l);
	}
	l->generation = j->generation;
	l->placed = true;
	return false;
}

/* What comes next; false when there is nothing. */
static bool speak(struct listener *l)
{
	const struct journal *j = &l->sensor->journal;
	const struct journal_row *recent = &j->row[ROW_RECENT];

	if (!l->greeted || l->told != sensor_state(l->sensor)) {
		bool said = say_connection(l);

		l->greeted = true;
		return said;
	}
	if (!l->placed && place(l))
		return true;
	if (l->placed && (l->generation != j->generation || l->at < recent->first))
		return say_reset(l);
	if (l->placed && l->at < recent->next)
		return say_event(l, journal_at(j, ROW_RECENT, l->at++));
	if (l->told_revision != l->sensor->assets.revision && l->since_changed_s >= CHANGED_S) {
		l->told_revision = l->sensor->assets.revision;
		l->since_changed_s = 0;
		return say(l, "event: changed\ndata: {\"cursor\":%" PRId64 "}\n\n", l->told_revision);
	}
	return l->since_said_s >= COMMENT_S && say(l, ": still here\n\n");
}

static ssize_t read_text(void *context, uint64_t position, char *buffer, size_t room)
{
	struct listener *l = context;
	size_t n;

	(void)position;
	if (l->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (l->sent == l->len && !speak(l)) {
		l->suspended = true;
		MHD_suspend_connection(l->connection);
		return 0;
	}
	n = l->len - l->sent < room ? l->len - l->sent : room;
	memcpy(buffer, l->text + l->sent, n);
	l->sent += n;
	return (ssize_t)n;
}

static void forget(void *context)
{
	struct listener *l = context;

	for (struct listener **at = &listeners; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			break;
		}
	count--;
	free(l->text);
	free(l);
}

static void wake(struct listener *l)
{
	if (!l->suspended)
		return;
	l->suspended = false;
	MHD_resume_connection(l->connection);
	server_kick();
}

void live_news(struct sensor *s)
{
	for (struct listener *l = listeners; l; l = l->next)
		if (l->sensor == s)
			wake(l);
}

void live_tick(void)
{
	for (struct listener *l = listeners; l; l = l->next) {
		l->since_changed_s++;
		l->since_said_s++;
		if (l->since_said_s >= COMMENT_S || l->told_revision != l->sensor->assets.revision)
			wake(l);
	}
}

void live_stop(void)
{
	for (struct listener *l = listeners; l; l = l->next) {
		l->over = true;
		wake(l);
	}
}

static struct listener *add(struct request *r)
{
	const char *last = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Last-Event-ID");
	struct listener *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	*l = (struct listener){ .next = listeners, .connection = r->connection, .sensor = r->sensor };
	l->told_revision = r->sensor->assets.revision;
	l->goes_on = last && event_id_read(&l->last, last);
	listeners = l;
	count++;
	return l;
}

void live_handle(struct request *r)
{
	struct listener *l = count < LISTENERS_MOST ? add(r) : NULL;
	struct answer a = { NULL, MHD_HTTP_OK };

	if (!l) {
		request_answer(r, answer_error(MHD_HTTP_SERVICE_UNAVAILABLE, "%d pages listen already", LISTENERS_MOST));
		return;
	}
	a.response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_text, l, forget);
	if (a.response) {
		answer_guard(a.response);
		MHD_add_response_header(a.response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream; charset=utf-8");
		MHD_add_response_header(a.response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
		r->stays = true;
	} else {
		forget(l);
	}
	request_answer(r, a);
}
