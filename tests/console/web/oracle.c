/*
 * What the sensor itself makes of things that the console's page makes, too; for sign_text.test.mjs.
 *
 *   oracle plans RULES     one line of JSON for each shipped rule: its messages as proposals tell them, and the digest
 *   oracle texts           reads lines of JSON, answers each with {"text": ..., "verified": ...}; text is null when refused.
 *                          {"proposal": ot.proposal, "times": {...}, "signature", "key"} or {"command": body, "sensor", "signature", "key"}
 *   oracle key FILE        the public key of a key file, whose passphrase stands on standard input
 */
#include "active/ruleset/plan.h"
#include "sensor/ctl/key_file.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/hub/command_read.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1795327200, PORT = 502, LINE_BYTES = 65536 };

static const struct endpoint who = { .mac = { 0, 0x80, 0x2f, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, 5 } };

/* What was heard, for holes that only hearing fills: the least that each may be. */
static size_t hear_all(const struct rule *rule, struct plan_value values[RULE_HOLES], char texts[RULE_HOLES][2 * RULE_TEXT_BYTES + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < rule->holes_count; i++) {
		const struct hole *h = &rule->holes[i];

		if (h->source != HOLE_SEEN)
			continue;
		if (h->type == VALUE_BYTES)
			memset(texts[i], '5', 2 * (size_t)h->width), texts[i][2 * h->width] = '\0';
		else if (h->form != FORM_PLAIN)
			snprintf(texts[i], sizeof texts[i], h->form == FORM_NETID ? "5.1.2.3.1.1" : "1.3.6.1");
		else
			snprintf(texts[i], sizeof texts[i], "%llu", (unsigned long long)h->low);
		values[n++] = (struct plan_value){ h->name, texts[i] };
	}
	return n;
}

static bool add_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	char text[PLAN_TEXT_BYTES];

	plan_message_text(plan, m, text);
	json_array_append_new(context, json_pack("{s:s,s:i,s:i,s:s}", "step", plan->rule->steps[m->step].name, "step_number", (int)m->step + 1,
						 "round", m->round + 1, "hex", text));
	return true;
}

static void print_line(json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	puts(text);
	fflush(stdout);
	free(text);
	json_decref(line);
}

static void print_plan(const struct rule *rule)
{
	char texts[RULE_HOLES][2 * RULE_TEXT_BYTES + 1], why[PLAN_WHY_BYTES], hex[2 * APPROVAL_HASH_BYTES + 1];
	struct plan_value values[RULE_HOLES];
	struct plan_facts facts = { &who, PORT, NOW_S, hear_all(rule, values, texts), values };
	uint8_t digest[APPROVAL_HASH_BYTES];
	json_t *messages = json_array();
	struct plan plan;

	if (!plan_make(&plan, rule, &facts, why) || !plan_messages(&plan, add_message, messages) || !plan_digest(&plan, digest)) {
		fprintf(stderr, "oracle: %s: %s\n", rule->name, why);
		exit(2);
	}
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	print_line(json_pack("{s:s,s:s,s:o}", "rule", rule->name, "digest", hex, "messages", messages));
}

static int print_plans(const char *dir)
{
	struct ruleset *set = ruleset_load(dir, NULL, NULL);

	if (!set) {
		fprintf(stderr, "oracle: %s holds no sound rules\n", dir);
		return 2;
	}
	for (size_t i = 0; i < ruleset_count(set); i++)
		print_plan(ruleset_at(set, i));
	ruleset_free(set);
	return 0;
}

static bool take_bytes(const json_t *line, const char *key, uint8_t *out, size_t room)
{
	const char *text = json_string_value(json_object_get(line, key));
	size_t n = 0;

	return text && sodium_base642bin(out, room, text, strlen(text), NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 && n == room;
}

static json_t *answer(const char *text, size_t len, bool verified)
{
	return len ? json_pack("{s:s,s:b}", "text", text, "verified", verified) : json_pack("{s:n,s:b}", "text", "verified", 0);
}

static json_t *answer_proposal(const json_t *line)
{
	json_t *proposal = json_object_get(line, "proposal"), *times = json_object_get(line, "times");
	struct listed_proposal p = { .proposal = proposal, .id = json_string_value(json_object_get(proposal, "id")) };
	char text[APPROVAL_TEXT_BYTES], why[POLICY_WHY_BYTES];
	struct approval_signature s = { .analyst = "" };
	uint8_t key[KEY_PUBLIC_BYTES];
	struct approval a;
	bool signing;
	size_t len;

	json_object_update(json_object_get(proposal, "text"), times);
	/* The list's own reader cuts no longer id: those never come that far. */
	if (!p.id || strlen(p.id) != APPROVAL_ID_BYTES - 1 || !proposal_read(&p, &a, why))
		return answer("", 0, false);
	len = approval_text(&a, text);
	signing = take_bytes(line, "signature", s.bytes, sizeof s.bytes) && take_bytes(line, "key", key, sizeof key);
	return answer(text, len, signing && approval_verify(&a, &s, key));
}

static json_t *answer_command(const json_t *line)
{
	const char *sensor = json_string_value(json_object_get(line, "sensor"));
	char text[COMMAND_TEXT_BYTES], why[POLICY_WHY_BYTES];
	char *body = json_dumps(json_object_get(line, "command"), JSON_COMPACT);
	uint8_t key[KEY_PUBLIC_BYTES];
	struct command_read c;
	size_t len = 0;
	bool verified = false;

	if (command_read(&c, sensor, body, strlen(body), why, sizeof why) && !c.approves) {
		len = command_text(&c.command, text);
		verified = take_bytes(line, "key", key, sizeof key) && command_verify(&c.command, key);
	}
	free(body);
	return answer(text, len, verified);
}

static int answer_texts(void)
{
	static char bytes[LINE_BYTES];
	json_error_t error;

	while (fgets(bytes, sizeof bytes, stdin)) {
		json_t *line = json_loads(bytes, 0, &error);

		if (!line) {
			fprintf(stderr, "oracle: %s\n", error.text);
			return 2;
		}
		print_line(json_object_get(line, "proposal") ? answer_proposal(line) : answer_command(line));
		json_decref(line);
	}
	return 0;
}

static int print_key(const char *path)
{
	char text[KEY_TEXT_BYTES];
	struct secret_key k;

	if (!key_file_read(path, &k, "oracle"))
		return 1;
	key_text(k.public, text);
	key_forget(&k);
	puts(text);
	return 0;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 2;
	if (argc == 3 && strcmp(argv[1], "plans") == 0)
		return print_plans(argv[2]);
	if (argc == 2 && strcmp(argv[1], "texts") == 0)
		return answer_texts();
	if (argc == 3 && strcmp(argv[1], "key") == 0)
		return print_key(argv[2]);
	fprintf(stderr, "usage: oracle plans RULES | texts | key FILE\n");
	return 2;
}
