/*
 * Orders of the hub: one at a time in all, whatever the budgets say, and a busy prober costs a proposal no more than a moment.
 * Whatever is asked is told as planned, once, and as ended, also where the hub or its store had a bad moment.
 */
#include "make_finding.h"
#include "sensor/common/message.h"
#include "sensor/hub/approvals.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/dispatch.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { TARGETS = 3, RETRY_S = 5, BEGIN_S = 30, MINUTE_S = 60, BODY_BYTES = 1024, PATIENCE_MS = 20000 };

static struct store store;
static struct keeper *keeper;
static struct picture picture;
static struct knowledge knowledge;
static struct batch batch;
static struct proposals proposals;
static struct analyst_facts facts;
static uv_loop_t loop;
static int orders, outcomes; /* the prober's ends */
static char folder[] = "/tmp/askance-dispatch-XXXXXX";
static uint8_t public_key[32], secret_key[64];

static int64_t skipped_s; /* of the clock */

/* In place of libc's: nobody waits for minutes. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	int failed = (int)syscall(SYS_clock_gettime, id, t);

	if (!failed && id == CLOCK_REALTIME)
		t->tv_sec += skipped_s;
	return failed;
}

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	print_error("%s:%u: %s\n", file, line, what);
}

static unsigned wrongs;

static void on_wrong(void)
{
	wrongs++;
}

static void run_shell(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof command, format, a, b);
	assert_int_equal(system(command), 0);
}

/* The shipped policy, but four targets at once. */
static struct policy *load_policy(const struct ruleset *rules)
{
	char key[64], path[64];
	FILE *f;

	run_shell("cp -r %s/rules/policy %s/policy", SOURCE_DIR, folder);
	run_shell("sed -i 's/^%s: 1/targets_at_once: 4/' %s/policy/budgets.yaml", "targets_at_once", folder);
	snprintf(path, sizeof path, "%s/policy/analysts.yaml", folder);
	sodium_bin2base64(key, sizeof key, public_key, 32, sodium_base64_VARIANT_ORIGINAL);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "analysts:\n  - {name: ann, key: \"%s\", may: [low, medium, high]}\n", key);
	fclose(f);
	return policy_load(folder, rules, complain, NULL);
}

/* The hub's ends stand where a supervisor puts them. */
static void make_pipes(void)
{
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	orders = fcntl(to[0], F_DUPFD, 100);
	outcomes = fcntl(from[1], F_DUPFD, 100);
	assert_int_equal(dup2(fcntl(to[1], F_DUPFD, 100), FD_ORDERS), FD_ORDERS);
	assert_int_equal(dup2(fcntl(from[0], F_DUPFD, 100), FD_OUTCOMES), FD_OUTCOMES);
	assert_int_equal(fcntl(orders, F_SETFL, O_NONBLOCK), 0);
}

