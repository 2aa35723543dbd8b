/*
 * The stream of commands, as Redis hands it over: what is asked of Redis, that answers of any shape do no harm, that each
 * entry counts once and the place in the stream is kept with what it caused; and what each command does or is refused for.
 *
 * The connection is played here: this file has the publisher's and the link's functions that approvals.c calls.
 */
#include "tests/unit/approvals_fixture.h"
#include "sensor/hub/publisher.h"
#include "sensor/redis/redis_link.h"

#include <sys/syscall.h>
#include <time.h>

enum { BATCH = 128, MINUTE_S = 60 };

static const struct publisher_client *client;
static struct redis_link link_played = { .loop = &hub.loop };
static bool link_ready = true, link_takes = true;
static unsigned asked, kicks;
static char asked_for[64];
enum { BEGIN_S = 1795327200 };
static int64_t time_s; /* since 1970, as it stands still for all of this */
static int64_t skipped_s; /* of the loop's clock */

/* In place of libc's: refusals are counted by the minute, however long a test takes, and nobody waits for minutes. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	int failed = (int)syscall(SYS_clock_gettime, id, t);

	if (!failed && id == CLOCK_REALTIME)
		*t = (struct timespec){ .tv_sec = time_s };
	else if (!failed)
		t->tv_sec += skipped_s;
	return failed;
}

void publisher_join(const struct publisher_client *c)
{
	client = c;
}

void publisher_kick(void)
{
	kicks++;
}

bool redis_link_is_ready(const struct redis_link *l)
{
	assert_ptr_equal(l, &link_played);
	return link_ready;
}

bool redis_link_ask(struct redis_link *l, int question, int argc, const char **argv, const size_t *lens)
{
	assert_ptr_equal(l, &link_played);
	assert_int_equal(question, 9);
	assert_int_equal(argc, 6);
	assert_null(lens);
	assert_string_equal(argv[0], "XREAD");
	assert_string_equal(argv[4], "askance:{plant-1}:cmd");
	snprintf(asked_for, sizeof asked_for, "%s %s %s %s", argv[1], argv[2], argv[3], argv[5]);
	asked++;
	return link_takes;
}

/* Until the timer has asked once more. */
static void wait_for_question(void)
{
	unsigned before = asked;

	while (asked == before)
		uv_run(&hub.loop, UV_RUN_ONCE);
}

/* Replies as hiredis makes them, out of one pool for each test. */
static redisReply pool[1024], *held[2048];
static size_t pooled, helds;

static redisReply *text(const char *s)
{
	redisReply *r = &pool[pooled++];

	memset(r, 0, sizeof *r);
	r->type = s ? REDIS_REPLY_STRING : REDIS_REPLY_NIL;
	r->str = (char *)(uintptr_t)s;
	r->len = s ? strlen(s) : 0;
	return r;
}

static redisReply *array(size_t n, redisReply **of)
{
	redisReply *r = text(NULL);

	r->type = REDIS_REPLY_ARRAY;
	r->elements = n;
	r->element = &held[helds];
	for (size_t i = 0; i < n; i++)
		held[helds++] = of[i];
	return r;
}

#define ARRAY(...) array(sizeof((redisReply *[]){ __VA_ARGS__ }) / sizeof(redisReply *), (redisReply *[]){ __VA_ARGS__ })
#define ENTRY(id, body) ARRAY(text(id), ARRAY(text("body"), text(body)))

static void answer(redisReply *entries)
{
	client->answer(ARRAY(ARRAY(text("askance:{plant-1}:cmd"), entries)));
	pooled = helds = 0;
}

static int begin(void **state)
{
	stops = resumes = aborts = asked = kicks = 0;
	time_s = BEGIN_S;
	link_ready = link_takes = true;
	pooled = helds = 0;
	return make_folder(state);
}

static void connect_stream(void)
{
	client->ready(&link_played, 9);
	wait_for_question();
}

