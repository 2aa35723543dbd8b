/* askance deny, revoke, stop, resume, release: an analyst's other words, signed. */
#include "active/guard/command.h"
#include "sensor/ctl/command_send.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/ctl/verb.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct request {
	struct sensor_link link;
	struct rules_load rules;
	struct signer signer;
	struct command command;
	const char *named;
	bool json, with_key;
};

static bool take_why(struct request *q, int argc, char **argv, int *at)
{
	if (*at + 1 == argc) {
		fprintf(stderr, "askance %s: --why wants a sentence\n", argv[0]);
		return false;
	}
	++*at;
	if ((size_t)snprintf(q->command.why, sizeof q->command.why, "%s", argv[*at]) < sizeof q->command.why)
		return true;
	fprintf(stderr, "askance %s: --why is at most %d bytes long\n", argv[0], COMMAND_WHY_BYTES - 1);
	return false;
}

static bool take_words(struct request *q, int argc, char **argv)
{
	bool wants = q->command.type == COMMAND_DENY || q->command.type == COMMAND_REVOKE || q->command.type == COMMAND_RELEASE;

	q->link.verb = q->rules.verb = q->signer.verb = argv[0];
	for (int i = 1; i < argc; i++) {
		int taken = sensor_link_option(&q->link, argc, argv, &i);

		if (taken == 0)
			taken = rules_load_option(&q->rules, argc, argv, &i);
		if (taken == 0) {
			taken = signer_option(&q->signer, argc, argv, &i);
			q->with_key |= taken > 0;
		}
		if (taken < 0)
			return false;
		if (taken)
			continue;
		if (strcmp(argv[i], "--json") == 0) {
			q->json = true;
		} else if (strcmp(argv[i], "--why") == 0) {
			if (!take_why(q, argc, argv, &i))
				return false;
		} else if (argv[i][0] != '-' && wants && !q->named) {
			q->named = argv[i];
		} else {
			fprintf(stderr, "askance %s: unexpected '%s'; `askance %s --help` tells more\n", argv[0], argv[i], argv[0]);
			return false;
		}
	}
	if (!wants || q->named)
		return true;
	fprintf(stderr, "askance %s: which %s?\n", argv[0], q->command.type == COMMAND_RELEASE ? "asset" : "proposal");
	return false;
}

/* The whole id of the proposal; an asset's is taken as it is. */
static bool find_subject(struct request *q)
{
	const struct listed_proposal *p;
	struct proposal_list list;
	bool found = false;

	if (!q->named)
		return true;
	if (q->command.type == COMMAND_RELEASE) {
		snprintf(q->command.subject, sizeof q->command.subject, "%s", q->named);
		return true;
	}
	if (proposal_list_fetch(&list, &q->link) < 0)
		return false;
	p = proposal_list_find(&list, q->named, q->link.verb);
	if (p && !proposal_is_alive(p))
		fprintf(stderr, "askance %s: the proposal is over already\n", q->link.verb);
	else if (p)
		found = snprintf(q->command.subject, sizeof q->command.subject, "%s", p->id) > 0;
	proposal_list_free(&list);
	return found;
}

static json_t *sign(struct request *q)
{
	const char *subject = q->command.type == COMMAND_RELEASE ? "asset" : "id";
	char text[COMMAND_TEXT_BYTES];
	struct timespec now;
	json_t *body;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	q->command.time_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
	snprintf(q->command.sensor, sizeof q->command.sensor, "%s", q->link.sensor);
	len = command_text(&q->command, text);
	if (!len) {
		fprintf(stderr, "askance %s: what it says holds control characters\n", q->link.verb);
		return NULL;
	}
	body = json_pack("{s:s,s:s,s:I,s:s}", "command", command_name((enum command_type)q->command.type), "analyst", q->signer.name,
			 "time_ms", (json_int_t)q->command.time_ms, "signature", signer_sign(&q->signer, text, len));
	if (body && q->command.why[0])
		json_object_set_new(body, "why", json_string(q->command.why));
	if (body && q->command.subject[0])
		json_object_set_new(body, subject, json_string(q->command.subject));
	return body;
}

