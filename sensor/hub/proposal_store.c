/* Proposals and runs on disk. The tables are described in store.h. */
#include "sensor/hub/proposal.h"

#include "sensor/common/log.h"
#include "sensor/common/time_range.h"
#include "sensor/hub/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS \
	"id,status,asset,kind,subject,lacks,needed,used,automatic,made_s,expires_s,changed_s,run,why,reason," \
	"vlan0,vlan1,mac,family,ip,transport,port,zone,class,maker,path,rule,rule_sha256,parameters,plan_sha256," \
	"not_before_s,not_after_s,uses,signer1,signature1,signer2,signature2"

enum { ALIVE_STATUSES = PROPOSAL_RUNNING };

struct proposal_sql {
	struct store *store;
	sqlite3_stmt *put, *forget, *refused, *drop, *run_put, *run_plan, *run_planned, *run_end, *run_next, *sum[3], *last_any, *last_rule;
};

struct proposal_sql *proposal_sql_open(struct store *s)
{
	struct proposal_sql *q = calloc(1, sizeof *q);

	if (!q)
		abort();
	q->store = s;
	q->put = store_prepare(s, "INSERT OR REPLACE INTO proposal(" COLUMNS ",body,version) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,"
				  "?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,?31,?32,?33,?34,?35,?36,?37,?38,"
				  "(SELECT ifnull(max(version),0)+1 FROM proposal))");
	/* Two steps: an empty body tells consumers that it is gone, and only what they were told of is deleted. */
	q->forget = store_prepare(s, "UPDATE proposal SET body=NULL,version=(SELECT max(version)+1 FROM proposal)"
				     " WHERE id=(SELECT id FROM proposal WHERE status>?1 AND changed_s<CASE WHEN status IN(?3,?4) THEN ?5 ELSE ?2 END"
				     " AND body IS NOT NULL LIMIT 1)");
	q->refused = store_prepare(s, "SELECT 1 FROM proposal WHERE status IN(?1,?2) AND asset=?3 AND kind=?4 AND subject=?5 AND rule_sha256=?6 AND changed_s>=?7");
	q->drop = store_prepare(s, "DELETE FROM proposal WHERE body IS NULL AND changed_s<?1");
	q->run_put = store_prepare(s, "INSERT INTO run(number,proposal,target,zone,rule,path,started_s,ended_s,sent,packets,bytes)"
				      " VALUES(?1,?2,?3,?4,?5,?6,?7,0,1,?8,?9)");
	q->run_plan = store_prepare(s, "UPDATE run SET planned=1,ended_s=0,sent=1 WHERE number=?1");
	q->run_planned = store_prepare(s, "SELECT planned FROM run WHERE number=?1");
	q->run_end = store_prepare(s, "UPDATE run SET ended_s=?2,sent=?3,packets=?4,bytes=?5 WHERE number=?1");
	q->run_next = store_prepare(s, "SELECT ifnull(max(number),0)+1 FROM run");
	q->sum[RUNS_TARGET] = store_prepare(s, "SELECT sum(packets),sum(bytes),count(*) FROM run WHERE sent=1 AND started_s>=?1 AND target=?2");
	q->sum[RUNS_ZONE] = store_prepare(s, "SELECT sum(packets),sum(bytes),count(*) FROM run WHERE sent=1 AND started_s>=?1 AND zone=?2");
	q->sum[RUNS_SENSOR] = store_prepare(s, "SELECT sum(packets),sum(bytes),count(*) FROM run WHERE sent=1 AND started_s>=?1 AND ?2=?2");
	q->last_any = store_prepare(s, "SELECT max(max(started_s,ended_s)) FROM run WHERE sent=1 AND target=?1");
	q->last_rule = store_prepare(s, "SELECT max(started_s) FROM run WHERE sent=1 AND target=?1 AND rule=?2 AND path=?3");
	return q;
}

