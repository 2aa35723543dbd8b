/* Proposals of the hub: one for each gap, kept while nothing changes, and moved by signatures that fit and by nothing else. */
#include "tests/unit/approvals_fixture.h"

#include <jansson.h>

enum { MUTATIONS = 10000 };

static void test_kept(void **state)
{
	char id[APPROVAL_ID_BYTES];
	struct finding printing;
	struct proposal *x;

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	x = only_alive();
	assert_non_null(x);
	assert_true(x->status == PROPOSAL_OPEN && x->needed == 1 && x->a.port == 502 && x->a.target.ip[3] == 5 && x->a.target.mac[5] == 1);
	assert_string_equal(x->a.rule, "modbus");
	assert_int_equal(events_with("\"action\":\"probe-proposed\""), 1);
	memcpy(id, x->a.id, sizeof id);
	/* The same device heard again and reviewed again, also by a hub that was started anew. */
	serve_modbus(PLC, "10.0.0.5");
	batch_review(&hub.batch, hub.picture.nodes[0]->asset);
	flush();
	assert_string_equal(only_alive()->a.id, id);
	stop_hub();
	start_hub();
	batch_review(&hub.batch, hub.picture.nodes[0]->asset);
	flush();
	assert_string_equal(only_alive()->a.id, id);
	assert_int_equal(events_with("\"action\":\"probe-proposed\""), 1);
	/* What turns out to print is asked nothing any more. */
	printing = service(at(PLC, "10.0.0.5", BINDING_STATED), "http", TRANSPORT_TCP, 9100, EVIDENCE_PORT);
	picture_hear(&hub.picture, &printing, SENT_FROM_BOTH);
	flush();
	assert_null(only_alive());
	assert_int_equal(events_with("\"action\":\"proposal-superseded\""), 1);
}

static void assert_other(const struct proposal *x, const char *rule, const char *words)
{
	for (size_t i = 0; i < x->others; i++)
		if (strcmp(x->other[i].rule, rule) == 0) {
			if (!strstr(x->other[i].why, words))
				fail_msg("%s: \"%s\", where \"%s\" was expected", rule, x->other[i].why, words);
			return;
		}
	fail_msg("%s is not told", rule);
}

/* In the document of the only proposal, as consumers see it. */
static int alternatives_shown(void)
{
	sqlite3_stmt *row = store_prepare(&hub.store, "SELECT json_array_length(body,'$.ot.proposal.alternatives') FROM proposal WHERE status=1");
	int count = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int(row, 0) : -1;

	sqlite3_finalize(row);
	return count;
}

/* Why this probe and not another: each rule that asks the same service, also before the first look of a hub that was started anew. */
static void test_others(void **state)
{
	char body[BODY_BYTES];
	size_t n;

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	for (unsigned starts = 0; starts < 2; starts++) {
		const struct proposal *x = only_alive();

		assert_non_null(x);
		assert_string_equal(x->a.rule, "modbus");
		assert_int_equal(x->others, 3);
		assert_other(x, "modbus-basic", "modbus fills the same and more");
		assert_other(x, "modbus-server-id", "it fills nothing of this gap");
		assert_other(x, "modbus-umas", "forbidden: ");
		stop_hub();
		start_hub();
	}
	assert_int_equal(events_with("\"alternatives\":[{\"rule\":\"modbus-"), 1);
	n = approve_body(only_alive(), "ann", secret_key, now_s() - 10, now_s() + 3600, 1, body);
	approvals_take(body, n);
	assert_int_equal(alternatives_shown(), 3);
}

static void test_closed(void **state)
{
	struct endpoint who = at(PLC, "10.0.0.5", BINDING_STATED);

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	for (enum attribute a = ATTR_VENDOR; a <= ATTR_DESCRIPTION; a++) {
		struct finding f = attribute(who, "modbus", "", a, "known");

		picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
	}
	flush();
	assert_null(only_alive());
	assert_int_equal(events_with("the gap has closed"), 1);
}

static void test_approved(void **state)
{
	int64_t now = now_s();
	char body[BODY_BYTES];
	struct proposal *x;
	size_t n;

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	x = only_alive();
	/* By one who may not, by one under another's name, for a time that is over. */
	n = approve_body(x, "bob", other_secret, now - 10, now + 3600, 1, body);
	approvals_take(body, n);
	n = approve_body(x, "ann", other_secret, now - 10, now + 3600, 1, body);
	approvals_take(body, n);
	n = approve_body(x, "ann", secret_key, now - 100, now - 10, 1, body);
	approvals_take(body, n);
	assert_int_equal(x->status, PROPOSAL_OPEN);
	assert_int_equal(x->a.signatures, 0);
	assert_int_equal(events_with("\"action\":\"approval-refused\""), 3);
	n = approve_body(x, "ann", secret_key, now - 10, now + 3600, 2, body);
	approvals_take(body, n);
	assert_int_equal(x->status, PROPOSAL_APPROVED);
	assert_true(x->a.signatures == 1 && x->a.uses == 2);
	assert_int_equal(events_with("\"action\":\"approval-signed\""), 1);
	approvals_take(body, n);
	assert_int_equal(events_with("\"action\":\"approval-signed\""), 1);
	/* It survives the hub's end, and ends when its time does. */
	stop_hub();
	start_hub();
	x = only_alive();
	assert_true(x->status == PROPOSAL_APPROVED && x->a.signatures == 1 && x->a.uses == 2 && x->a.not_after_s == now + 3600);
	assert_true(approval_verify(&x->a, &x->a.signature[0], public_key));
	assert_false(proposals_tick(&hub.proposals, now + 3599));
	assert_true(proposals_tick(&hub.proposals, now + 3600));
	assert_null(only_alive());
	assert_int_equal(events_with("\"action\":\"proposal-expired\""), 1);
}

