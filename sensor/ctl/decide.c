/* askance deny, revoke, stop, resume, release: an analyst's other words, signed. */
#include "sensor/ctl/options.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/ctl/signed_command.h"

#include <stdio.h>
#include <string.h>

struct request {
	struct signed_command said;
	const char *named;
};

static const struct verb_option of_all[] = { OPTION_GROUP(struct request, said, signed_command_options), OPTION_END };
static const struct verb_option of_proposal[] = {
	OPTION_WORD(struct request, named, "ID", "of the proposal, as much of it as is unique"),
	OPTION_GROUP(struct request, said, signed_command_options),
	OPTION_END,
};
static const struct verb_option of_asset[] = {
	OPTION_WORD(struct request, named, "ASSET", "the id of the device that suffered from a probe, as the alarm names it"),
	OPTION_GROUP(struct request, said, signed_command_options),
	OPTION_END,
};

/* The whole id of the proposal; an asset's is taken as it is. */
static bool find_subject(struct request *q)
{
	const struct listed_proposal *p;
	struct signed_command *said = &q->said;
	struct proposal_list list;
	bool found = false;

	if (!q->named)
		return true;
	if (said->command.type == COMMAND_RELEASE) {
		snprintf(said->command.subject, sizeof said->command.subject, "%s", q->named);
		return true;
	}
	if (proposal_list_fetch(&list, &said->link) < 0)
		return false;
	p = proposal_list_find(&list, q->named, said->link.verb);
	if (p && !proposal_is_alive(p))
		fprintf(stderr, "askance %s: the proposal is over already\n", said->link.verb);
	else if (p)
		found = snprintf(said->command.subject, sizeof said->command.subject, "%s", p->id) > 0;
	proposal_list_free(&list);
	return found;
}

static int decide(enum command_type type, const struct verb_option *options, int argc, char **argv)
{
	struct request q = { .said = { .command = { .type = (uint8_t)type }, .link = { .verb = argv[0] }, .rules = { .verb = argv[0] },
				       .signer = { .verb = argv[0] } } };
	struct signed_command *said = &q.said;
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv) || sensor_link_open(&said->link) < 0)
		return EXIT_NOTHING;
	/* A stop needs no key: nobody should have to look for one first. */
	if (type == COMMAND_STOP && !said->signer.path[0] && !said->signer.name[0])
		result = command_send(&said->link, json_pack("{s:s}", "command", "stop"), "stop", "", said->json);
	else if (find_subject(&q))
		result = signed_command_send(said);
	sensor_link_close(&said->link);
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

const struct verb verb_deny = {
	.name = "deny",
	.summary = "refuse a proposal for good",
	.options = of_proposal,
	.help = "For 90 days the same rule is not proposed for the same gap again.\n",
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_deny,
};

const struct verb verb_revoke = {
	.name = "revoke",
	.summary = "take an approval back, also while it is being asked",
	.options = of_proposal,
	.help = "A probe that runs ends politely at once.\n",
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_revoke,
};

const struct verb verb_stop = {
	.name = "stop",
	.summary = "stop all probing at once",
	.options = of_all,
	.help = "Works without a key: it harms nobody. With --key the record says who it was. Only `askance resume`, signed, lets\n"
		"probing go on. On the sensor's own machine the file stop-probing in its state folder does the same without Redis.\n",
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_stop,
};

const struct verb verb_resume = {
	.name = "resume",
	.summary = "let probing go on after a stop",
	.options = of_all,
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_resume,
};

const struct verb verb_release = {
	.name = "release",
	.summary = "end the quarantine of a device and of all of its kind",
	.options = of_asset,
	.exits = SIGNED_COMMAND_EXITS,
	.run = run_release,
};
