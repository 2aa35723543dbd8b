/*
 * What the tests of proposals and approvals share: a hub with the shipped rules and two analysts, a device that it would ask,
 * and what analysts write into the stream of commands.
 */
#ifndef TESTS_UNIT_APPROVALS_FIXTURE_H
#define TESTS_UNIT_APPROVALS_FIXTURE_H

#include "active/guard/command.h"
#include "sensor/hub/approvals.h"
#include "tests/unit/hub_fixture.h"

#include <sodium.h>
#include <sys/stat.h>

enum { BODY_BYTES = 1024 };

static uint8_t public_key[32], secret_key[64], other_public[32], other_secret[64];
static unsigned stops, resumes, aborts;

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
	aborts++;
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

	open_hub();
	hub.knowledge.rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	hub.knowledge.policy = load_policy(hub.knowledge.rules);
	assert_non_null(hub.knowledge.policy);
	assert_int_equal(analyst_facts_open(&hub.facts, &hub.store, &hub.picture), 0);
	assert_int_equal(proposals_open(&hub.proposals, &hub.store, &hub.knowledge, &hub.picture, PROBING_PROPOSE), 0);
	batch_propose(&hub.batch, &hub.proposals);
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
	close_hub();
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

	picture_hear(&hub.picture, &h, SENT_FROM_BOTH);
	picture_hear(&hub.picture, &s, SENT_FROM_BOTH);
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

static int make_keys(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	crypto_sign_keypair(public_key, secret_key);
	crypto_sign_keypair(other_public, other_secret);
	return 0;
}

#endif
