/* The interface for pages: what each path answers. */
#include "sensor/console/command.h"
#include "sensor/console/console.h"
#include "sensor/console/fleet_answer.h"
#include "sensor/console/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_MOST = 500, HEALTH_MOST = 720, MINUTES_MOST = 360, MINUTE_S = 60, HEALTH_S = 10 };

/* A text that is written piece by piece. */
struct draft {
	FILE *to;
	char *text;
	size_t len;
};

static bool draft_open(struct draft *d)
{
	*d = (struct draft){ NULL, NULL, 0 };
	d->to = open_memstream(&d->text, &d->len);
	return d->to != NULL;
}

static void answer_draft(struct request *r, struct draft *d)
{
	bool well = !ferror(d->to);

	if (fclose(d->to) == 0 && well) {
		request_answer(r, answer_json(MHD_HTTP_OK, d->text, d->len, r->gzip));
		return;
	}
	free(d->text);
	request_answer(r, (struct answer){ NULL, 0 });
}

static void handle_about(struct request *r)
{
	enum redis_state state = sensor_state(r->sensor);
	json_t *names = json_array(), *about;
	char *text;

	for (unsigned i = 0; i < console_sensor_count(); i++)
		json_array_append_new(names, json_string(console_sensor(i)->name));
	about = json_pack("{s:s,s:o,s:s,s:b,s:s,s:s,s:s}", "version", ASKANCE_VERSION, "sensors", names, "sensor", r->sensor->name, "writable",
			  (int)r->sensor->writable, "user", r->who, "redis", redis_state_name(state), "advice", redis_state_advice(state));
	text = about ? json_dumps(about, JSON_COMPACT) : NULL;
	json_decref(about);
	request_answer(r, answer_json(MHD_HTTP_OK, text, text ? strlen(text) : 0, r->gzip));
}

static void handle_assets(struct request *r)
{
	const char *since = request_argument(r, "since");
	char *end = NULL;
	long long revision = since ? strtoll(since, &end, 10) : 0;
	struct draft d;

	if (since && (end == since || *end || revision < 0)) {
		request_answer(r, answer_error(MHD_HTTP_BAD_REQUEST, "since must be the cursor of an earlier answer"));
	} else if (draft_open(&d)) {
		assets_print(&r->sensor->assets, revision, r->sensor->loading, d.to);
		answer_draft(r, &d);
	} else {
		request_answer(r, (struct answer){ NULL, 0 });
	}
}

static void handle_gaps(struct request *r)
{
	struct draft d;

	if (!draft_open(&d)) {
		request_answer(r, (struct answer){ NULL, 0 });
		return;
	}
	assets_print_gaps(&r->sensor->assets, d.to);
	answer_draft(r, &d);
}

/* A reply's documents, as they are where they are JSON. */
static void print_documents(FILE *to, const redisReply *reply)
{
	const char *comma = "";

	for (size_t i = 1; i < reply->elements; i += 2) {
		const redisReply *body = reply->element[i];
		json_t *document = body->type == REDIS_REPLY_STRING ? json_loadb(body->str, (size_t)body->len, 0, NULL) : NULL;

		if (document) {
			fputs(comma, to);
			fwrite(body->str, 1, (size_t)body->len, to);
			comma = ",";
		}
		json_decref(document);
	}
}

static void take_proposals(void *who, const redisReply *reply)
{
	struct request *r = who;
	struct draft d;

	if (!reply || reply->type != REDIS_REPLY_ARRAY) {
		request_answer(r, request_no_redis(r, reply));
	} else if (draft_open(&d)) {
		fputs("{\"proposals\":[", d.to);
		print_documents(d.to, reply);
		fputs("]}", d.to);
		answer_draft(r, &d);
	} else {
		request_answer(r, (struct answer){ NULL, 0 });
	}
}

static void handle_proposals(struct request *r)
{
	const char *argv[] = { "HGETALL", r->sensor->proposals_key };

	request_ask(r, take_proposals, r, 2, argv, NULL);
}

static void take_asset(void *who, const redisReply *reply)
{
	struct request *r = who;
	json_t *document = NULL;
	char *copy;

	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		request_answer(r, request_no_redis(r, reply));
		return;
	}
	if (reply->type == REDIS_REPLY_STRING)
		document = json_loadb(reply->str, (size_t)reply->len, 0, NULL);
	if (document) {
		copy = malloc((size_t)reply->len + 1);
		if (copy)
			memcpy(copy, reply->str, (size_t)reply->len);
		request_answer(r, answer_json(MHD_HTTP_OK, copy, (size_t)reply->len, r->gzip));
	} else {
		request_answer(r, answer_error(MHD_HTTP_NOT_FOUND, "the sensor knows no asset of this id; it may have become part of another"));
	}
	json_decref(document);
}

static void handle_asset(struct request *r)
{
	const char *id = request_argument(r, "id");
	char key[SENSOR_KEY_BYTES + ASSET_KEY_BYTES];
	const char *argv[] = { "HGET", key, "body" };

	if (!id || !asset_id_valid(id)) {
		request_answer(r, answer_error(MHD_HTTP_BAD_REQUEST, "id must be that of an asset"));
		return;
	}
	snprintf(key, sizeof key, "askance:{%s}:asset:%s", r->sensor->name, id);
	request_ask(r, take_asset, r, 3, argv, NULL);
}

