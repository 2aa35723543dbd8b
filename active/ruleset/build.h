/* From the words of a file to a rule: building, checking and hashing it. Inside active/ruleset only. */
#ifndef ACTIVE_RULESET_BUILD_H
#define ACTIVE_RULESET_BUILD_H

#include "active/ruleset/rule_file.h"
#include "active/ruleset/yaml_line.h"

/* The rule at work on, and where in its file it stands. */
struct building {
	const struct yaml_file *file;
	struct mistakes *m;
	size_t index; /* in the file's list of rules */
	const struct probe_file *probe;
	const struct rule_file *raw;
	struct rule *rule;
	struct hole *holes;
	struct step *steps;
	bool unread; /* a message could not be read, so its holes are not known */
	bool unsent; /* nothing of it will be sent from here: the guard is not asked */
};

/* A mistake of this rule. `line` from line_in(). */
void wrong(const struct building *b, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The line of a path inside the rule, "steps[2].send". */
uint32_t line_in(const struct building *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills b->rule from b->raw. The rule borrows the raw's texts. Every mistake is told. */
void build_rule(struct building *b);
void build_holes(struct building *b);
void check_holes(const struct building *b);
void build_steps(struct building *b);
void check_rule(const struct building *b);
/* What its steps can take at most; needs no mistake to have been made. */
void check_bounds(const struct building *b);
/* Every message that it can render, before the guard. */
void check_guard(const struct building *b);

/* Blanks and line ends at the end of a text are the YAML's, not the writer's. */
void trim_end(char *text);

/* True for a word of a-z, 0-9 and `more`, at least one. */
bool is_word(const char *s, const char *more);

#endif
