/* Proposals of the hub: one for each gap, kept while nothing changes, and moved by signatures that fit and by nothing else. */
#include "make_finding.h"
#include "active/guard/command.h"
#include "sensor/hub/approvals.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/proposal.h"

#include <jansson.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define PLC "00:1b:1b:00:00:01"

enum { MUTATIONS = 10000, BODY_BYTES = 1024 };

struct hub {
	struct store store;
	struct keeper *keeper;
	struct picture picture;
	struct knowledge knowledge;
	struct batch batch;
	struct proposals proposals;
	struct analyst_facts facts;
	uv_loop_t loop;
};

static struct hub hub;
static char folder[] = "/tmp/askance-proposal-XXXXXX", path[64];
static uint8_t public_key[32], secret_key[64], other_public[32], other_secret[64];
static unsigned stops, resumes;

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	print_error("%s:%u: %s\n", file, line, what);
}

static void on_stop(void)
{
	stops++;
}

static void on_resume(void)
{
	resumes++;
}

static void on_abort(uint64_t run)
{
	(void)run;
}

/* The shipped policy, with two analysts of whom one may sign for low risk alone. */
static struct policy *load_policy(const struct ruleset *rules)
{
	static const char *const files[] = { "whitelist", "exclusions", "windows", "budgets" };
	char command[512], key[2][64];
	FILE *f;

	sodium_bin2base64(key[0], sizeof key[0], public_key, 32, sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(key[1], sizeof key[1], other_public, 32, sodium_base64_VARIANT_ORIGINAL);
	snprintf(command, sizeof command, "%s/policy", folder);
	mkdir(command, 0700);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(command, sizeof command, "cp " SOURCE_DIR "/rules/policy/%s.yaml %s/policy/", files[i], folder);
		assert_int_equal(system(command), 0);
	}
	snprintf(command, sizeof command, "%s/policy/analysts.yaml", folder);
	f = fopen(command, "w");
	assert_non_null(f);
	fprintf(f, "analysts:\n  - {name: ann, key: \"%s\", may: [low, medium, high]}\n  - {name: bob, key: \"%s\", may: [high]}\n", key[0], key[1]);
	fclose(f);
	return policy_load(folder, rules, complain, NULL);
}

static void start_hub(void)
{
	static const struct approvals_ears ears = { on_stop, on_resume, on_abort, NULL };

	memset(&hub, 0, sizeof hub);
	assert_int_equal(store_open(&hub.store, path), 0);
	hub.keeper = keep_open(&hub.store);
	hub.knowledge.rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	hub.knowledge.policy = load_policy(hub.knowledge.rules);
	assert_non_null(hub.knowledge.policy);
	picture_start(&hub.picture, "plant-1", "hall", 10000);
	assert_int_equal(keep_load(&hub.store, &hub.picture), 0);
	hub.picture.telling = true;
	batch_start(&hub.batch, &hub.picture, &hub.store, hub.keeper, &hub.knowledge);
	assert_int_equal(proposals_open(&hub.proposals, &hub.store, &hub.knowledge, &hub.picture, PROBING_PROPOSE), 0);
	hub.batch.proposals = &hub.proposals;
	assert_int_equal(analyst_facts_open(&hub.facts, &hub.store, &hub.picture), 0);
	assert_int_equal(uv_loop_init(&hub.loop), 0);
	assert_int_equal(approvals_start(&hub.loop, &hub.proposals, &hub.facts, "plant-1", &ears), 0);
}

static void stop_hub(void)
{
	approvals_stop();
	uv_run(&hub.loop, UV_RUN_DEFAULT);
	uv_loop_close(&hub.loop);
	proposals_close(&hub.proposals);
	analyst_facts_close(&hub.facts);
	batch_free(&hub.batch);
	picture_end(&hub.picture);
	policy_free(hub.knowledge.policy);
	ruleset_free(hub.knowledge.rules);
	keep_close(hub.keeper);
	outbox_close(&hub.store);
	store_close(&hub.store);
}

static int make_folder(void **state)
{
	(void)state;
	hash_start();
	strcpy(folder, "/tmp/askance-proposal-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/askance.db", folder);
	start_hub();
	return 0;
}

