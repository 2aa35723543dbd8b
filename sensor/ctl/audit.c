/* askance audit: what was asked of the plant, as the prober wrote it down; proves that nothing of it was changed. */
#include "sensor/ctl/audit.h"

#include "sensor/ctl/options.h"
#include "sensor/supervisor/configuration.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char default_config[] = "/etc/askance/askance.yaml";

struct options {
	const char *what, *config, *state, *id, *out;
	bool json;
	char folder[CONFIG_PATH_BYTES];
};

static void complain(void *context, const char *path, unsigned line, const char *sentence)
{
	(void)context;
	fprintf(stderr, "askance audit: %s:%u: %s\n", path, line, sentence);
}

static bool find_state(struct options *o)
{
	struct configuration c;

	if (o->state) {
		snprintf(o->folder, sizeof o->folder, "%s", o->state);
		return true;
	}
	if (configuration_read(o->config ? o->config : default_config, &c, complain, NULL) != 0)
		return false;
	snprintf(o->folder, sizeof o->folder, "%s", c.state);
	return true;
}

static void print_time(long long time_ns)
{
	time_t at = (time_t)(time_ns / 1000000000);
	char text[32] = "";
	struct tm utc;

	if (gmtime_r(&at, &utc))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc);
	printf("%s.%03lldZ", text, time_ns % 1000000000 / 1000000);
}

static int print_verdict(const struct audit_reading *r)
{
	char hash[2 * sizeof r->chain.hash + 1] = "";
	json_t *verdict;

	for (size_t i = 0; i < sizeof r->chain.hash; i++)
		sprintf(hash + 2 * i, "%02x", r->chain.hash[i]);
	verdict = json_pack("{s:b,s:I,s:i,s:I,s:I,s:I,s:s}", "holds", 1, "records", (json_int_t)r->chain.number, "files", (int)r->files, "marks",
			    (json_int_t)r->marks, "unfinished", (json_int_t)r->torn + (json_int_t)r->open_end, "last_time_ns",
			    (json_int_t)r->chain.time_ns, "sha256", hash);
	if (verdict)
		json_dumpf(verdict, stdout, JSON_COMPACT);
	json_decref(verdict);
	puts("");
	return EXIT_WELL;
}

static int verify(const struct options *o)
{
	struct audit_reading r = { .files = 0 };

	snprintf(r.state, sizeof r.state, "%s", o->folder);
	if (!audit_read(&r)) {
		fprintf(stderr, "askance audit: the audit does not hold. %s\n", r.why);
		return EXIT_NOTHING;
	}
	if (o->json)
		return print_verdict(&r);
	printf("the audit holds: %" PRIu64 " records in %u files, %" PRIu64 " marks of the ledger", r.chain.number, r.files, r.marks);
	if (r.torn || r.open_end)
		printf(", %" PRIu64 " lines left unfinished", r.torn + r.open_end);
	printf("\nlast record: %" PRIu64 ", ", r.chain.number);
	print_time(r.chain.time_ns);
	printf(", sha256 ");
	for (size_t i = 0; i < sizeof r.chain.hash; i++)
		printf("%02x", r.chain.hash[i]);
	puts("");
	return EXIT_WELL;
}

/* Which run belongs to the approval that was asked for. */
struct showing {
	const struct options *o;
	long long run;
	unsigned shown;
};

static bool is_wanted(struct showing *s, const json_t *r)
{
	const char *id = audit_field(r, "approval_id");

	if (!s->o->id)
		return true;
	if (id[0])
		s->run = strcmp(id, s->o->id) == 0 ? audit_value(r, "run") : 0;
	return s->run && audit_value(r, "run") == s->run;
}

static void print_details(const json_t *r)
{
	static const char *const texts[] = { "rule", "target", "refusal", "end", "step", "why", "bytes" };

	if (audit_value(r, "run"))
		printf("  run %lld", audit_value(r, "run"));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const char *text = audit_field(r, texts[i]);

		if (text[0])
			printf("  %s %.120s%s", texts[i], text, strlen(text) > 120 ? "..." : "");
	}
}