void proposal_sql_close(struct proposal_sql *q)
{
	sqlite3_stmt *all[] = { q->put, q->forget, q->refused, q->drop, q->run_put, q->run_plan, q->run_planned, q->run_end, q->run_next, q->sum[0], q->sum[1], q->sum[2], q->last_any, q->last_rule };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		sqlite3_finalize(all[i]);
	free(q);
}

/* Binds values in the order of the call. */
struct binder {
	sqlite3_stmt *statement;
	int at;
};

static void number(struct binder *b, int64_t value)
{
	sqlite3_bind_int64(b->statement, ++b->at, value);
}

static void text(struct binder *b, const char *value)
{
	sqlite3_bind_text(b->statement, ++b->at, value, -1, SQLITE_TRANSIENT);
}

static void blob(struct binder *b, const void *value, size_t len)
{
	sqlite3_bind_blob64(b->statement, ++b->at, value, len, SQLITE_STATIC);
}

static void bind_lacks(struct binder *b, const struct proposal *x)
{
	char names[GAP_LACKS * 24] = "";
	size_t n = 0;

	for (size_t i = 0; i < x->lacks_count; i++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? "," : "", attribute_name((enum attribute)x->lacks[i]));
	text(b, names);
}

static void bind_signatures(struct binder *b, const struct approval *a)
{
	for (size_t i = 0; i < APPROVAL_SIGNATURES; i++) {
		text(b, a->signature[i].analyst);
		blob(b, a->signature[i].bytes, i < a->signatures ? sizeof a->signature[i].bytes : 0);
	}
}

static void bind_approval(struct binder *b, const struct approval *a)
{
	number(b, a->vlan[0]);
	number(b, a->vlan[1]);
	blob(b, a->target.mac, sizeof a->target.mac);
	number(b, a->target.family);
	blob(b, a->target.ip, address_bytes(a->target.family ? a->target.family : 4));
	number(b, a->transport);
	number(b, a->port);
	text(b, a->zone);
	text(b, a->device_class);
	text(b, a->maker);
	text(b, a->path);
	text(b, a->rule);
	blob(b, a->rule_sha256, sizeof a->rule_sha256);
	text(b, a->parameters);
	blob(b, a->plan_sha256, sizeof a->plan_sha256);
	number(b, a->not_before_s);
	number(b, a->not_after_s);
	number(b, a->uses);
	bind_signatures(b, a);
}

int proposal_sql_put(struct proposal_sql *q, const struct proposal *x, const char *body, size_t len)
{
	struct binder b = { q->put, 0 };

	text(&b, x->a.id);
	number(&b, x->status);
	text(&b, x->asset);
	text(&b, gap_kind_name((enum gap_kind)x->kind));
	text(&b, x->subject);
	bind_lacks(&b, x);
	number(&b, x->needed);
	number(&b, x->used);
	number(&b, x->automatic);
	number(&b, x->made_s);
	number(&b, x->expires_s);
	number(&b, x->changed_s);
	number(&b, (int64_t)x->order);
	text(&b, x->why);
	text(&b, x->reason);
	bind_approval(&b, &x->a);
	sqlite3_bind_text64(q->put, ++b.at, body, len, SQLITE_STATIC, SQLITE_UTF8);
	return store_run(q->store, q->put);
}

int proposal_sql_forget(struct proposal_sql *q, int64_t before_s)
{
	sqlite3_bind_int(q->forget, 1, ALIVE_STATUSES);
	sqlite3_bind_int64(q->forget, 2, before_s);
	/* An analyst's no is remembered longer: the gap would be proposed again else. */
	sqlite3_bind_int(q->forget, 3, PROPOSAL_DENIED);
	sqlite3_bind_int(q->forget, 4, PROPOSAL_REVOKED);
	sqlite3_bind_int64(q->forget, 5, before_s - PROPOSAL_REFUSED_S);
	if (store_run(q->store, q->forget) < 0)
		return -1;
	if (sqlite3_changes(q->store->db) > 0)
		return 1;
	sqlite3_bind_int64(q->drop, 1, before_s - PROPOSAL_KEEP_S);
	return store_run(q->store, q->drop);
}