static int drop_folder(void **state)
{
	char command[96];

	(void)state;
	stop_hub();
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

static void flush(void)
{
	batch_draft(&hub.batch);
	assert_int_equal(batch_store(&hub.batch, NULL, NULL), 0);
}

static bool count_action(const struct outbox_entry *e, void *arg)
{
	void **pair = arg;

	*(unsigned *)pair[1] += strstr(e->body, pair[0]) != NULL;
	return true;
}

/* Events whose text holds this. */
static unsigned events_with(const char *text)
{
	unsigned count = 0;
	void *pair[] = { (void *)(uintptr_t)text, &count };

	outbox_walk(&hub.store, 1, outbox_next(&hub.store) - 1, count_action, pair);
	return count;
}

static void serve_modbus(const char *mac, const char *ip)
{
	struct endpoint who = at(mac, ip, BINDING_STATED);
	struct finding h = host(mac, ip, BINDING_STATED), s = service(who, "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE);

	picture_hear(&hub.picture, &h);
	picture_hear(&hub.picture, &s);
	flush();
}

static struct proposal *only_alive(void)
{
	struct proposal *found = NULL;

	for (size_t i = 0; i < hub.proposals.count; i++)
		if (!proposal_is_over(hub.proposals.items[i])) {
			assert_null(found);
			found = hub.proposals.items[i];
		}
	return found;
}

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
	picture_hear(&hub.picture, &printing);
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

/* Why this probe and not another: each rule that asks the same service, also after the hub was started anew. */
static void test_others(void **state)
{
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
		batch_review(&hub.batch, hub.picture.nodes[0]->asset);
		flush();
	}
	assert_int_equal(events_with("\"alternatives\":[{\"rule\":\"modbus-"), 1);
}

static void test_closed(void **state)
{
	struct endpoint who = at(PLC, "10.0.0.5", BINDING_STATED);

	(void)state;
	serve_modbus(PLC, "10.0.0.5");
	for (enum attribute a = ATTR_VENDOR; a <= ATTR_DESCRIPTION; a++) {
		struct finding f = attribute(who, "modbus", "", a, "known");

		picture_hear(&hub.picture, &f);
	}
	flush();
	assert_null(only_alive());
	assert_int_equal(events_with("the gap has closed"), 1);
}

static size_t approve_body(const struct proposal *x, const char *analyst, const uint8_t secret[64], int64_t from, int64_t until, uint8_t uses,
			   char body[BODY_BYTES])
{
	struct approval a = x->a;
	char text[APPROVAL_TEXT_BYTES], encoded[96];
	uint8_t signature[64];
	size_t len;

	a.not_before_s = from;
	a.not_after_s = until;
	a.uses = uses;
	len = approval_text(&a, text);
	assert_true(len > 0);
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, len, secret);
	sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
	return (size_t)snprintf(body, BODY_BYTES, "{\"command\":\"approve\",\"id\":\"%s\",\"analyst\":\"%s\",\"not_before\":%lld,\"not_after\":%lld,"
				"\"uses\":%u,\"signature\":\"%s\"}", x->a.id, analyst, (long long)from, (long long)until, uses, encoded);
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

static void say(enum command_type type, const char *subject, const char *analyst, const uint8_t secret[64], int64_t time_ms)
{
	struct command c = { .type = (uint8_t)type, .sensor = "plant-1", .time_ms = time_ms };
	char text[COMMAND_TEXT_BYTES], body[BODY_BYTES], encoded[96], named[96] = "";
	uint8_t signature[64];
	size_t len;
	int n;

	snprintf(c.subject, sizeof c.subject, "%s", subject);
	snprintf(c.signature.analyst, sizeof c.signature.analyst, "%s", analyst);
	len = command_text(&c, text);
	assert_true(len > 0);
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, len, secret);
	sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
	if (subject[0])
		snprintf(named, sizeof named, ",\"%s\":\"%s\"", command_is_fact(type) ? "asset" : "id", subject);
	n = snprintf(body, sizeof body, "{\"command\":\"%s\",\"analyst\":\"%s\",\"time_ms\":%lld,\"signature\":\"%s\"%s}", command_name(type), analyst,
		     (long long)time_ms, encoded, named);
	approvals_take(body, (size_t)n);
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

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(public_key, secret_key);
	crypto_sign_keypair(other_public, other_secret);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
