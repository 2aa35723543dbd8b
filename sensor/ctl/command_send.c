/* Signs, sends to askance:{S}:cmd, and reads the sensor's word in askance:{S}:ev. */
#include "sensor/ctl/command_send.h"

#include "sensor/ctl/document_words.h"
#include "sensor/ctl/verb.h"
#include "sensor/fleet/reply.h"

#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 5000, LOOK_MS = 50, KEY_BYTES = 128, ID_BYTES = 64, BATCH = 256 };

const struct verb_option signer_options[] = {
	OPTION_COPY(struct signer, path, 'k', "key", "FILE", "your secret key ($HOME/.askance/key)"),
	OPTION_COPY(struct signer, name, 0, "as", "NAME", "your name in analysts.yaml (found there by your key)"),
	OPTION_END,
};

bool signer_open(struct signer *s, const struct policy *policy)
{
	const char *known;

	if (!s->path[0] && !key_file_default(s->path, sizeof s->path)) {
		fprintf(stderr, "askance %s: there is no HOME; name your key with --key\n", s->verb);
		return false;
	}
	if (!key_file_read(s->path, &s->key, s->verb))
		return false;
	if (s->name[0])
		return true;
	known = policy ? policy_analyst_of_key(policy, s->key.public) : NULL;
	if (!known) {
		fprintf(stderr, "askance %s: no analysts.yaml here knows this key; say who you are with --as NAME\n", s->verb);
		key_forget(&s->key);
		return false;
	}
	snprintf(s->name, sizeof s->name, "%s", known);
	return true;
}

void signer_close(struct signer *s)
{
	key_forget(&s->key);
}

const char *signer_sign(const struct signer *s, const char *text, size_t len)
{
	static char encoded[96];
	uint8_t signature[crypto_sign_BYTES];

	crypto_sign_detached(signature, NULL, (const unsigned char *)text, len, s->key.secret);
	return sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
}

/* The last entry of the stream of events; "0-0" when there is none. */
static bool find_end(struct sensor_link *l, const char *stream, char id[ID_BYTES])
{
	const char *ask[] = { "XREVRANGE", stream, "+", "-", "COUNT", "1" };
	redisReply *r = sensor_link_ask(l, 6, ask);
	const char *number = reply_text(reply_part(reply_part(r, 0), 0));

	if (!r)
		return false;
	snprintf(id, ID_BYTES, "%s", number ? number : "0-0");
	freeReplyObject(r);
	return true;
}

/* Is it the sensor's word on what we sent? */
static bool is_answer(const json_t *document, const char *name, const char *named)
{
	const json_t *ot = json_object_get(document, "ot"), *command = json_object_get(ot, "command");
	const char *id = words_text(json_object_get(ot, "proposal"), "id");

	if (strcmp(words_text(json_object_get(document, "event"), "dataset"), "askance.approval") != 0 ||
	    strcmp(words_text(command, "name"), name) != 0)
		return false;
	return !named[0] || strcmp(id, named) == 0 || strcmp(words_text(command, "named"), named) == 0;
}

static void print_fact(const json_t *fact)
{
	long long number = json_integer_value(json_object_get(fact, "id")), ends = json_integer_value(json_object_get(fact, "ends"));
	const char *previous = words_text(fact, "previous");

	if (!number) {
		printf("fact %lld holds no longer\n", ends);
		return;
	}
	printf("fact %lld is stated of %s", number, words_text(fact, "asset"));
	if (previous[0])
		printf("; the value was %s", previous);
	if (ends)
		printf("; it takes the place of fact %lld", ends);
	printf("\n`askance undo %lld` takes it back\n", number);
}

static int print_answer(const struct sensor_link *l, const json_t *document, const redisReply *body, bool as_json)
{
	const char *action = words_text(json_object_get(document, "event"), "action");
	const json_t *ot = json_object_get(document, "ot"), *proposal = json_object_get(ot, "proposal"), *fact = json_object_get(ot, "fact");
	const char *reason = words_text(json_object_get(ot, "command"), "reason");
	bool refused = strcmp(action, "approval-refused") == 0;

	if (as_json) {
		char *line = words_line(body->str, (size_t)body->len, document);

		puts(line);
		free(line);
	}
	if (refused)
		fprintf(stderr, "askance %s: the sensor refused it: %s\n", l->verb, reason);
	else if (fact && !as_json)
		print_fact(fact);
	else if (!as_json)
		printf("%s%s%s\n", action, proposal ? ", the proposal is now " : "", words_text(proposal, "status"));
	return refused ? EXIT_REFUSED : EXIT_WELL;
}

/* One entry of the stream. -1 when it is no answer. */
static int look_at(const struct sensor_link *l, const redisReply *entry, char id[ID_BYTES], const char *name, const char *named, bool as_json)
{
	const char *number = reply_text(reply_part(entry, 0));
	const redisReply *fields = reply_part(entry, 1);
	int result = -1;

	if (!fields || !number)
		return -1;
	snprintf(id, ID_BYTES, "%s", number);
	for (size_t k = 0; k + 1 < fields->elements; k += 2) {
		const char *key = reply_text(reply_part(fields, k));
		const redisReply *body = reply_part(fields, k + 1);
		json_t *document;

		if (!key || strcmp(key, "body") != 0 || !reply_text(body))
			continue;
		document = json_loadb(body->str, (size_t)body->len, 0, NULL);
		words_disarm(document);
		if (document && is_answer(document, name, named))
			result = print_answer(l, document, body, as_json);
		json_decref(document);
	}
	return result;
}

/* Looks at the events since `id`, and moves it. -1 while there is no answer, -2 when Redis is gone. */
static int look(struct sensor_link *l, const char *stream, char id[ID_BYTES], const char *name, const char *named, bool as_json)
{
	char count[16];
	const char *ask[] = { "XREAD", "COUNT", count, "STREAMS", stream, id };
	const redisReply *entries;
	redisReply *r;
	int result = -1;

	snprintf(count, sizeof count, "%d", BATCH);
	r = sensor_link_ask(l, 6, ask);
	if (!r)
		return -2;
	entries = reply_part(reply_part(r, 0), 1);
	for (size_t i = 0; entries && i < entries->elements && result < 0; i++)
		result = look_at(l, entries->element[i], id, name, named, as_json);
	freeReplyObject(r);
	return result;
}

static int64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int command_send(struct sensor_link *l, json_t *body, const char *name, const char *named, bool as_json)
{
	char events[CONFIG_NAME_BYTES + KEY_BYTES], commands[CONFIG_NAME_BYTES + KEY_BYTES], id[ID_BYTES];
	char *text = json_dumps(body, JSON_COMPACT);
	const char *add[] = { "XADD", commands, "*", "body", text };
	int64_t end = clock_now_ms() + PATIENCE_MS;
	redisReply *r = NULL;
	int result = -1;

	json_decref(body);
	snprintf(events, sizeof events, "askance:{%s}:ev", l->sensor);
	snprintf(commands, sizeof commands, "askance:{%s}:cmd", l->sensor);
	if (text && find_end(l, events, id))
		r = sensor_link_ask(l, 5, add);
	free(text);
	if (!r)
		return EXIT_NOTHING;
	freeReplyObject(r);
	while (result == -1 && clock_now_ms() < end) {
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
		result = look(l, events, id, name, named, as_json);
	}
	if (result >= 0)
		return result;
	fprintf(stderr, "askance %s: it was sent, and the sensor has not answered yet\n", l->verb);
	return EXIT_PARTLY;
}