bool proposal_sql_refused(struct proposal_sql *q, const struct proposal *x, int64_t since_s)
{
	struct binder b = { q->refused, 0 };
	bool found;

	number(&b, PROPOSAL_DENIED);
	number(&b, PROPOSAL_REVOKED);
	text(&b, x->asset);
	text(&b, gap_kind_name((enum gap_kind)x->kind));
	text(&b, x->subject);
	blob(&b, x->a.rule_sha256, sizeof x->a.rule_sha256);
	number(&b, since_s);
	found = sqlite3_step(b.statement) == SQLITE_ROW;
	sqlite3_reset(b.statement);
	return found;
}

/* Reads columns in order. */
struct columns {
	sqlite3_stmt *statement;
	int at;
	bool wrong; /* something does not fit */
};

static int64_t take_number(struct columns *c, int64_t most)
{
	int64_t value = sqlite3_column_int64(c->statement, c->at++);

	c->wrong |= value < 0 || value > most;
	return value;
}

static const char *take_text(struct columns *c, char *out, size_t room)
{
	const char *value = (const char *)sqlite3_column_text(c->statement, c->at++);

	if (!value || strlen(value) >= room) {
		c->wrong = true;
		return "";
	}
	memcpy(out, value, strlen(value) + 1);
	return out;
}

static void take_blob(struct columns *c, void *out, size_t least, size_t room)
{
	const void *value = sqlite3_column_blob(c->statement, c->at);
	size_t n = (size_t)sqlite3_column_bytes(c->statement, c->at++);

	if (n < least || n > room)
		c->wrong = true;
	else if (n)
		memcpy(out, value, n);
}

static void take_lacks(struct columns *c, struct proposal *x)
{
	char names[GAP_LACKS * 24] = "", *rest = names, *name;

	take_text(c, names, sizeof names);
	while ((name = strsep(&rest, ",")))
		if (attribute_of_name(name) != ATTR_NONE && x->lacks_count < GAP_LACKS)
			x->lacks[x->lacks_count++] = (uint8_t)attribute_of_name(name);
}

static void take_kind(struct columns *c, struct proposal *x)
{
	char name[32] = "";

	take_text(c, name, sizeof name);
	for (x->kind = 0; x->kind < GAP_KINDS && strcmp(gap_kind_name((enum gap_kind)x->kind), name) != 0;)
		x->kind++;
	c->wrong |= x->kind == GAP_KINDS;
}

static void take_approval(struct columns *c, struct approval *a)
{
	a->vlan[0] = (uint16_t)take_number(c, 4095);
	a->vlan[1] = (uint16_t)take_number(c, 4095);
	take_blob(c, a->target.mac, sizeof a->target.mac, sizeof a->target.mac);
	a->target.family = (uint8_t)take_number(c, 6);
	take_blob(c, a->target.ip, 0, sizeof a->target.ip);
	a->transport = (uint8_t)take_number(c, TRANSPORTS - 1);
	a->port = (uint16_t)take_number(c, UINT16_MAX);
	take_text(c, a->zone, sizeof a->zone);
	take_text(c, a->device_class, sizeof a->device_class);
	take_text(c, a->maker, sizeof a->maker);
	take_text(c, a->path, sizeof a->path);
	take_text(c, a->rule, sizeof a->rule);
	take_blob(c, a->rule_sha256, sizeof a->rule_sha256, sizeof a->rule_sha256);
	take_text(c, a->parameters, sizeof a->parameters);
	take_blob(c, a->plan_sha256, sizeof a->plan_sha256, sizeof a->plan_sha256);
	a->not_before_s = take_number(c, TIME_MOST_S);
	a->not_after_s = take_number(c, TIME_MOST_S);
	a->uses = (uint8_t)take_number(c, APPROVAL_USES);
	for (size_t i = 0; i < APPROVAL_SIGNATURES; i++) {
		take_text(c, a->signature[i].analyst, sizeof a->signature[i].analyst);
		take_blob(c, a->signature[i].bytes, 0, sizeof a->signature[i].bytes);
		a->signatures = (uint8_t)(a->signatures + (a->signature[i].analyst[0] != 0));
	}
}