static void test_mutated(void **state)
{
	int64_t now = now_s();
	char body[BODY_BYTES];
	struct proposal *x;
	size_t n;

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	x = only_alive();
	n = approve_body(x, "ann", secret_key, now - 10, now + 3600, 1, body);
	for (int i = 0; i < MUTATIONS; i++) {
		char changed[BODY_BYTES];
		unsigned times = 1 + randombytes_uniform(3);

		memcpy(changed, body, sizeof body);
		for (unsigned k = 0; k < times; k++)
			changed[randombytes_uniform((uint32_t)n)] = (char)randombytes_uniform(256);
		if (memcmp(changed, body, n) == 0)
			continue;
		approvals_take(changed, n);
		/* Blanks that are written otherwise, or a repeated byte, leave it what it was. */
		if (x->status != PROPOSAL_OPEN) {
			json_t *is = json_loadb(changed, n, 0, NULL), *was = json_loadb(body, n, 0, NULL);

			assert_true(json_equal(is, was));
			json_decref(is);
			json_decref(was);
			return;
		}
	}
	assert_int_equal(stops + resumes, 0);
	/* A flood is told in few words. */
	assert_true(events_with("\"action\":\"approval-refused\"") <= 60);
	approvals_take(body, n);
	assert_int_equal(x->status, PROPOSAL_APPROVED);
}

static void test_denied(void **state)
{
	int64_t now_ms = now_s() * 1000;
	struct proposal *x;
	char id[APPROVAL_ID_BYTES];

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	x = only_alive();
	memcpy(id, x->a.id, sizeof id);
	say(COMMAND_DENY, id, "bob", other_secret, now_ms - 5000);              /* may not decide on low risk */
	say(COMMAND_DENY, id, "ann", secret_key, now_ms - COMMAND_LATE_MS - 1); /* said long ago */
	say(COMMAND_DENY, id, "ann", secret_key, now_ms + COMMAND_EARLY_MS + 10000);
	assert_int_equal(x->status, PROPOSAL_OPEN);
	say(COMMAND_DENY, id, "ann", secret_key, now_ms);
	proposals_tick(&hub.proposals, now_s());
	assert_null(only_alive());
	assert_int_equal(events_with("\"action\":\"approval-denied\""), 1);
	/* An analyst's no holds: the gap is not proposed again. */
	batch_review(&hub.batch, hub.picture.nodes[0]->asset);
	flush();
	assert_null(only_alive());
}

static void test_once(void **state)
{
	int64_t now_ms = now_s() * 1000;
	static const char stop[] = "{\"command\":\"stop\"}";

	(void)state;
	stops = resumes = 0;
	approvals_take(stop, strlen(stop));
	assert_int_equal(stops, 1);
	say(COMMAND_RESUME, "", "ann", other_secret, now_ms - 2000);
	assert_int_equal(resumes, 0);
	say(COMMAND_RESUME, "", "ann", secret_key, now_ms - 1000);
	assert_int_equal(resumes, 1);
	for (int i = 0; i < 100; i++)
		say(COMMAND_RESUME, "", "ann", secret_key, now_ms - 1000);
	say(COMMAND_RESUME, "", "ann", secret_key, now_ms - 1001);
	assert_int_equal(resumes, 1);
	stop_hub();
	start_hub();
	say(COMMAND_RESUME, "", "ann", secret_key, now_ms - 1000);
	assert_int_equal(resumes, 1);
	say(COMMAND_RESUME, "", "ann", secret_key, now_ms);
	assert_int_equal(resumes, 2);
}

/* With probing off the hub still hears what analysts state, and nothing else that they say. */
static void test_listening_only(void **state)
{
	int64_t now_ms = now_s() * 1000;
	const struct asset *a;
	static const char stop[] = "{\"command\":\"stop\"}";

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	a = hub.picture.nodes[0]->asset;
	approvals_stop();
	uv_run(&hub.loop, UV_RUN_DEFAULT);
	assert_int_equal(approvals_start(&hub.loop, &hub.proposals, &hub.facts, "plant-1", NULL), 0);
	say(COMMAND_DENY, only_alive()->a.id, "ann", secret_key, now_ms - 2000);
	approvals_take(stop, strlen(stop));
	assert_non_null(only_alive());
	assert_int_equal(events_with("\"action\":\"approval-refused\""), 2);
	say(COMMAND_ACCEPT, a->id, "ann", other_secret, now_ms - 1000);
	assert_int_equal(hub.facts.count, 0);
	say(COMMAND_ACCEPT, a->id, "ann", secret_key, now_ms - 1000);
	say(COMMAND_ACCEPT, a->id, "ann", secret_key, now_ms - 1000);
	assert_int_equal(hub.facts.count, 1);
	assert_int_equal(events_with("\"action\":\"fact-stated\""), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_others, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_closed, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_approved, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_mutated, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_denied, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_once, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_listening_only, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
