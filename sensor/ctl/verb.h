/*
 * One verb of the `askance` command: askance VERB [ARGUMENT...]. A file under sensor/ctl/ each, and a row in
 * verbs.c. From the struct come the parsing of the command line (options.h), --help, the man page and the
 * completion of shells; so a verb says of itself here everything there is to say, and parses nothing by hand:
 *
 *	struct request {
 *		struct sensor_link link;
 *		const char *key;
 *		bool json;
 *	};
 *
 *	static const struct verb_option options[] = {
 *		OPTION_WORD(struct request, key, "ASSET", "an IP or MAC address, a host name or an id"),
 *		OPTION_FLAG(struct request, json, 0, "json", "its JSON document"),
 *		OPTION_GROUP(struct request, link, sensor_link_options),
 *		OPTION_END,
 *	};
 *
 *	static int run_show(int argc, char **argv)
 *	{
 *		struct request q = { .link = { .verb = "show" } };
 *
 *		if (!options_take(options, &q, argc, argv))
 *			return EXIT_NOTHING;
 *		...
 *	}
 */
#ifndef SENSOR_CTL_VERB_H
#define SENSOR_CTL_VERB_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes of every verb. A verb may define others from 3 on. */
enum {
	EXIT_WELL = 0,
	EXIT_PARTLY = 1,  /* something was cut short or found wanting; what there is was printed */
	EXIT_NOTHING = 2, /* nothing could be done, or the call was wrong */
	VERB_EXITS = 5,
};

enum option_kind {
	KIND_END,
	KIND_FLAG,   /* bool, set to true */
	KIND_TEXT,   /* const char *, into argv */
	KIND_COPY,   /* char[room]; a longer text is a mistake */
	KIND_NUMBER, /* int, least .. most */
	KIND_WORD,   /* const char *: the next word that is no option */
	KIND_WORDS,  /* struct option_words: all further ones */
	KIND_GROUP,  /* a struct with a table of its own, as for reaching the sensor */
};

/* A row of a verb's table. Made by the macros below, which hold the field's type against the kind. */
struct verb_option {
	enum option_kind kind;
	char letter;       /* 'c' for -c, 0 for none */
	bool may_lack;     /* of words */
	const char *name;  /* "config" for --config; NULL of words */
	/*
	 * What the value or the word is called, in capitals: FILE and DIR are completed as paths. In small letters it
	 * is a choice, as in "fast|slow", and nothing else is taken.
	 */
	const char *value;
	const char *text;  /* what it is or does: a phrase */
	size_t offset, room;
	int least, most;
	const struct verb_option *group;
};

struct option_words {
	char **at; /* into argv */
	int count;
};

#define OPTION_FIELD(type, field, of) (offsetof(type, field) + 0 * sizeof(*(1 ? &((type *)0)->field : (of *)0)))
#define OPTION_FLAG(type, field, letter, name, text) \
	{ KIND_FLAG, letter, false, name, NULL, text, OPTION_FIELD(type, field, bool), 0, 0, 0, NULL }
#define OPTION_TEXT(type, field, letter, name, value, text) \
	{ KIND_TEXT, letter, false, name, value, text, OPTION_FIELD(type, field, const char *), 0, 0, 0, NULL }
#define OPTION_COPY(type, field, letter, name, value, text) \
	{ KIND_COPY, letter, false, name, value, text, offsetof(type, field), sizeof(((type *)0)->field), 0, 0, NULL }
#define OPTION_NUMBER(type, field, letter, name, value, least, most, text) \
	{ KIND_NUMBER, letter, false, name, value, text, OPTION_FIELD(type, field, int), 0, least, most, NULL }
#define OPTION_WORD(type, field, value, text) \
	{ KIND_WORD, 0, false, NULL, value, text, OPTION_FIELD(type, field, const char *), 0, 0, 0, NULL }
#define OPTION_MAYBE_WORD(type, field, value, text) \
	{ KIND_WORD, 0, true, NULL, value, text, OPTION_FIELD(type, field, const char *), 0, 0, 0, NULL }
#define OPTION_WORDS(type, field, value, text) \
	{ KIND_WORDS, 0, false, NULL, value, text, OPTION_FIELD(type, field, struct option_words), 0, 0, 0, NULL }
#define OPTION_MAYBE_WORDS(type, field, value, text) \
	{ KIND_WORDS, 0, true, NULL, value, text, OPTION_FIELD(type, field, struct option_words), 0, 0, 0, NULL }
#define OPTION_GROUP(type, field, table) \
	{ KIND_GROUP, 0, false, NULL, NULL, NULL, offsetof(type, field), 0, 0, 0, table }
#define OPTION_END { KIND_END, 0, false, NULL, NULL, NULL, 0, 0, 0, 0, NULL }

struct verb {
	const char *name;
	const char *usage;   /* what follows the name, where the options' table can't tell it; else NULL */
	const char *summary; /* one line: "list the devices that a running sensor knows" */
	const struct verb_option *options;
	/* Paragraphs parted by empty lines; lines that begin with a blank stay as they are. NULL for none. */
	const char *help;
	const char *exits[VERB_EXITS]; /* what each exit code means; NULL where it is not used */
	/* argv[0] is the verb's name. Returns the exit code; messages go to stderr as "askance VERB: ...". */
	int (*run)(int argc, char **argv);
};

/* All verbs in alphabetical order, ended by NULL (verbs.c). */
extern const struct verb *const verb_list[];

/* NULL when there is none of the name. */
const struct verb *verb_find(const char *name);

#endif