static bool take_row(sqlite3_stmt *statement, struct proposal *x)
{
	struct columns c = { statement, 0, false };

	take_text(&c, x->a.id, sizeof x->a.id);
	x->status = (uint8_t)take_number(&c, PROPOSAL_STATUSES - 1);
	take_text(&c, x->asset, sizeof x->asset);
	take_kind(&c, x);
	take_text(&c, x->subject, sizeof x->subject);
	take_lacks(&c, x);
	x->needed = (uint8_t)take_number(&c, APPROVAL_SIGNATURES);
	x->used = (uint8_t)take_number(&c, UINT8_MAX);
	x->automatic = take_number(&c, 1);
	x->made_s = take_number(&c, TIME_MOST_S);
	x->expires_s = take_number(&c, TIME_MOST_S);
	x->changed_s = take_number(&c, TIME_MOST_S);
	x->order = (uint64_t)take_number(&c, INT64_MAX);
	take_text(&c, x->why, sizeof x->why);
	take_text(&c, x->reason, sizeof x->reason);
	take_approval(&c, &x->a);
	return !c.wrong;
}

/* Adds those that are in the rows. */
static int load_rows(sqlite3_stmt *rows, struct proposals *p)
{
	int result;

	while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
		struct proposal *x = calloc(1, sizeof *x);

		if (!x || !array_room(&p->items, &p->room, p->count, sizeof(struct proposal *)))
			abort();
		if (!take_row(rows, x)) {
			free(x);
			log_error("%s: a proposal in the store contradicts itself", sqlite3_db_filename(sqlite3_db_handle(rows), "main"));
			break;
		}
		snprintf(x->a.sensor, sizeof x->a.sensor, "%s", p->picture->sensor);
		p->items[p->count++] = x;
	}
	sqlite3_finalize(rows);
	return result == SQLITE_DONE ? 0 : -1;
}

int proposal_sql_load(struct proposal_sql *q, struct proposals *p)
{
	sqlite3_stmt *rows = store_prepare(q->store, "SELECT " COLUMNS " FROM proposal WHERE status<=?1 OR run!=0 ORDER BY made_s,id");

	sqlite3_bind_int(rows, 1, ALIVE_STATUSES);
	return load_rows(rows, p);
}

/* Of the run, unless all is told of it; empty when there is none. */
static void find_id(struct store *s, uint64_t run, char id[APPROVAL_ID_BYTES])
{
	sqlite3_stmt *row = store_prepare(s, "SELECT proposal FROM run WHERE number=?1 AND NOT(planned AND ended_s)");

	id[0] = '\0';
	sqlite3_bind_int64(row, 1, (int64_t)run);
	if (sqlite3_step(row) == SQLITE_ROW)
		snprintf(id, APPROVAL_ID_BYTES, "%s", (const char *)sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
}

struct proposal *proposals_recall(struct proposals *p, uint64_t run)
{
	char id[APPROVAL_ID_BYTES];
	size_t before = p->count;
	sqlite3_stmt *row;

	find_id(p->store, run, id);
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i]->a.id, id) == 0)
			return p->items[i];
	row = store_prepare(p->store, "SELECT " COLUMNS " FROM proposal WHERE id=?1");
	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
	load_rows(row, p);
	return p->count > before ? p->items[before] : NULL;
}