static void print_newest(FILE *to, const struct journal *j, enum journal_row_name name)
{
	const struct journal_row *row = &j->row[name];

	for (uint64_t i = row->next; i > row->first && row->next - i < ANSWERS_MOST; i--) {
		const struct event *e = journal_at(j, name, i - 1);

		if (i != row->next)
			fputc(',', to);
		fwrite(e->body, 1, e->len, to);
	}
}

static void handle_probes(struct request *r)
{
	const struct journal *j = &r->sensor->journal;
	struct draft d;

	if (!draft_open(&d)) {
		request_answer(r, (struct answer){ NULL, 0 });
		return;
	}
	fputs("{\"probes\":[", d.to);
	print_newest(d.to, j, ROW_PROBES);
	fputs("],\"watch\":[", d.to);
	print_newest(d.to, j, ROW_WATCH);
	fputs("],\"commands\":[", d.to);
	print_newest(d.to, j, ROW_APPROVALS);
	fputs("]}", d.to);
	answer_draft(r, &d);
}

/* The last of the row, the newest among them always, and of many every second, third ... */
static void print_health(FILE *to, const struct journal *j, uint64_t most)
{
	const struct journal_row *row = &j->row[ROW_HEALTH];
	uint64_t count = row->next - row->first < most ? row->next - row->first : most;
	uint64_t step = (count + HEALTH_MOST - 1) / HEALTH_MOST;
	const char *comma = "";

	for (uint64_t left = count ? (count - 1) / step + 1 : 0; left > 0; left--) {
		const struct event *e = journal_at(j, ROW_HEALTH, row->next - 1 - (left - 1) * step);

		fputs(comma, to);
		fwrite(e->body, 1, e->len, to);
		comma = ",";
	}
}

static void handle_health(struct request *r)
{
	const char *text = request_argument(r, "minutes");
	char *end = NULL;
	long minutes = text ? strtol(text, &end, 10) : MINUTE_S;
	struct draft d;

	if ((text && (end == text || *end)) || minutes < 1 || minutes > MINUTES_MOST) {
		request_answer(r, answer_error(MHD_HTTP_BAD_REQUEST, "minutes must be 1 to %d", MINUTES_MOST));
	} else if (draft_open(&d)) {
		fputs("{\"health\":[", d.to);
		print_health(d.to, &r->sensor->journal, (uint64_t)minutes * MINUTE_S / HEALTH_S);
		fputs("]}", d.to);
		answer_draft(r, &d);
	} else {
		request_answer(r, (struct answer){ NULL, 0 });
	}
}

static void take_command(void *who, const redisReply *reply)
{
	struct request *r = who;
	size_t len = strlen(r->note);

	if (reply && reply->type == REDIS_REPLY_STRING) {
		char text[128];

		snprintf(text, sizeof text, "{\"id\":\"%.64s\"}", reply->str);
		snprintf(r->note + len, sizeof r->note - len, " as %.32s", reply->str);
		request_answer(r, answer_json(MHD_HTTP_ACCEPTED, strdup(text), strlen(text), false));
	} else if (reply && reply->type == REDIS_REPLY_ERROR && redis_state_of_error(reply->str) == REDIS_NOPERM) {
		request_answer(r, answer_error(MHD_HTTP_FORBIDDEN, "the console's user of Redis may not write commands: packaging/redis/console.acl has the rights"));
	} else {
		request_answer(r, request_no_redis(r, reply));
	}
}

/* What the browser signed goes on byte for byte: it is the sensor that checks the signature. */
static void handle_command(struct request *r)
{
	const char *type = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	const char *argv[] = { "XADD", r->sensor->commands_key, "*", "body", r->body };
	size_t lens[] = { 4, strlen(r->sensor->commands_key), 1, 4, r->body_len };
	char why[COMMAND_WHY_NOT_BYTES];

	if (!type || (strcasecmp(type, "application/json") != 0 && strncasecmp(type, "application/json;", 17) != 0))
		request_answer(r, answer_error(MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "a command is application/json"));
	else if (r->too_large || r->body_len > COMMAND_BODY_MOST)
		request_answer(r, answer_error(MHD_HTTP_CONTENT_TOO_LARGE, "a command has %d bytes at most", COMMAND_BODY_MOST));
	else if (!command_shape(r->body, r->body_len, r->note, sizeof r->note, why))
		request_answer(r, answer_error(MHD_HTTP_BAD_REQUEST, "%s", why));
	else
		request_ask(r, take_command, r, 5, argv, lens);
}

const struct route *route_find(const char *path)
{
	static const struct route routes[] = {
		{ "/api/about", false, handle_about },   { "/api/assets", false, handle_assets },   { "/api/asset", false, handle_asset },
		{ "/api/history", false, history_handle }, { "/api/gaps", false, handle_gaps },     { "/api/proposals", false, handle_proposals },
		{ "/api/probes", false, handle_probes }, { "/api/health", false, handle_health },   { "/api/events", false, live_handle },
		{ "/api/fleet", false, fleet_handle },   { "/api/command", true, handle_command },
	};

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}
