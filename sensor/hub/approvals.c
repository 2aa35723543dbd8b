/* Reads the stream of commands, and tells what is wrong with those that are not taken. */
#include "sensor/hub/approvals.h"

#include "classifiers/finding/text.h"
#include "sensor/common/log.h"
#include "sensor/hub/command_read.h"
#include "sensor/hub/publisher.h"
#include "sensor/redis/redis_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 100, BATCH_ENTRIES = 128, KEY_BYTES = 128, MINUTE_S = 60,
       TOLD_A_MINUTE = 20, TOLD_OF_ONE = 4, NAMED_A_MINUTE = 32,
       OVERSIZED_MOST = 9 /* the longest wait is 2 to this, in seconds */ };

static const char position_ms_key[] = "commands_ms", position_seq_key[] = "commands_seq";

static struct {
	struct proposals *proposals;
	struct analyst_facts *facts;
	const struct approvals_ears *ears; /* NULL with probing off: then facts alone are taken */
	uv_timer_t timer;
	struct redis_link *link;   /* NULL while there is no connection */
	int question;
	bool asking, told;
	char key[KEY_BYTES];
	uint64_t ms, seq;          /* of the last entry that was dealt with */
	uint64_t noted_ms, noted_seq;
	const char *spoken_key;    /* meta key and time of an analyst's command, noted with what it does */
	int64_t spoken_ms;
	const struct fact_step *step; /* stored with it; NULL when it states no fact */
	int64_t since_s;           /* begin of the minute whose refusals are counted: the first of them */
	unsigned refused;          /* in it */
	struct {
		char id[APPROVAL_ID_BYTES];
		unsigned refused;
	} named[NAMED_A_MINUTE];   /* proposals that refused commands named in it */
	uint64_t untold;
	unsigned oversized;        /* answers that were larger than any may be, since all was read */
	uint64_t again_ms;         /* not asked before, by the loop's clock */
} in;

static int note_position(struct store *s, void *context)
{
	(void)context;
	/* As in the stream: unsigned, kept as their bits. */
	if (store_set_meta(s, position_ms_key, (int64_t)in.ms) < 0 || store_set_meta(s, position_seq_key, (int64_t)in.seq) < 0)
		return -1;
	if (in.step && analyst_facts_store(in.facts, in.step) < 0)
		return -1;
	return in.spoken_key ? store_set_meta(s, in.spoken_key, in.spoken_ms) : 0;
}

/* Does it, with the position in the same transaction. */
static bool change(struct proposal *x, const struct proposal *to, enum proposal_event event, const struct proposal_note *note)
{
	if (proposals_change(in.proposals, x, to, event, note, note_position, NULL) < 0)
		return false;
	in.noted_ms = in.ms;
	in.noted_seq = in.seq;
	return true;
}

/* Each proposal alive has an allowance of its own, so that a flood does not take an analyst's answer away. */
static bool has_allowance(const char *id)
{
	const struct proposal *x = proposals_find(in.proposals, id);

	if (!x)
		return in.refused++ < TOLD_A_MINUTE;
	for (unsigned i = 0; i < NAMED_A_MINUTE; i++) {
		if (in.named[i].refused == 0)
			memcpy(in.named[i].id, x->a.id, sizeof in.named[i].id);
		if (strcmp(in.named[i].id, id) == 0)
			return in.named[i].refused++ < TOLD_OF_ONE;
	}
	return in.refused++ < TOLD_A_MINUTE;
}

/* Not by the clock's own minutes: at the turn of one, twice as many would be told at once. */
static bool minute_is_over(void)
{
	int64_t age_s = now_s() - in.since_s;

	return age_s < 0 || age_s >= MINUTE_S;
}

static void tell_untold(void)
{
	struct proposal_note note = { .command = "several", .reason = "more commands were refused than are told one by one", .count = in.untold };

	if (in.untold > 0 && minute_is_over() && change(NULL, NULL, TOLD_REFUSED, &note))
		in.untold = 0;
}