void run_target(const struct approval *a, char out[RUN_TARGET_BYTES])
{
	char mac[ADDRESS_TEXT_BYTES], ip[ADDRESS_TEXT_BYTES] = "";

	address_text(mac, 0, a->target.mac);
	if (a->target.family)
		address_text(ip, a->target.family, a->target.ip);
	/* What has an address is known by it: its MAC may be its router's. */
	snprintf(out, RUN_TARGET_BYTES, "%u.%u %s", a->vlan[0], a->vlan[1], ip[0] ? ip : mac);
}

uint64_t runs_next(struct proposal_sql *q)
{
	uint64_t next = 0;
	/* Above all numbers of the table and of every run before it, also of a store that was made anew. */
	int64_t given = store_meta(q->store, "run_given", 0), now = now_s() << 20;

	if (sqlite3_step(q->run_next) == SQLITE_ROW)
		next = (uint64_t)sqlite3_column_int64(q->run_next, 0);
	sqlite3_reset(q->run_next);
	if (next == 0)
		return 0;
	if (next <= (uint64_t)given)
		next = (uint64_t)given + 1;
	return next < (uint64_t)now ? (uint64_t)now : next;
}

int runs_begin(struct proposal_sql *q, uint64_t run, const struct proposal *x, const struct rule *rule, int64_t at_s)
{
	struct binder b = { q->run_put, 0 };
	char target[RUN_TARGET_BYTES];

	run_target(&x->a, target);
	number(&b, (int64_t)run);
	text(&b, x->a.id);
	text(&b, target);
	text(&b, x->a.zone);
	text(&b, x->a.rule);
	text(&b, x->a.path);
	number(&b, at_s);
	number(&b, rule->max_packets);
	number(&b, rule->max_bytes);
	return store_run(q->store, q->run_put) < 0 ? -1 : store_set_meta(q->store, "run_given", (int64_t)run);
}

int runs_plan(struct proposal_sql *q, uint64_t run)
{
	sqlite3_bind_int64(q->run_plan, 1, (int64_t)run);
	return store_run(q->store, q->run_plan);
}

bool runs_planned(struct proposal_sql *q, uint64_t run)
{
	bool planned;

	sqlite3_bind_int64(q->run_planned, 1, (int64_t)run);
	planned = sqlite3_step(q->run_planned) == SQLITE_ROW && sqlite3_column_int(q->run_planned, 0) != 0;
	sqlite3_reset(q->run_planned);
	return planned;
}

int runs_end(struct proposal_sql *q, uint64_t run, bool sent, uint32_t packets, uint32_t bytes, int64_t at_s)
{
	struct binder b = { q->run_end, 0 };

	number(&b, (int64_t)run);
	number(&b, at_s);
	number(&b, sent);
	number(&b, packets);
	number(&b, bytes);
	return store_run(q->store, q->run_end);
}

struct run_sum runs_since(struct proposal_sql *q, const struct proposal *x, enum run_scope scope, int64_t since_s)
{
	struct binder b = { q->sum[scope], 0 };
	struct run_sum sum = { 0, 0, 0 };
	char target[RUN_TARGET_BYTES];

	run_target(&x->a, target);
	number(&b, since_s);
	text(&b, scope == RUNS_ZONE ? x->a.zone : target);
	if (sqlite3_step(b.statement) == SQLITE_ROW)
		sum = (struct run_sum){ sqlite3_column_int64(b.statement, 0), sqlite3_column_int64(b.statement, 1),
					sqlite3_column_int64(b.statement, 2) };
	sqlite3_reset(b.statement);
	return sum;
}

int64_t runs_last(struct proposal_sql *q, const struct approval *a, const char *rule)
{
	struct binder b = { rule ? q->last_rule : q->last_any, 0 };
	char target[RUN_TARGET_BYTES];
	int64_t last = 0;

	run_target(a, target);
	text(&b, target);
	if (rule) {
		text(&b, rule);
		text(&b, a->path);
	}
	if (sqlite3_step(b.statement) == SQLITE_ROW)
		last = sqlite3_column_int64(b.statement, 0);
	sqlite3_reset(b.statement);
	return last;
}