static void show_record(void *context, const char *line, const struct json_t *r)
{
	struct showing *s = context;

	if (!is_wanted(s, r))
		return;
	s->shown++;
	if (s->o->json) {
		puts(line);
		return;
	}
	printf("%6lld  ", audit_value(r, "number"));
	print_time(audit_value(r, "at_ns") ? audit_value(r, "at_ns") : audit_value(r, "time_ns"));
	printf("  %-9s", audit_field(r, "type"));
	print_details(r);
	puts("");
}

static int show(const struct options *o)
{
	struct showing s = { .o = o };
	struct audit_reading r = { .see = show_record, .context = &s };

	snprintf(r.state, sizeof r.state, "%s", o->folder);
	if (!audit_read(&r)) {
		fflush(stdout);
		fprintf(stderr, "askance audit: the audit does not hold. %s\n", r.why);
		return s.shown ? EXIT_PARTLY : EXIT_NOTHING;
	}
	if (!s.shown)
		fprintf(stderr, "askance audit: no record%s%s\n", o->id ? " of approval " : "", o->id ? o->id : "");
	return s.shown ? EXIT_WELL : EXIT_NOTHING;
}

static int export(const struct options *o)
{
	char why[CONFIG_PATH_BYTES * 2];
	unsigned runs = 0;
	FILE *to = fopen(o->out, "wb");
	bool good;

	if (!to) {
		fprintf(stderr, "askance audit: %s can't be written\n", o->out);
		return EXIT_NOTHING;
	}
	good = audit_export(o->folder, o->id, to, &runs, why);
	good &= fclose(to) == 0;
	if (!good)
		fprintf(stderr, "askance audit: %s\n", why);
	else if (!runs)
		fprintf(stderr, "askance audit: no run%s%s\n", o->id ? " of approval " : "", o->id ? o->id : "");
	else
		printf("%s: %u run%s\n", o->out, runs, runs == 1 ? "" : "s");
	return !good ? (runs ? EXIT_PARTLY : EXIT_NOTHING) : runs ? EXIT_WELL : EXIT_NOTHING;
}

static const struct verb_option options[] = {
	OPTION_WORD(struct options, what, "verify|show|export",
		    "hold every record against the one before and the ledger; print the records; or write runs as a pcapng file: headers "
		    "rebuilt, bytes and times as they were, what they were for as comments"),
	OPTION_TEXT(struct options, config, 'c', "config", "FILE", "the sensor's configuration (/etc/askance/askance.yaml)"),
	OPTION_TEXT(struct options, state, 0, "state", "DIR", "its state folder instead"),
	OPTION_TEXT(struct options, id, 0, "id", "APPROVAL", "only runs of this approval (show, export)"),
	OPTION_FLAG(struct options, json, 0, "json", "the verdict, or records as they stand in the file"),
	OPTION_TEXT(struct options, out, 'o', "output", "FILE", "where to write (export)"),
	OPTION_END,
};

static int audit(int argc, char **argv)
{
	struct options o = { .what = NULL };

	if (!options_take(options, &o, argc, argv) || !find_state(&o))
		return EXIT_NOTHING;
	if (strcmp(o.what, "verify") == 0)
		return verify(&o);
	if (strcmp(o.what, "show") == 0)
		return show(&o);
	if (o.out)
		return export(&o);
	fprintf(stderr, "askance audit: export wants -o FILE\n");
	return EXIT_NOTHING;
}

const struct verb verb_audit = {
	.name = "audit",
	.summary = "show what was asked of the plant, byte for byte; prove that it was not changed",
	.options = options,
	.exits = { "all is well", "a fault was met after some were shown", "the audit does not hold, or nothing was found" },
	.run = audit,
};