static void begin_minute(void)
{
	tell_untold(); /* a flood that never ends is told each minute all the same */
	in.since_s = now_s();
	in.refused = 0;
	memset(in.named, 0, sizeof in.named);
}

/* Whoever can write to the stream can write millions: so many are told in full, the rest in one event. */
static bool tell_refusal(const struct command_read *c, struct proposal *x, const char *reason)
{
	struct proposal_note note = { .command = c->name[0] ? c->name : "unreadable", .analyst = c->analyst[0] ? c->analyst : NULL,
				      .named = c->id[0] ? c->id : NULL, .reason = reason, .count = 1 };

	if (minute_is_over())
		begin_minute();
	if (!has_allowance(c->id)) {
		in.untold++;
		return true;
	}
	log_warning("a command was refused: %s", reason);
	return change(x, NULL, TOLD_REFUSED, &note);
}

/* The proposal that the command is about; a sentence in why when there is none. */
static struct proposal *find_open(const struct command_read *c, bool running_too, char *why)
{
	struct proposal *x = proposals_find(in.proposals, c->id);

	if (!x || x->unsaved)
		snprintf(why, PROPOSAL_REASON_BYTES, "no open proposal has this id: it is over, or never was");
	else if (x->status == PROPOSAL_RUNNING && !running_too)
		snprintf(why, PROPOSAL_REASON_BYTES, "it is being asked at this moment");
	else
		return x;
	return NULL;
}

/* Adds the signature, or a sentence. */
static bool sign(const struct command_read *c, const struct proposal *x, struct proposal *to, char *why)
{
	const struct rule *rule = proposal_rule(in.proposals, x);
	struct approval *a = &to->a;
	bool first = a->signatures == 0;

	if (x->status != PROPOSAL_OPEN)
		return snprintf(why, PROPOSAL_REASON_BYTES, "it has all signatures that it needs"), false;
	if (!rule)
		return snprintf(why, PROPOSAL_REASON_BYTES, "its rule has changed"), false;
	if (!first && (c->not_before_s != a->not_before_s || c->not_after_s != a->not_after_s || c->uses != a->uses))
		return snprintf(why, PROPOSAL_REASON_BYTES, "the times and uses are others than those of the first signature"), false;
	if (c->not_after_s <= now_s())
		return snprintf(why, PROPOSAL_REASON_BYTES, "its time is over"), false;
	if (a->signatures == APPROVAL_SIGNATURES)
		return snprintf(why, PROPOSAL_REASON_BYTES, "it has two signatures"), false;
	a->not_before_s = c->not_before_s;
	a->not_after_s = c->not_after_s;
	a->uses = c->uses;
	memcpy(a->signature[a->signatures].analyst, c->analyst, sizeof a->signature[0].analyst);
	memcpy(a->signature[a->signatures].bytes, c->signature, sizeof c->signature);
	a->signatures++;
	return policy_signed(in.proposals->knowledge->policy, rule, a, a->signatures, why);
}

static bool take_approve(const struct command_read *c)
{
	char why[PROPOSAL_REASON_BYTES] = "";
	struct proposal *x = find_open(c, true, why), to;
	struct proposal_note note = { .command = c->name, .analyst = c->analyst };

	if (!x)
		return tell_refusal(c, NULL, why);
	to = *x;
	if (!sign(c, x, &to, why))
		return tell_refusal(c, x, why);
	to.changed_s = now_s();
	if (to.a.signatures >= to.needed) {
		to.status = PROPOSAL_APPROVED;
		to.reason[0] = '\0';
	}
	return change(x, &to, TOLD_SIGNED, &note);
}