static void test_asked(void **state)
{
	(void)state;
	/* Without a connection nothing is asked, nor with one that is not ready. */
	for (int i = 0; i < 3; i++)
		uv_run(&hub.loop, UV_RUN_ONCE);
	assert_int_equal(asked, 0);
	link_ready = false;
	client->ready(&link_played, 9);
	for (int i = 0; i < 3; i++)
		uv_run(&hub.loop, UV_RUN_ONCE);
	assert_int_equal(asked, 0);
	link_ready = true;
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 0-0");
	/* One question at a time, until the answer, or a new connection. */
	for (int i = 0; i < 3; i++)
		uv_run(&hub.loop, UV_RUN_ONCE);
	assert_int_equal(asked, 1);
	client->pump();
	client->down();
	for (int i = 0; i < 3; i++)
		uv_run(&hub.loop, UV_RUN_ONCE);
	assert_int_equal(asked, 1);
	link_takes = false;
	client->ready(&link_played, 9);
	wait_for_question();
	wait_for_question(); /* what the link did not take is asked again */
}

/* Whatever Redis says that is no list of entries changes nothing, and the question is put again. */
static void test_answers_of_no_use(void **state)
{
	redisReply *error;

	(void)state;
	connect_stream();
	for (int i = 0; i < 2; i++) {
		error = text("NOPERM this user has no permissions");
		error->type = REDIS_REPLY_ERROR;
		client->answer(error);
		wait_for_question();
	}
	client->answer(text(NULL));
	wait_for_question();
	client->answer(ARRAY(text("one"), text("two")));
	wait_for_question();
	client->answer(ARRAY(text("no list")));
	wait_for_question();
	client->answer(ARRAY(ARRAY(text("one alone"))));
	wait_for_question();
	client->answer(ARRAY(ARRAY(text("askance:{plant-1}:cmd"), text("no entries"))));
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 0-0");
	assert_int_equal(kicks, 0);
	assert_int_equal(events_with("\"action\""), 0);
}

/* Entries of any shape: what has an identity counts as read, what has no body is refused. */
static void test_entries(void **state)
{
	redisReply *id;

	(void)state;
	connect_stream();
	id = text("3-0");
	id->type = REDIS_REPLY_INTEGER;
	answer(ARRAY(text("no entry"), ARRAY(text("4-0")), ARRAY(id, text(NULL)), ARRAY(text("four"), text(NULL)), ARRAY(text("7"), text(NULL))));
	assert_int_equal(events_with("approval-refused"), 0);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 0-0");
	answer(ARRAY(ARRAY(text("5-1"), text("no fields")), ARRAY(text("5-2"), ARRAY(text("note"), text("{}"))),
		     ARRAY(text("5-3"), ARRAY(text("body"))), ARRAY(text("5-4"), ARRAY(text(NULL), text("x"), text("body"), text(NULL)))));
	assert_int_equal(events_with("the entry has no field 'body'"), 4);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 5-4");
	/* The first body counts, also behind other fields. */
	answer(ARRAY(ARRAY(text("18446744073709551615-18446744073709551615"),
			   ARRAY(text("note"), text("x"), text("body"), text("{\"command\":\"stop\"}"), text("body"), text("{\"command\":\"stop\"}")))));
	assert_int_equal(stops, 1);
	assert_int_equal(events_with("approval-refused"), 4);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 18446744073709551615-18446744073709551615");
	assert_true(kicks >= 3);
	/* The place is kept over a restart. */
	stop_hub();
	start_hub();
	connect_stream();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 18446744073709551615-18446744073709551615");
}

/* So many commands that are refused, as one batch whose identities begin with `first`. */
static void answer_flood(int first, size_t count)
{
	redisReply *entries[BATCH];
	char id[BATCH][16];

	for (size_t n = 0; n < count; n++) {
		snprintf(id[n], sizeof id[n], "%d-%zu", first, n);
		entries[n] = ENTRY(id[n], "{\"command\":\"nothing\"}");
	}
	answer(array(count, entries));
}

/* A full batch is followed by the next question at once, and a flood is told in few events, the rest as one a minute later. */
static void test_flood(void **state)
{
	unsigned before;

	(void)state;
	connect_stream();
	before = asked;
	answer_flood(8, BATCH);
	assert_int_equal(asked, before + 1);
	assert_string_equal(asked_for, "COUNT 128 STREAMS 8-127");
	assert_int_equal(events_with("approval-refused"), 20);
	answer_flood(9, 1);
	time_s += MINUTE_S;
	wait_for_question();
	assert_int_equal(events_with("more commands were refused than are told one by one"), 1);
	assert_int_equal(events_with("\"count\":109"), 1);
}

