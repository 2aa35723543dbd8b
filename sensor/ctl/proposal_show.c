/* One proposal for people: whom it asks, why, every byte that would be sent, who has signed. */
#include "sensor/ctl/proposal_list.h"

#include "active/guard/guard.h"
#include "sensor/ctl/document_words.h"
#include "sensor/ctl/explain.h"

#include <string.h>

enum { INDENT = 2, HEX_COLUMNS = 64 };

static void show_word(FILE *to, const char *name, const char *value)
{
	if (value[0])
		fprintf(to, "%-12s %s\n", name, value);
}

static void show_target(const struct listed_proposal *p, FILE *to)
{
	const json_t *t = json_object_get(p->proposal, "text"), *asset = json_object_get(json_object_get(p->document, "ot"), "asset");
	char target[128];

	proposal_target(p, target, sizeof target);
	show_word(to, "proposal", p->id);
	show_word(to, "status", words_text(p->proposal, "status"));
	show_word(to, "reason", words_text(p->proposal, "reason"));
	fprintf(to, "%-12s %s over %s, MAC %s\n", "target", target, words_text(t, "transport"), words_text(t, "target_mac"));
	show_word(to, "zone", words_text(t, "zone"));
	fprintf(to, "%-12s %s, %s (asset %s)\n", "device", words_text(t, "class")[0] ? words_text(t, "class") : "class unknown",
		words_text(t, "maker")[0] ? words_text(t, "maker") : "maker unknown", words_text(asset, "id"));
}

static void show_why(const struct listed_proposal *p, FILE *to)
{
	const json_t *cost = json_object_get(p->proposal, "cost");
	int packets = (int)json_integer_value(json_object_get(cost, "packets"));
	char lacks[512];

	words_join(json_object_get(p->proposal, "lacks"), lacks, sizeof lacks);
	fprintf(to, "%-12s %s, %s%s%s\n", "gap", words_text(p->proposal, "subject"), words_text(p->proposal, "kind"), lacks[0] ? ", lacks " : "", lacks);
	fprintf(to, "%-12s %s, %s risk; at most %d packet%s and %d bytes\n", "rule", words_text(p->proposal, "rule"),
		words_text(p->proposal, "risk"), packets, packets == 1 ? "" : "s",
		(int)json_integer_value(json_object_get(cost, "bytes")));
	show_word(to, "policy", words_text(p->proposal, "why"));
	if (words_text(p->proposal, "rationale")[0])
		explain_fold(words_text(p->proposal, "rationale"), INDENT, to);
}

/* Why this probe and not another. */
static void show_others(const struct listed_proposal *p, FILE *to)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(p->proposal, "alternatives"), i, one)
		fprintf(to, "%-12s %s, %s risk: %s\n", i == 0 ? "not chosen" : "", words_text(one, "rule"), words_text(one, "risk"), words_text(one, "why"));
}

static void show_signatures(const struct listed_proposal *p, FILE *to)
{
	const json_t *one, *t = json_object_get(p->proposal, "text");
	char names[128] = "";
	size_t i, n = 0;

	json_array_foreach(json_object_get(p->proposal, "signed"), i, one)
		if (n < sizeof names)
			n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : ": ", words_text(one, "analyst"));
	fprintf(to, "%-12s %zu of %d%s\n", "signatures", proposal_signatures(p),
		(int)json_integer_value(json_object_get(p->proposal, "signatures")), names);
	show_word(to, "expires", words_text(p->proposal, "expires"));
	if (json_object_get(t, "uses"))
		fprintf(to, "%-12s %d of %d\n", "used", (int)json_integer_value(json_object_get(p->proposal, "used")),
			(int)json_integer_value(json_object_get(t, "uses")));
}

static void show_hex(const char *hex, FILE *to)
{
	size_t column = 0;

	fprintf(to, "%*s", INDENT + 2, "");
	while (*hex) {
		size_t n = *hex == '{' ? strcspn(hex, "}") + 1 : strlen(hex) < 2 ? strlen(hex) : 2;

		if (column + n + 1 > HEX_COLUMNS) {
			fprintf(to, "\n%*s", INDENT + 2, "");
			column = 0;
		}
		fprintf(to, "%s%.*s", column ? " " : "", (int)n, hex);
		column += n + 1;
		hex += n;
	}
	fputc('\n', to);
}

static bool show_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	struct guard_answer answer = guard_allows(plan->rule->protocol, (enum transport)plan->rule->transport, m->bytes, m->len);
	char text[PLAN_TEXT_BYTES];
	FILE *to = context;

	plan_message_text(plan, m, text);
	fprintf(to, "%*s%s, message %u%s: %s\n", INDENT, "", plan->rule->steps[m->step].name, m->round + 1,
		m->perhaps ? ", if the answer before asks for it" : "", answer.allowed ? answer.reading : answer.why);
	show_hex(text, to);
	return true;
}

/* What the target is used to, as the sensor had learned it when the proposal was told. */
static void show_watch(const struct listed_proposal *p, FILE *to)
{
	const json_t *watch = json_object_get(p->proposal, "watch"), *one;
	size_t i;

	show_word(to, "quarantine", words_text(json_object_get(watch, "quarantine"), "evidence"));
	json_array_foreach(json_object_get(watch, "pairs"), i, one) {
		fprintf(to, "%-12s %s with %s: ", i == 0 ? "traffic" : "", words_text(one, "protocol"), words_text(one, "client"));
		if (json_is_true(json_object_get(one, "cyclic")))
			fprintf(to, "every %.0f ms (jitter %.1f), answered in %.1f ms, ", json_number_value(json_object_get(one, "period_ms")),
				json_number_value(json_object_get(one, "jitter_ms")), json_number_value(json_object_get(one, "round_trip_ms")));
		fprintf(to, "%s for %d s%s%s\n", json_is_true(json_object_get(one, "steady")) ? "steady" : "learned",
			(int)json_integer_value(json_object_get(one, "steady_s")), words_text(one, "deviation")[0] ? "; " : "",
			words_text(one, "deviation"));
	}
}

void proposal_show(const struct listed_proposal *p, const struct plan *plan, FILE *to)
{
	const json_t *one;
	size_t i;

	show_target(p, to);
	show_why(p, to);
	show_others(p, to);
	show_signatures(p, to);
	show_watch(p, to);
	show_word(to, "parameters", words_text(json_object_get(p->proposal, "text"), "parameters"));
	fprintf(to, "\nwould be sent%s:\n", plan ? "" : ", as the sensor says (not checked against rules here)");
	if (plan) {
		plan_messages(plan, show_message, to);
	} else {
		json_array_foreach(json_object_get(p->proposal, "messages"), i, one) {
			fprintf(to, "%*s%s, message %d: %s\n", INDENT, "", words_text(one, "step"),
				(int)json_integer_value(json_object_get(one, "round")), words_text(one, "reading"));
			show_hex(words_text(one, "hex"), to);
		}
	}
	fprintf(to, "A name in braces stands for bytes that a reply gives. No other payload is sent.\n");
}
