/* askance deny, revoke, stop, resume, release: an analyst's other words, signed. */
#include "active/guard/command.h"
#include "sensor/ctl/command_send.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/ctl/options.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct request {
	struct sensor_link link;
	struct rules_load rules;
	struct signer signer;
	struct command command;
	const char *named;
	bool json;
};

#define COMMON_OPTIONS \
	OPTION_COPY(struct request, command.why, 0, "why", "TEXT", "the reason, for the record"), \
	OPTION_GROUP(struct request, signer, signer_options), \
	OPTION_FLAG(struct request, json, 0, "json", "the sensor's answer as one JSON document"), \
	OPTION_GROUP(struct request, rules, rules_load_options), \
	OPTION_GROUP(struct request, link, sensor_link_options), \
	OPTION_END

static const struct verb_option of_all[] = { COMMON_OPTIONS };
static const struct verb_option of_proposal[] = {
	OPTION_WORD(struct request, named, "ID", "of the proposal, as much of it as is unique"),
	COMMON_OPTIONS,
};
static const struct verb_option of_asset[] = {
	OPTION_WORD(struct request, named, "ASSET", "the id of the device that suffered from a probe, as the alarm names it"),
	COMMON_OPTIONS,
};

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

static int decide(enum command_type type, const struct verb_option *options, int argc, char **argv)
{
	struct request q = { .command = { .type = (uint8_t)type }, .link = { .verb = argv[0] }, .rules = { .verb = argv[0] },
			     .signer = { .verb = argv[0] } };
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv) || sensor_link_open(&q.link) < 0)
		return EXIT_NOTHING;
	/* A stop needs no key: nobody should have to look for one first. */
	if (type == COMMAND_STOP && !q.signer.path[0] && !q.signer.name[0])
		result = command_send(&q.link, json_pack("{s:s}", "command", "stop"), "stop", "", q.json);
	else if (find_subject(&q))
		result = send_signed(&q);
	sensor_link_close(&q.link);
	return result;
}

static int run_deny(int argc, char **argv)
{
	return decide(COMMAND_DENY, of_proposal, argc, argv);
}

static int run_revoke(int argc, char **argv)
{
	return decide(COMMAND_REVOKE, of_proposal, argc, argv);
}

static int run_stop(int argc, char **argv)
{
	return decide(COMMAND_STOP, of_all, argc, argv);
}

static int run_resume(int argc, char **argv)
{
	return decide(COMMAND_RESUME, of_all, argc, argv);
}

static int run_release(int argc, char **argv)
{
	return decide(COMMAND_RELEASE, of_asset, argc, argv);
}

#define EXITS { "taken", "sent and not answered yet", "nothing was done", "the sensor refused it" }

const struct verb verb_deny = {
	.name = "deny",
	.summary = "refuse a proposal for good",
	.options = of_proposal,
	.help = "For 90 days the same rule is not proposed for the same gap again.\n",
	.exits = EXITS,
	.run = run_deny,
};

const struct verb verb_revoke = {
	.name = "revoke",
	.summary = "take an approval back, also while it is being asked",
	.options = of_proposal,
	.help = "A probe that runs ends politely at once.\n",
	.exits = EXITS,
	.run = run_revoke,
};

const struct verb verb_stop = {
	.name = "stop",
	.summary = "stop all probing at once",
	.options = of_all,
	.help = "Works without a key: it harms nobody. With --key the record says who it was. Only `askance resume`, signed, lets\n"
		"probing go on. On the sensor's own machine the file stop-probing in its state folder does the same without Redis.\n",
	.exits = EXITS,
	.run = run_stop,
};

const struct verb verb_resume = {
	.name = "resume",
	.summary = "let probing go on after a stop",
	.options = of_all,
	.exits = EXITS,
	.run = run_resume,
};

const struct verb verb_release = {
	.name = "release",
	.summary = "end the quarantine of a device and of all of its kind",
	.options = of_asset,
	.exits = EXITS,
	.run = run_release,
};