/* Who said it, and that it was said now and for the first time; a sentence otherwise. */
static bool is_fresh(const struct command_read *c, char key[KEY_BYTES], char *why)
{
	const struct policy *policy = in.proposals->knowledge->policy;
	uint8_t public_key[POLICY_KEY_BYTES];
	struct timespec now;
	int64_t now_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
	if (!policy_analyst(policy, c->analyst, public_key))
		return snprintf(why, PROPOSAL_REASON_BYTES, "analysts.yaml knows no '%s'", c->analyst), false;
	if (!command_verify(&c->command, public_key))
		return snprintf(why, PROPOSAL_REASON_BYTES, "the signature of '%s' does not fit", c->analyst), false;
	if (c->command.time_ms < now_ms - COMMAND_LATE_MS || c->command.time_ms > now_ms + COMMAND_EARLY_MS)
		return snprintf(why, PROPOSAL_REASON_BYTES, "it was signed too long ago, or the clocks differ"), false;
	snprintf(key, KEY_BYTES, "said:%s", c->analyst);
	if (c->command.time_ms <= store_meta(in.proposals->store, key, 0))
		return snprintf(why, PROPOSAL_REASON_BYTES, "it was taken before, or a later one was"), false;
	return true;
}

static bool take_end(const struct command_read *c, const struct proposal_note *note)
{
	bool deny = c->command.type == COMMAND_DENY;
	char why[PROPOSAL_REASON_BYTES] = "";
	struct proposal *x = find_open(c, !deny, why), to;
	const struct rule *rule = x ? proposal_rule(in.proposals, x) : NULL;
	uint64_t run;

	if (!x)
		return tell_refusal(c, NULL, why);
	if (rule && !policy_analyst_may(in.proposals->knowledge->policy, c->analyst, (enum risk)rule->risk, x->a.zone)) {
		snprintf(why, sizeof why, "'%s' may not decide on %s risk in zone %s", c->analyst, risk_name((enum risk)rule->risk), x->a.zone);
		return tell_refusal(c, x, why);
	}
	to = *x;
	run = x->order;
	to.status = deny ? PROPOSAL_DENIED : PROPOSAL_REVOKED;
	to.changed_s = now_s();
	snprintf(to.reason, sizeof to.reason, "%s", c->command.why);
	if (!change(x, &to, deny ? TOLD_DENIED : TOLD_REVOKED, note))
		return false;
	if (run)
		in.ears->abort_run(run);
	return true;
}

static bool take_stop(const struct proposal_note *note)
{
	/* First the deed, then the record: a store that refuses must not keep anything going. */
	in.ears->stop();
	return change(NULL, NULL, TOLD_STOPPED, note);
}

/* The least that an analyst may decide on in its zone: who may not even that has no say about its devices. */
static bool may_state(const struct command_read *c, const struct fact_step *step, char *why)
{
	char zone[128];

	picture_zone(in.proposals->picture, step->node, zone, sizeof zone);
	if (policy_analyst_may(in.proposals->knowledge->policy, c->analyst, RISK_LOW, zone))
		return true;
	snprintf(why, PROPOSAL_REASON_BYTES, "'%s' has no say in zone %s", c->analyst, zone);
	return false;
}

static bool take_fact(const struct command_read *c, struct proposal_note *note)
{
	char why[PROPOSAL_REASON_BYTES] = "";
	struct fact_step step;
	bool done;

	if (!analyst_facts_check(in.facts, &c->command, &step, why, sizeof why) || !may_state(c, &step, why))
		return tell_refusal(c, NULL, why);
	note->fact = in.step = &step;
	done = change(NULL, NULL, TOLD_STATED, note);
	note->fact = in.step = NULL;
	if (done)
		analyst_facts_apply(in.facts, &step);
	return done;
}

