/* Orders of the hub: one at a time in all, whatever the budgets say, and a busy prober costs a proposal no more than a moment. */
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
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { TARGETS = 3, RETRY_S = 5, BODY_BYTES = 1024 };

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
	batch.proposals = &proposals;
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

/* Devices that were heard just now, each with a proposal that is signed for. */
static void approve_all(void)
{
	test_time_ns = now_s() * SECOND_NS - SECOND_NS;
	for (int i = 1; i <= TARGETS; i++) {
		char mac[24], ip[24];
		struct finding h, s;

		snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", (unsigned)i);
		snprintf(ip, sizeof ip, "10.0.0.%d", i);
		h = host(mac, ip, BINDING_STATED);
		s = service(at(mac, ip, BINDING_STATED), "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE);
		picture_hear(&picture, &h);
		picture_hear(&picture, &s);
	}
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
		runs[i] = await_order(3000);
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
		time_t before = time(NULL);

		assert_true(run > 0);
		answer(run, OUTCOME_REFUSED, REFUSED_BUSY);
		run = await_order((RETRY_S + 3) * 1000);
		assert_true(run > 0);
		assert_true(time(NULL) - before >= RETRY_S - 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_order_at_a_time),
		cmocka_unit_test(busy_prober_does_not_double_the_wait),
		cmocka_unit_test(no_run_is_planned_twice),
	};

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(public_key, secret_key);
	return cmocka_run_group_tests(tests, start, stop);
}