/* The minute is the flood's own: the turn of the clock's gives nothing away, and a clock that is set back begins another. */
static void test_flood_at_the_turn(void **state)
{
	(void)state;
	connect_stream();
	time_s += MINUTE_S - 1;
	answer_flood(8, 30);
	time_s++;
	answer_flood(9, 30);
	wait_for_question();
	assert_int_equal(events_with("approval-refused"), 20);
	time_s += MINUTE_S - 2;
	answer_flood(10, 1);
	assert_int_equal(events_with("approval-refused"), 20);
	time_s -= MINUTE_S;
	answer_flood(11, 30);
	assert_int_equal(events_with("approval-refused"), 41);
	assert_int_equal(events_with("\"count\":41"), 1);
}

/* A flood that leaves no pause is told of each minute, though the next refusal is always there first. */
static void test_flood_without_end(void **state)
{
	(void)state;
	connect_stream();
	for (int minute = 0; minute < 3; minute++) {
		answer_flood(8 + minute, BATCH);
		time_s += MINUTE_S;
	}
	assert_int_equal(events_with("approval-refused"), 3 * 20 + 2);
	assert_int_equal(events_with("\"count\":108"), 2);
}

/* The link is given up for an answer that is too large, or for another reason; and is there again. */
static void lose_link(bool over)
{
	link_played.bound.over = over;
	client->down();
	link_played.bound.over = false;
	client->ready(&link_played, 9);
}

static void expect_no_question(void)
{
	unsigned before = asked;

	for (int i = 0; i < 3; i++)
		uv_run(&hub.loop, UV_RUN_ONCE);
	assert_int_equal(asked, before);
}

/* An answer that costs the link is asked for again entry by entry, each time later, up to 512 s; once all is read as before. */
static void test_oversized(void **state)
{
	(void)state;
	connect_stream();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 0-0");
	lose_link(false);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 0-0");
	for (unsigned i = 1; i <= 12; i++) {
		lose_link(true);
		if (i >= 9) {
			skipped_s += 256;
			expect_no_question();
		}
		skipped_s += i >= 9 ? 256 : 1 << i;
		wait_for_question();
		assert_string_equal(asked_for, "COUNT 1 STREAMS 0-0");
	}
	/* Whatever else ends the link puts nothing off, nor what was too large while no command was asked for. */
	lose_link(false);
	wait_for_question();
	answer(ARRAY(ENTRY("1-1", "{}")));
	assert_string_equal(asked_for, "COUNT 1 STREAMS 1-1");
	client->answer(text(NULL));
	lose_link(true);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 1-1");
}

/* With a store that refuses, nothing counts as read; a stop behind is obeyed all the same. */
static void test_store_refuses(void **state)
{
	static const char stop[] = "{\"command\":\"stop\"}", signed_stop[] = "{\"command\":\"stop\",\"analyst\":\"ann\"}";

	(void)state;
	connect_stream();
	answer(ARRAY(ENTRY("1-1", "{}")));
	wait_for_question();
	assert_int_equal(sqlite3_exec(hub.store.db, "PRAGMA query_only=1", NULL, NULL, NULL), SQLITE_OK);
	answer(ARRAY(ENTRY("2-1", "{}"), ENTRY("2-2", stop), ENTRY("2-3", signed_stop), ENTRY("2-4", "{\"command\":\"resume\"}"), text("no entry"),
		     ARRAY(text("2-5")), ARRAY(text("2-6"), text("no fields")), ARRAY(text("2-7"), ARRAY(text("body"), text(NULL)))));
	assert_int_equal(stops, 1);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 1-1");
	answer(ARRAY(ARRAY(text("2-1"), text("no fields"))));
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 1-1");
	assert_int_equal(sqlite3_exec(hub.store.db, "PRAGMA query_only=0", NULL, NULL, NULL), SQLITE_OK);
	answer(ARRAY(ENTRY("2-1", "{}"), ENTRY("2-2", stop)));
	assert_int_equal(stops, 2);
	wait_for_question();
	assert_string_equal(asked_for, "COUNT 128 STREAMS 2-2");
	assert_int_equal(events_with("approval-refused"), 2);
}

/* The open proposal for a device, and an approval of it by ann. */
static struct proposal *propose(void)
{
	serve_modbus(PLC, "10.0.0.5");
	return only_alive();
}

