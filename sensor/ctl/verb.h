/* One verb of the `askance` command: askance VERB [ARGUMENT...]. One file under sensor/ctl/ each. */
#ifndef SENSOR_CTL_VERB_H
#define SENSOR_CTL_VERB_H

/* Exit codes of every verb. A verb may define others from 3 on. */
enum {
	EXIT_WELL = 0,
	EXIT_PARTLY = 1,  /* something was cut short or found wanting; what there is was printed */
	EXIT_NOTHING = 2, /* nothing could be done, or the call was wrong */
};

struct verb {
	const char *name;
	const char *usage;   /* what follows the name: "[--json] FILE..." */
	const char *summary; /* one line */
	const char *help;    /* the rest of --help: options, exit codes, examples; lines of at most 78 columns */
	/* argv[0] is the verb's name. Returns the exit code; messages go to stderr as "askance VERB: ...". */
	int (*run)(int argc, char **argv);
};

#endif