static int send_signed(struct request *q)
{
	json_t *body = NULL;

	/* The policy only tells our name by our key; it may be missing here. */
	if (!q->signer.name[0])
		rules_load_open(&q->rules, true);
	if (signer_open(&q->signer, q->rules.policy))
		body = sign(q);
	signer_close(&q->signer);
	rules_load_close(&q->rules);
	return body ? command_send(&q->link, body, q->link.verb, q->command.subject, q->json) : EXIT_NOTHING;
}

static int decide(enum command_type type, int argc, char **argv)
{
	struct request q = { .command = { .type = (uint8_t)type } };
	int result = EXIT_NOTHING;

	if (!take_words(&q, argc, argv) || sensor_link_open(&q.link) < 0)
		return EXIT_NOTHING;
	/* A stop needs no key: nobody should have to look for one first. */
	if (type == COMMAND_STOP && !q.with_key)
		result = command_send(&q.link, json_pack("{s:s}", "command", "stop"), "stop", "", q.json);
	else if (find_subject(&q))
		result = send_signed(&q);
	sensor_link_close(&q.link);
	return result;
}

static int run_deny(int argc, char **argv)
{
	return decide(COMMAND_DENY, argc, argv);
}

static int run_revoke(int argc, char **argv)
{
	return decide(COMMAND_REVOKE, argc, argv);
}

static int run_stop(int argc, char **argv)
{
	return decide(COMMAND_STOP, argc, argv);
}

static int run_resume(int argc, char **argv)
{
	return decide(COMMAND_RESUME, argc, argv);
}

static int run_release(int argc, char **argv)
{
	return decide(COMMAND_RELEASE, argc, argv);
}

#define OPTIONS_HELP \
	SIGNER_HELP \
	"      --why TEXT      the reason, for the record\n" \
	"      --json          the sensor's answer as one JSON document\n" RULES_LOAD_HELP SENSOR_LINK_HELP \
	"\n" \
	"Exit codes: 0 taken, 1 sent and not answered yet, 2 nothing was done, 3 the sensor\n" \
	"refused it.\n"

const struct verb verb_deny = {
	.name = "deny",
	.usage = "ID [--why TEXT] [--key FILE] [--as NAME]",
	.summary = "refuse a proposal for good",
	.help = "ID is that of the proposal, as much of it as is unique. For 90 days the same rule\n"
		"is not proposed for the same gap again.\n\n" OPTIONS_HELP,
	.run = run_deny,
};

const struct verb verb_revoke = {
	.name = "revoke",
	.usage = "ID [--why TEXT] [--key FILE] [--as NAME]",
	.summary = "take an approval back, also while it is being asked",
	.help = "ID is that of the proposal, as much of it as is unique. A probe that runs ends\n"
		"politely at once.\n\n" OPTIONS_HELP,
	.run = run_revoke,
};

const struct verb verb_stop = {
	.name = "stop",
	.usage = "[--key FILE] [--as NAME] [--config FILE | --redis URL --sensor NAME]",
	.summary = "stop all probing at once",
	.help = "Works without a key: it harms nobody. With --key the record says who it was. Only\n"
		"`askance resume`, signed, lets probing go on. On the sensor's own machine the file\n"
		"stop-probing in its state folder does the same without Redis.\n\n" OPTIONS_HELP,
	.run = run_stop,
};

const struct verb verb_resume = {
	.name = "resume",
	.usage = "[--why TEXT] [--key FILE] [--as NAME]",
	.summary = "let probing go on after a stop",
	.help = OPTIONS_HELP,
	.run = run_resume,
};

const struct verb verb_release = {
	.name = "release",
	.usage = "ASSET [--why TEXT] [--key FILE] [--as NAME]",
	.summary = "end the quarantine of a device and of all of its kind",
	.help = "ASSET is the id of the device that suffered from a probe, as the alarm names it.\n\n" OPTIONS_HELP,
	.run = run_release,
};
