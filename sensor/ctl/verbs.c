/* The verbs there are. A new one is its file and one word here. */
#include "sensor/ctl/verb.h"

#include <string.h>

/* In alphabetical order. */
#define VERBS(row) \
	row(accept) \
	row(approve) \
	row(assets) \
	row(audit) \
	row(check) \
	row(console) \
	row(deny) \
	row(diff) \
	row(explain) \
	row(export) \
	row(facts) \
	row(fleet) \
	row(gaps) \
	row(help) \
	row(ignore) \
	row(keygen) \
	row(merge) \
	row(proposals) \
	row(read) \
	row(release) \
	row(report) \
	row(resume) \
	row(revoke) \
	row(rules) \
	row(run) \
	row(set) \
	row(setup) \
	row(show) \
	row(split) \
	row(status) \
	row(stop) \
	row(top) \
	row(undo)

#define DECLARATION(name) extern const struct verb verb_##name;
#define POINTER(name) &verb_##name,

VERBS(DECLARATION)

const struct verb *const verb_list[] = { VERBS(POINTER) NULL };

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; verb_list[i]; i++)
		if (strcmp(verb_list[i]->name, name) == 0)
			return verb_list[i];
	return NULL;
}
