/* askance proposals: what could be asked, what was signed, and every byte of one. */
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/proposal_list.h"
#include "sensor/ctl/table.h"
#include "sensor/ctl/terminal.h"
#include "sensor/ctl/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ID_SHOWN = 8 };

struct request {
	struct sensor_link link;
	struct rules_load rules;
	const char *id;
	bool json, all;
};

static const struct verb_option options[] = {
	OPTION_MAYBE_WORD(struct request, id, "ID", "of one proposal, as much of it as is unique"),
	OPTION_FLAG(struct request, all, 0, "all", "also those that are over: asked, denied, expired ..."),
	OPTION_FLAG(struct request, json, 0, "json", "one JSON document a line"),
	OPTION_GROUP(struct request, rules, rules_load_options),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

static void add_row(struct table *t, const struct listed_proposal *p)
{
	const json_t *cost = json_object_get(p->proposal, "cost");
	char id[ID_SHOWN + 1], target[128], have[16], packets[16], bytes[16], expires[17];
	bool automatic = json_is_true(json_object_get(p->proposal, "automatic"));
	const char *reason = words_text(p->proposal, "reason");

	snprintf(id, sizeof id, "%s", p->id);
	proposal_target(p, target, sizeof target);
	snprintf(have, sizeof have, "%zu/%d", proposal_signatures(p), (int)json_integer_value(json_object_get(p->proposal, "signatures")));
	snprintf(packets, sizeof packets, "%d", (int)json_integer_value(json_object_get(cost, "packets")));
	snprintf(bytes, sizeof bytes, "%d", (int)json_integer_value(json_object_get(cost, "bytes")));
	snprintf(expires, sizeof expires, "%s", words_text(p->proposal, "expires"));
	if (strlen(expires) > 10)
		expires[10] = ' ';
	table_row(t, (const char *const[]){ id, target, words_text(p->proposal, "rule"), words_text(p->proposal, "risk"), automatic ? "auto" : have,
					    bytes, packets, expires, words_text(p->proposal, "status"),
					    reason[0] ? reason : words_text(p->proposal, "why") });
}

static int list_all(const struct request *q, const struct proposal_list *l)
{
	static const char *const headers[] = { "ID", "TARGET", "RULE", "RISK", "SIGNED", "BYTES", "PACKETS", "EXPIRES", "STATUS", "WHY", NULL };
	struct table t;
	size_t shown = 0, over = 0;

	table_start(&t, headers);
	for (size_t i = 0; i < l->count; i++) {
		if (!q->all && !proposal_is_alive(&l->items[i])) {
			over++;
			continue;
		}
		shown++;
		if (q->json)
			puts(l->items[i].body);
		else
			add_row(&t, &l->items[i]);
	}
	if (!q->json && shown)
		table_print(&t, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	if (!q->json && over)
		fprintf(stderr, "%zu more %s over; --all shows them\n", over, over == 1 ? "is" : "are");
	if (!q->json && !shown && !over)
		fprintf(stderr, "there are no proposals\n");
	table_free(&t);
	return EXIT_WELL;
}

/* With the bytes that our own rules render, where they are those of the sensor. */
static int show_one(struct request *q, const struct listed_proposal *p)
{
	char why[POLICY_WHY_BYTES] = "";
	struct approval a;
	struct plan plan;
	bool sound;

	if (q->json) {
		puts(p->body);
		return EXIT_WELL;
	}
	q->rules.verb = q->link.verb;
	sound = rules_load_open(&q->rules, false) && proposal_read(p, &a, why) && proposal_check(p, &a, &q->rules, &plan, why);
	proposal_show(p, sound ? &plan : NULL, stdout);
	if (!sound)
		fprintf(stderr, "askance proposals: %s\n", why[0] ? why : "the bytes could not be checked: there are no rules here");
	rules_load_close(&q->rules);
	return sound ? EXIT_WELL : EXIT_PARTLY;
}

static int proposals(int argc, char **argv)
{
	struct request q = { .link = { .verb = "proposals" }, .rules = { .verb = "proposals" } };
	const struct listed_proposal *one;
	struct proposal_list list;
	int result = EXIT_NOTHING;

	if (!options_take(options, &q, argc, argv) || sensor_link_open(&q.link) < 0)
		return EXIT_NOTHING;
	if (proposal_list_fetch(&list, &q.link) == 0) {
		one = q.id ? proposal_list_find(&list, q.id, "proposals") : NULL;
		if (!q.id)
			result = list_all(&q, &list);
		else if (one)
			result = show_one(&q, one);
	}
	proposal_list_free(&list);
	sensor_link_close(&q.link);
	return result;
}

const struct verb verb_proposals = {
	.name = "proposals",
	.summary = "list the probes that could be sent, or show every byte of one",
	.options = options,
	.help = "The bytes shown of one are made from the rules on this machine and held against what the sensor says.\n",
	.exits = { "shown", "shown, but its bytes are not those of the rules here", "there is no such proposal, or Redis can't be reached" },
	.run = proposals,
};