static bool take_signed(const struct command_read *c)
{
	struct proposal_note note = { .command = c->name, .analyst = c->analyst, .named = c->id[0] ? c->id : NULL,
				      .reason = c->command.why[0] ? c->command.why : NULL };
	char why[PROPOSAL_REASON_BYTES] = "", key[KEY_BYTES];
	bool done = false;

	if (!is_fresh(c, key, why))
		return tell_refusal(c, NULL, why);
	in.spoken_key = key;
	in.spoken_ms = c->command.time_ms;
	switch ((enum command_type)c->command.type) {
	case COMMAND_DENY:
	case COMMAND_REVOKE:
		done = take_end(c, &note);
		break;
	case COMMAND_STOP:
		done = take_stop(&note);
		break;
	case COMMAND_RESUME:
		done = change(NULL, NULL, TOLD_RESUMED, &note);
		if (done)
			in.ears->resume();
		break;
	case COMMAND_RELEASE:
		if (!in.ears->release)
			done = tell_refusal(c, NULL, "this sensor keeps no quarantine");
		else if (in.ears->release(c->id, c->analyst, why) < 0)
			done = tell_refusal(c, NULL, why);
		else
			done = change(NULL, NULL, TOLD_RELEASED, &note);
		break;
	case COMMAND_SET:
	case COMMAND_MERGE:
	case COMMAND_SPLIT:
	case COMMAND_ACCEPT:
	case COMMAND_IGNORE:
	case COMMAND_UNDO:
		done = take_fact(c, &note);
		break;
	case COMMAND_NONE:
	case COMMAND_TYPES:
		break;
	}
	in.spoken_key = NULL;
	return done;
}

static bool take_command(const char *body, size_t len)
{
	struct command_read c;
	char why[PROPOSAL_REASON_BYTES] = "";

	if (!command_read(&c, in.proposals->picture->sensor, body, len, why, sizeof why))
		return tell_refusal(&c, NULL, why);
	if (!in.proposals->knowledge->policy)
		return tell_refusal(&c, NULL, "no policy is loaded: nobody may approve anything");
	if (!in.ears && !command_is_fact((enum command_type)c.command.type))
		return tell_refusal(&c, NULL, "probing is off: this sensor only listens");
	if (c.approves)
		return take_approve(&c);
	if (c.command.type == COMMAND_STOP && !c.analyst[0])
		return take_stop(&(struct proposal_note){ .command = c.name });
	return take_signed(&c);
}

void approvals_take(const char *body, size_t len)
{
	take_command(body, len);
}

/* Redis's own form, "1700000000000-0". */
static bool read_id(const redisReply *r, uint64_t *ms, uint64_t *seq)
{
	return r->type == REDIS_REPLY_STRING && sscanf(r->str, "%" SCNu64 "-%" SCNu64, ms, seq) == 2;
}

/* False when the store refused: it is read again then. */
static bool take_entry(const redisReply *entry)
{
	uint64_t before_ms = in.ms, before_seq = in.seq, ms, seq;
	const redisReply *fields;
	bool done = false;

	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 || !read_id(entry->element[0], &ms, &seq))
		return true;
	in.ms = ms;
	in.seq = seq;
	fields = entry->element[1];
	for (size_t i = 0; fields->type == REDIS_REPLY_ARRAY && i + 1 < fields->elements && !done; i += 2)
		if (fields->element[i]->type == REDIS_REPLY_STRING && strcmp(fields->element[i]->str, "body") == 0 &&
		    fields->element[i + 1]->type == REDIS_REPLY_STRING) {
			if (!take_command(fields->element[i + 1]->str, (size_t)fields->element[i + 1]->len))
				goto failed;
			done = true;
		}
	if (done || tell_refusal(&(struct command_read){ .approves = false }, NULL, "the entry has no field 'body'"))
		return true;
failed:
	in.ms = before_ms;
	in.seq = before_seq;
	return false;
}

/* A store that refuses holds up approvals, and never a stop. */
static void look_for_stop(const redisReply *entry)
{
	const redisReply *fields = entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 ? entry->element[1] : NULL;
	struct command_read c;
	char why[PROPOSAL_REASON_BYTES];

	for (size_t i = 0; in.ears && fields && fields->type == REDIS_REPLY_ARRAY && i + 1 < fields->elements; i += 2)
		if (fields->element[i + 1]->type == REDIS_REPLY_STRING &&
		    command_read(&c, in.proposals->picture->sensor, fields->element[i + 1]->str, (size_t)fields->element[i + 1]->len, why, sizeof why) &&
		    c.command.type == COMMAND_STOP && !c.analyst[0])
			in.ears->stop();
}