static int start(void **state)
{
	static const struct approvals_ears ears = { NULL, NULL, NULL, NULL };
	char path[64];

	(void)state;
	make_pipes();
	hash_start();
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/askance.db", folder);
	assert_int_equal(store_open(&store, path), 0);
	keeper = keep_open(&store);
	knowledge.rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	knowledge.policy = load_policy(knowledge.rules);
	assert_non_null(knowledge.policy);
	assert_int_equal(policy_budgets(knowledge.policy)->targets_at_once, 4);
	picture_start(&picture, "plant-1", "hall", 10000);
	picture.telling = true;
	batch_start(&batch, &picture, &store, keeper, &knowledge);
	assert_int_equal(proposals_open(&proposals, &store, &knowledge, &picture, PROBING_PROPOSE), 0);
	batch_propose(&batch, &proposals);
	assert_int_equal(analyst_facts_open(&facts, &store, &picture), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	return approvals_start(&loop, &proposals, &facts, "plant-1", &ears);
}

static void close_handle(uv_handle_t *h, void *context)
{
	(void)context;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static int stop(void **state)
{
	(void)state;
	dispatch_end();
	approvals_stop();
	uv_walk(&loop, close_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	proposals_close(&proposals);
	analyst_facts_close(&facts);
	batch_free(&batch);
	picture_end(&picture);
	policy_free(knowledge.policy);
	ruleset_free(knowledge.rules);
	keep_close(keeper);
	outbox_close(&store);
	store_close(&store);
	run_shell("rm -r %s%s", folder, "");
	return 0;
}

static void approve(const struct proposal *x)
{
	struct approval a = x->a;
	char text[APPROVAL_TEXT_BYTES], encoded[96], body[BODY_BYTES];
	uint8_t signature[64];
	size_t len;

	a.not_before_s = now_s() - 1;
	a.not_after_s = now_s() + 3600;
	a.uses = 1;
	len = approval_text(&a, text);
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, len, secret_key);
	sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
	len = (size_t)snprintf(body, sizeof body, "{\"command\":\"approve\",\"id\":\"%s\",\"analyst\":\"ann\",\"not_before\":%lld,\"not_after\":%lld,"
			       "\"uses\":1,\"signature\":\"%s\"}", a.id, (long long)a.not_before_s, (long long)a.not_after_s, encoded);
	approvals_take(body, len);
	assert_int_equal(x->status, PROPOSAL_APPROVED);
}

/* Something that serves is told of just now. */
static void hear_server(const char *mac, const char *ip, enum binding binding, unsigned sent_from)
{
	struct finding h, s;

	test_time_ns = now_s() * SECOND_NS - SECOND_NS;
	h = host(mac, ip, binding);
	s = service(at(mac, ip, binding), "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE);
	picture_hear(&picture, &h, sent_from);
	picture_hear(&picture, &s, sent_from);
}

/* A device that was heard just now. */
static void hear_device(unsigned number)
{
	char mac[24], ip[24];

	snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", number);
	snprintf(ip, sizeof ip, "10.0.0.%u", number);
	hear_server(mac, ip, BINDING_STATED, SENT_FROM_BOTH);
}

/* Each with a proposal that is signed for. */
static void approve_all(void)
{
	for (unsigned i = 1; i <= TARGETS; i++)
		hear_device(i);
	batch_draft(&batch);
	assert_int_equal(batch_store(&batch, NULL, NULL), 0);
	assert_int_equal(proposals.count, TARGETS);
	for (size_t i = 0; i < proposals.count; i++)
		approve(proposals.items[i]);
}

/* The next order for a probe within that time, or 0. */
static uint64_t await_order(int within_ms)
{
	struct order o;

	for (int waited = 0;; waited += 20) {
		uv_run(&loop, UV_RUN_NOWAIT);
		while (read(orders, &o, sizeof o) == (ssize_t)sizeof o)
			if (o.type == ORDER_PROBE)
				return o.id;
		if (waited >= within_ms)
			return 0;
		usleep(20000);
	}
}

/* Until it is so; nothing is ordered meanwhile. */
#define AWAIT(condition) \
	for (int left_ms = PATIENCE_MS; !(condition) && left_ms > 0; left_ms -= 20) \
		assert_int_equal(await_order(20), 0)

static void answer(uint64_t run, enum outcome_type type, enum refusal refusal)
{
	struct outcome o = { .order = run, .type = type, .refusal = refusal, .end = PROBE_COMPLETE };

	assert_int_equal(write(outcomes, &o, sizeof o), sizeof o);
}

static void one_order_at_a_time(void **state)
{
	struct dispatch_setup setup = { .proposals = &proposals, .picture = &picture, .wrong = on_wrong };
	uint64_t runs[TARGETS];

	(void)state;
	approve_all();
	assert_int_equal(dispatch_start(&loop, &setup), 0);
	for (int i = 0; i < TARGETS; i++) {
		runs[i] = await_order(PATIENCE_MS);
		assert_true(runs[i] > (i ? runs[i - 1] : 0));
		assert_int_equal(await_order(1500), 0);
		answer(runs[i], OUTCOME_PLANNED, REFUSED_NOT);
		assert_int_equal(await_order(1500), 0);
		if (i < TARGETS - 1)
			answer(runs[i], OUTCOME_ENDED, REFUSED_NOT);
	}
}

/* Of the one that is left: refused thrice as busy, it waits the same few seconds each time. */
static void busy_prober_does_not_double_the_wait(void **state)
{
	struct proposal *x = proposals.items[TARGETS - 1];
	uint64_t run = x->order;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(run > 0);
		answer(run, OUTCOME_REFUSED, REFUSED_BUSY);
		assert_int_equal(await_order(1200), 0);
		skipped_s += RETRY_S;
		run = await_order(PATIENCE_MS);
		assert_true(run > 0 && x->order == run);
	}
}

/* The run that is planned again ends the prober: each plan is an event that no full outbox gives up. */
static void no_run_is_planned_twice(void **state)
{
	struct proposal *x = proposals.items[TARGETS - 1];

	(void)state;
	assert_int_equal(wrongs, 0);
	assert_true(x->order > 0);
	answer(x->order, OUTCOME_PLANNED, REFUSED_NOT);
	await_order(0);
	assert_int_equal(wrongs, 0);
	answer(x->order, OUTCOME_PLANNED, REFUSED_NOT);
	await_order(0);
	assert_int_equal(wrongs, 1);
}

static void no_run_ends_at_a_time_that_cannot_be(void **state)
{
	struct outcome o = { .order = proposals.items[TARGETS - 1]->order, .type = OUTCOME_ENDED, .end = PROBE_COMPLETE,
			     .ended_ns = 7668058320836127338 };

	(void)state;
	assert_int_equal(write(outcomes, &o, sizeof o), sizeof o);
	await_order(0);
	assert_int_equal(wrongs, 2);
}

/* Nothing is under way, and the budgets are as new. */
static void end_runs(void)
{
	for (size_t i = 0; i < proposals.count; i++)
		if (proposals.items[i]->order) {
			answer(proposals.items[i]->order, OUTCOME_ENDED, REFUSED_NOT);
			await_order(0);
		}
	skipped_s += MINUTE_S;
}

/* The only proposal, signed for. */
static struct proposal *approve_only(void)
{
	batch_draft(&batch);
	assert_int_equal(batch_store(&batch, NULL, NULL), 0);
	assert_int_equal(proposals.count, 1);
	approve(proposals.items[0]);
	return proposals.items[0];
}

/* The only proposal and its run. */
static struct proposal *begin_run(unsigned device, uint64_t *run)
{
	struct proposal *x;

	end_runs();
	hear_device(device);
	x = approve_only();
	*run = await_order(PATIENCE_MS);
	assert_true(*run > 0);
	return x;
}

/* How often the run was told so. */
static int told(uint64_t run, const char *action)
{
	sqlite3_stmt *row = store_prepare(&store, "SELECT count(*) FROM outbox WHERE body->>'$.ot.probe.run'=?1 AND body->>'$.event.action'=?2");
	int count;

	sqlite3_bind_int64(row, 1, (int64_t)run);
	sqlite3_bind_text(row, 2, action, -1, SQLITE_STATIC);
	count = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int(row, 0) : -1;
	sqlite3_finalize(row);
	return count;
}

static void assert_told_once(uint64_t run)
{
	assert_int_equal(told(run, "probe-planned"), 1);
	assert_int_equal(told(run, "probe-ended"), 1);
}

static void refuse_writes(bool refuse)
{
	assert_int_equal(sqlite3_exec(store.db, refuse ? "PRAGMA query_only=1" : "PRAGMA query_only=0", NULL, NULL, NULL), SQLITE_OK);
}

static void plan_waits_for_the_store(void **state)
{
	uint64_t run;
	struct proposal *x = begin_run(10, &run);

	(void)state;
	refuse_writes(true);
	answer(run, OUTCOME_PLANNED, REFUSED_NOT);
	answer(run, OUTCOME_ENDED, REFUSED_NOT);
	await_order(1500);
	assert_true(x->order == run && x->used == 0);
	refuse_writes(false);
	AWAIT(x->order == 0);
	assert_told_once(run);
	assert_true(x->order == 0 && x->used == 1 && x->status == PROPOSAL_SPENT);
}

/* A hub that dies takes what it has read from the pipe with it. */
static void lost_plan_is_told_at_the_end(void **state)
{
	uint64_t run;
	struct proposal *x = begin_run(11, &run);

	(void)state;
	answer(run, OUTCOME_ENDED, REFUSED_NOT);
	await_order(0);
	assert_told_once(run);
	assert_true(x->order == 0 && x->used == 1 && x->status == PROPOSAL_SPENT);
}

/* The prober stood still: what it begins after all is told, whether or not its proposal is still kept, and its end is told once. */
static void run_that_was_given_up_is_told(void **state)
{
	(void)state;
	for (unsigned revoked = 0; revoked < 2; revoked++) {
		uint64_t run;
		struct proposal *x = begin_run(12 + revoked, &run), to;

		skipped_s += BEGIN_S + 1;
		AWAIT(x->order == 0);
		assert_true(x->status == PROPOSAL_APPROVED);
		to = *x;
		to.status = PROPOSAL_REVOKED;
		if (revoked)
			assert_int_equal(proposals_change(&proposals, x, &to, TOLD_STATE, NULL, NULL, NULL), 0);
		proposals_tick(&proposals, now_s());
		assert_int_equal(proposals.count, !revoked);
		answer(run, OUTCOME_PLANNED, REFUSED_NOT);
		await_order(0);
		assert_int_equal(proposals.count, 1);
		x = proposals.items[0];
		assert_true(x->order == run && x->used == 1 && x->status == (revoked ? PROPOSAL_REVOKED : PROPOSAL_RUNNING));
		for (int i = 0; i < 2; i++)
			answer(run, OUTCOME_ENDED, REFUSED_NOT);
		await_order(100);
		assert_told_once(run);
		assert_true(x->order == 0 && x->status == (revoked ? PROPOSAL_REVOKED : PROPOSAL_SPENT));
	}
}

/* Else nothing was ever asked again. */
static void revoked_run_without_an_end_is_given_up(void **state)
{
	uint64_t run;
	struct proposal *x = begin_run(14, &run), to;

	(void)state;
	answer(run, OUTCOME_PLANNED, REFUSED_NOT);
	await_order(0);
	to = *x;
	to.status = PROPOSAL_REVOKED;
	assert_int_equal(proposals_change(&proposals, x, &to, TOLD_STATE, NULL, NULL, NULL), 0);
	await_order(1500);
	assert_true(x->order == run);
	skipped_s += 1000;
	AWAIT(x->order == 0);
	assert_told_once(run);
	assert_int_equal(wrongs, 2); /* those of tests before */
}

/* Behind a router a device has its address alone, and that is still told of when the device is dead: by who asks it, or its router. */
static void who_is_only_spoken_of_is_not_asked(void **state)
{
	static const char router[] = "00:1b:1b:00:01:01", ip[] = "10.7.0.1";
	struct proposal *x;

	(void)state;
	end_runs();
	hear_server(router, ip, BINDING_NONE, SENT_FROM_BOTH);
	skipped_s += ORDER_HEARD_S + 1;
	hear_server("", ip, BINDING_NONE, 0);
	hear_server(router, ip, BINDING_NONE, SENT_FROM_MAC);
	x = approve_only();
	assert_int_equal(await_order(1500), 0);
	assert_non_null(strstr(x->reason, "it was not heard for 300 s"));
	hear_server(router, ip, BINDING_NONE, SENT_FROM_BOTH);
	assert_true(await_order(PATIENCE_MS) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_order_at_a_time),
		cmocka_unit_test(busy_prober_does_not_double_the_wait),
		cmocka_unit_test(no_run_is_planned_twice),
		cmocka_unit_test(no_run_ends_at_a_time_that_cannot_be),
		cmocka_unit_test(plan_waits_for_the_store),
		cmocka_unit_test(lost_plan_is_told_at_the_end),
		cmocka_unit_test(run_that_was_given_up_is_told),
		cmocka_unit_test(revoked_run_without_an_end_is_given_up),
		cmocka_unit_test(who_is_only_spoken_of_is_not_asked),
	};

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(public_key, secret_key);
	return cmocka_run_group_tests(tests, start, stop);
}