static void approve(const struct proposal *x, const char *analyst, const uint8_t secret[64], int64_t until, uint8_t uses)
{
	char body[BODY_BYTES];
	size_t n = approve_body(x, analyst, secret, BEGIN_S - 10, until, uses, body);

	approvals_take(body, n);
}

static void test_approve_refused(void **state)
{
	int64_t until = now_s() + 3600;
	struct approval kept;
	struct proposal *x = propose();
	struct policy *policy = hub.knowledge.policy;

	(void)state;
	hub.knowledge.policy = NULL;
	approve(x, "ann", secret_key, until, 1);
	hub.knowledge.policy = policy;
	assert_int_equal(events_with("no policy is loaded: nobody may approve anything"), 1);
	x->unsaved = true;
	approve(x, "ann", secret_key, until, 1);
	x->unsaved = false;
	assert_int_equal(events_with("no open proposal has this id"), 1);
	kept = x->a;
	x->a.rule_sha256[0] ^= 1;
	approve(x, "ann", secret_key, until, 1);
	x->a = kept;
	assert_int_equal(events_with("its rule has changed"), 1);
	assert_int_equal(x->status, PROPOSAL_OPEN);
	assert_int_equal(x->a.signatures, 0);
}

/* The second signature is for the same times and uses, by somebody else. */
static void test_two_signatures(void **state)
{
	int64_t until = now_s() + 3600;
	struct proposal *x = propose();
	char body[BODY_BYTES];
	size_t n;

	(void)state;
	x->needed = 2;
	x->a.not_before_s = x->a.not_after_s = 0;
	approve(x, "ann", secret_key, until, 2);
	assert_true(x->status == PROPOSAL_OPEN && x->a.signatures == 1);
	approve(x, "ann", secret_key, until, 1);
	approve(x, "ann", secret_key, until - 1, 2);
	n = approve_body(x, "ann", secret_key, BEGIN_S - 9, until, 2, body);
	approvals_take(body, n);
	assert_int_equal(events_with("the times and uses are others than those of the first signature"), 3);
	approve(x, "ann", secret_key, until, 2);
	assert_true(x->status == PROPOSAL_OPEN && x->a.signatures == 1);
	/* There is no room for a third. */
	x->needed = 3;
	x->a.signature[1] = x->a.signature[0];
	strcpy(x->a.signature[1].analyst, "carl");
	x->a.signatures = 2;
	time_s += MINUTE_S; /* the proposal's own allowance of refusals is new */
	approve(x, "bob", other_secret, until, 2);
	assert_int_equal(events_with("it has two signatures"), 1);
	assert_int_equal(x->status, PROPOSAL_OPEN);
}

static void test_running(void **state)
{
	int64_t until = now_s() + 3600, now_ms = now_s() * 1000;
	struct proposal *x = propose();

	(void)state;
	approve(x, "ann", secret_key, until, 2);
	assert_int_equal(x->status, PROPOSAL_APPROVED);
	x->status = PROPOSAL_RUNNING;
	x->order = 7;
	approve(x, "ann", secret_key, until, 2);
	assert_int_equal(events_with("it has all signatures that it needs"), 1);
	say(COMMAND_DENY, x->a.id, "ann", secret_key, now_ms - 3);
	assert_int_equal(events_with("it is being asked at this moment"), 1);
	assert_int_equal(aborts, 0);
	say(COMMAND_REVOKE, x->a.id, "ann", secret_key, now_ms - 2);
	assert_int_equal(aborts, 1);
	assert_int_equal(events_with("\"action\":\"approval-revoked\""), 1);
	assert_int_equal(x->status, PROPOSAL_REVOKED);
}

/* Nothing of a command that can't be stored is done, but for a stop. */
static void test_not_stored(void **state)
{
	int64_t now_ms = now_s() * 1000;
	struct proposal *x = propose();
	static const char stop[] = "{\"command\":\"stop\"}";

	(void)state;
	assert_int_equal(sqlite3_exec(hub.store.db, "PRAGMA query_only=1", NULL, NULL, NULL), SQLITE_OK);
	approve(x, "ann", secret_key, now_s() + 3600, 1);
	say(COMMAND_DENY, x->a.id, "ann", secret_key, now_ms - 3);
	say(COMMAND_RESUME, "", "ann", secret_key, now_ms - 2);
	say(COMMAND_ACCEPT, hub.picture.nodes[0]->asset->id, "ann", secret_key, now_ms - 1);
	approvals_take(stop, strlen(stop));
	assert_true(x->status == PROPOSAL_OPEN && x->a.signatures == 0);
	assert_true(stops == 1 && resumes == 0 && hub.facts.count == 0);
	assert_int_equal(sqlite3_exec(hub.store.db, "PRAGMA query_only=0", NULL, NULL, NULL), SQLITE_OK);
	/* None of them counts as taken. */
	say(COMMAND_RESUME, "", "ann", secret_key, now_ms - 3);
	assert_int_equal(resumes, 1);
	say(COMMAND_STOP, "", "ann", secret_key, now_ms - 2);
	assert_int_equal(stops, 2);
}