static void note_rest(void)
{
	if (in.ms == in.noted_ms && in.seq == in.noted_seq)
		return;
	if (store_begin(in.proposals->store) < 0)
		return;
	if (note_position(in.proposals->store, NULL) < 0) {
		store_rollback(in.proposals->store);
		return;
	}
	if (store_commit(in.proposals->store) == 0) {
		in.noted_ms = in.ms;
		in.noted_seq = in.seq;
	}
}

static void ask(void);

/* After an answer that was too large one by one, until all are read: only the entry that is too large itself holds up the rest. */
static unsigned most_entries(void)
{
	return in.oversized ? 1 : BATCH_ENTRIES;
}

static void on_answer(const redisReply *reply)
{
	const redisReply *entries;
	size_t done = 0;

	in.asking = false;
	if (reply->type == REDIS_REPLY_ERROR) {
		if (!in.told)
			log_warning("Redis: commands can't be read: %s", reply->str);
		in.told = true;
		return;
	}
	if (reply->type == REDIS_REPLY_NIL)
		in.oversized = 0;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 || reply->element[0]->type != REDIS_REPLY_ARRAY ||
	    reply->element[0]->elements != 2)
		return;
	entries = reply->element[0]->element[1];
	if (entries->type != REDIS_REPLY_ARRAY)
		return;
	while (done < entries->elements && take_entry(entries->element[done]))
		done++;
	for (size_t i = done; i < entries->elements; i++)
		look_for_stop(entries->element[i]);
	note_rest();
	publisher_kick();
	/* Whoever floods the stream must not delay what stands behind. */
	if (done == most_entries())
		ask();
}

/* An entry that is too large costs the link: the events need it more often than not. */
static void put_off(uint64_t now_ms)
{
	if (++in.oversized == 2)
		log_error("Redis: an entry of %s after %" PRIu64 "-%" PRIu64 " is larger than any command: no command is read until it is removed (XDEL)",
			  in.key, in.ms, in.seq);
	in.again_ms = now_ms + (UINT64_C(1000) << (in.oversized < OVERSIZED_MOST ? in.oversized : OVERSIZED_MOST));
}

static void ask(void)
{
	char count[8], id[48];
	const char *argv[] = { "XREAD", "COUNT", count, "STREAMS", in.key, id };

	if (!in.link || in.asking || !redis_link_is_ready(in.link) || uv_now(in.link->loop) < in.again_ms)
		return;
	snprintf(count, sizeof count, "%u", most_entries());
	snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, in.ms, in.seq);
	in.asking = redis_link_ask(in.link, in.question, 6, argv, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	tell_untold();
	ask();
}

static void on_ready(struct redis_link *l, int question)
{
	in.link = l;
	in.question = question;
	in.asking = in.told = false;
}

static void on_down(void)
{
	if (in.link && in.asking && in.link->bound.over)
		put_off(uv_now(in.link->loop));
	in.link = NULL;
}

static void on_pump(void)
{
}

static const struct publisher_client client = { on_ready, on_down, on_pump, on_answer };

int approvals_start(uv_loop_t *loop, struct proposals *p, struct analyst_facts *facts, const char *sensor, const struct approvals_ears *ears)
{
	memset(&in, 0, sizeof in);
	in.proposals = p;
	in.facts = facts;
	in.ears = ears;
	snprintf(in.key, sizeof in.key, "askance:{%s}:cmd", sensor);
	in.ms = in.noted_ms = (uint64_t)store_meta(p->store, position_ms_key, 0);
	in.seq = in.noted_seq = (uint64_t)store_meta(p->store, position_seq_key, 0);
	publisher_join(&client);
	return uv_timer_init(loop, &in.timer) < 0 || uv_timer_start(&in.timer, on_timer, POLL_MS, POLL_MS) < 0 ? -1 : 0;
}

void approvals_stop(void)
{
	if (in.proposals)
		uv_close((uv_handle_t *)&in.timer, NULL);
	in.proposals = NULL;
	in.link = NULL;
}
