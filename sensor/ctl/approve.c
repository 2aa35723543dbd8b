/* askance approve: shows what would be sent, checks it against our own rules, signs it and sends the signature. */
#include "sensor/ctl/command_send.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/moment.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/ctl/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SKEW_S = 60, DAY_S = 86400 };

struct request {
	struct sensor_link link;
	struct rules_load rules;
	struct signer signer;
	const char *id;
	const char *from, *until;
	int64_t from_s, until_s;
	int uses;
	bool json, yes;
};

static const struct verb_option options[] = {
	OPTION_WORD(struct request, id, "ID", "of the proposal, as much of it as is unique; `askance proposals` lists them"),
	OPTION_GROUP(struct request, signer, signer_options),
	OPTION_TEXT(struct request, from, 0, "from", "TIME", "not before (now): 2026-11-22T22:00:00Z, +30m, +8h, +2d"),
	OPTION_TEXT(struct request, until, 0, "until", "TIME", "not after (a day later)"),
	OPTION_NUMBER(struct request, uses, 0, "uses", "N", 1, APPROVAL_USES, "how often it may be asked, 1 to 10 (1)"),
	OPTION_FLAG(struct request, yes, 'y', "yes", "sign without a question"),
	OPTION_FLAG(struct request, json, 0, "json", "the sensor's answer as one JSON document"),
	OPTION_GROUP(struct request, rules, rules_load_options),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static bool read_time(const char *text, int64_t *at_s)
{
	if (!text || moment_read(text, time(NULL), at_s))
		return true;
	fprintf(stderr, "askance approve: '%s' is no time; write 2026-11-22T22:00:00Z, now, or +30m, +8h, +2d\n", text);
	return false;
}

/* Times and uses: those of the first signature where there is one, for all sign the same text. */
static bool choose_times(const struct request *q, struct approval *a)
{
	time_t now = time(NULL);

	if (a->uses && (q->from || q->until || q->uses)) {
		fprintf(stderr, "askance approve: the first signature has set times and uses; leave out --from, --until and --uses\n");
		return false;
	}
	if (a->uses)
		return true;
	/* The sensor's clock may be a little behind ours. */
	a->not_before_s = q->from_s ? q->from_s : now - SKEW_S;
	a->not_after_s = q->until_s ? q->until_s : a->not_before_s + SKEW_S + DAY_S;
	a->uses = (uint8_t)(q->uses ? q->uses : 1);
	if (a->not_after_s > a->not_before_s && a->not_after_s > now && a->not_after_s - a->not_before_s <= APPROVAL_SECONDS)
		return true;
	fprintf(stderr, "askance approve: an approval ends after it begins, in the future, and lasts 30 days at most\n");
	return false;
}

static bool confirm(const struct request *q)
{
	char line[16] = "";

	if (q->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "askance approve: nobody is there to ask; --yes signs without a question\n");
		return false;
	}
	fprintf(stderr, "\nsign this? [y/N] ");
	return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* What our own policy makes of it; the sensor's decides. */
static void warn_by_policy(const struct request *q, const struct approval *a, const struct plan *plan)
{
	struct policy_target target = { &a->target, a->zone, a->device_class, a->maker, a->port };
	struct policy_verdict v;

	if (!q->rules.policy)
		return;
	v = policy_verdict(q->rules.policy, plan->rule, &target);
	if (!v.allowed)
		fprintf(stderr, "askance approve: the policy here would not allow it: %s\n", v.why);
}

static int sign_and_send(struct request *q, const struct listed_proposal *p, struct approval *a)
{
	char text[APPROVAL_TEXT_BYTES];
	size_t len = approval_text(a, text);
	json_t *body;

	if (!len) {
		fprintf(stderr, "askance approve: a field of the proposal is out of its range\n");
		return EXIT_UNSOUND;
	}
	fprintf(q->json ? stderr : stdout, "\nthe text to sign:\n\n%s", text);
	if (!confirm(q) || !signer_open(&q->signer, q->rules.policy))
		return EXIT_NOTHING;
	body = json_pack("{s:s,s:s,s:s,s:I,s:I,s:i,s:s}", "command", "approve", "id", p->id, "analyst", q->signer.name, "not_before",
			 (json_int_t)a->not_before_s, "not_after", (json_int_t)a->not_after_s, "uses", a->uses, "signature",
			 signer_sign(&q->signer, text, len));
	signer_close(&q->signer);
	return body ? command_send(&q->link, body, "approve", p->id, q->json) : EXIT_NOTHING;
}

static int approve_one(struct request *q, const struct listed_proposal *p)
{
	char why[POLICY_WHY_BYTES] = "";
	struct approval a;
	struct plan plan;

	if (strcmp(words_text(p->proposal, "status"), "open") != 0) {
		fprintf(stderr, "askance approve: the proposal is %s and takes no signature\n", words_text(p->proposal, "status"));
		return EXIT_NOTHING;
	}
	if (!proposal_read(p, &a, why) || strcmp(a.sensor, q->link.sensor) != 0 || !proposal_check(p, &a, &q->rules, &plan, why)) {
		fprintf(stderr, "askance approve: not signed: %s\n", why[0] ? why : "it is a proposal of another sensor");
		return EXIT_UNSOUND;
	}
	proposal_show(p, &plan, q->json ? stderr : stdout);
	warn_by_policy(q, &a, &plan);
	return choose_times(q, &a) ? sign_and_send(q, p, &a) : EXIT_NOTHING;
}

static int approve(int argc, char **argv)
{
	struct request q = { .link = { .verb = "approve" }, .rules = { .verb = "approve" }, .signer = { .verb = "approve" } };
	const struct listed_proposal *p;
	struct proposal_list list = { .count = 0 };
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv) || !read_time(q.from, &q.from_s) || !read_time(q.until, &q.until_s))
		return EXIT_NOTHING;
	/* Our own rules are what is signed by: without them nothing is. */
	if ((rules_load_open(&q.rules, true) || q.rules.rules) && sensor_link_open(&q.link) == 0) {
		if (proposal_list_fetch(&list, &q.link) == 0 && (p = proposal_list_find(&list, q.id, "approve")))
			result = approve_one(&q, p);
		proposal_list_free(&list);
		sensor_link_close(&q.link);
	}
	rules_load_close(&q.rules);
	return result;
}

const struct verb verb_approve = {
	.name = "approve",
	.summary = "sign a proposal, after showing every byte of it",
	.options = options,
	.help = "The bytes are made anew from the rules on this machine. When they are not those that the sensor proposes, nothing is\n"
		"signed. A second analyst signs the same text: times and uses are then those of the first.\n",
	.exits = { "taken", "sent and not answered yet", "nothing was done", "the sensor refused it",
		   "not signed, because its bytes are not those of the rules here" },
	.run = approve,
};