static void test_facts(void **state)
{
	int64_t now_ms = now_s() * 1000;

	(void)state;
	propose();
	say(COMMAND_ACCEPT, "nobody", "ann", secret_key, now_ms - 5);
	assert_int_equal(events_with("approval-refused"), 1);
	say(COMMAND_ACCEPT, hub.picture.nodes[0]->asset->id, "bob", other_secret, now_ms - 4);
	assert_int_equal(events_with("'bob' has no say in zone hall"), 1);
	say(COMMAND_ACCEPT, hub.picture.nodes[0]->asset->id, "eve", other_secret, now_ms - 3);
	assert_int_equal(events_with("analysts.yaml knows no 'eve'"), 1);
	assert_int_equal(hub.facts.count, 0);
}

static unsigned releases;
static int release_answer;

static int on_release(const char *asset, const char *analyst, char *why)
{
	assert_string_equal(asset, "a1");
	assert_string_equal(analyst, "ann");
	releases++;
	if (release_answer < 0)
		snprintf(why, PROPOSAL_REASON_BYTES, "it is not in quarantine");
	return release_answer;
}

/* Signed and sent with the asset that it names. */
static void say_release(int64_t time_ms)
{
	struct command c = { .type = COMMAND_RELEASE, .sensor = "plant-1", .subject = "a1", .time_ms = time_ms, .signature = { .analyst = "ann" } };
	char words[COMMAND_TEXT_BYTES], body[BODY_BYTES], encoded[96];
	uint8_t signature[64];
	size_t len = command_text(&c, words);

	assert_true(len > 0);
	crypto_sign_detached(signature, NULL, (const unsigned char *)words, len, secret_key);
	sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
	len = (size_t)snprintf(body, sizeof body, "{\"command\":\"release\",\"asset\":\"a1\",\"analyst\":\"ann\",\"time_ms\":%lld,\"signature\":\"%s\"}",
			       (long long)time_ms, encoded);
	approvals_take(body, len);
}

static void test_release(void **state)
{
	static const struct approvals_ears ears = { on_stop, on_resume, on_abort, on_release };
	int64_t now_ms = now_s() * 1000;

	(void)state;
	say_release(now_ms - 4);
	assert_int_equal(events_with("this sensor keeps no quarantine"), 1);
	approvals_stop();
	approvals_stop(); /* ends it once */
	uv_run(&hub.loop, UV_RUN_DEFAULT);
	assert_int_equal(approvals_start(&hub.loop, &hub.proposals, &hub.facts, "plant-1", &ears), 0);
	release_answer = -1;
	say_release(now_ms - 3);
	assert_int_equal(events_with("it is not in quarantine"), 1);
	release_answer = 0;
	say_release(now_ms - 2);
	assert_int_equal(releases, 2);
	assert_int_equal(events_with("\"action\":\"quarantine-released\""), 1);
}

/* Proposals whose commands are refused have an allowance each; those without one share theirs. */
static void test_allowance(void **state)
{
	struct proposal *x = propose();

	(void)state;
	for (int i = 0; i < 10; i++)
		approve(x, "bob", other_secret, now_s() + 3600, 1);
	assert_int_equal(events_with("approval-refused"), 4);
	assert_int_equal(x->status, PROPOSAL_OPEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asked),              TEST(test_answers_of_no_use),
		TEST(test_entries),            TEST(test_flood),
		TEST(test_flood_at_the_turn),  TEST(test_flood_without_end),
		TEST(test_store_refuses),      TEST(test_approve_refused),
		TEST(test_two_signatures),     TEST(test_running),
		TEST(test_not_stored),         TEST(test_facts),
		TEST(test_release),            TEST(test_allowance),
		TEST(test_oversized),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
