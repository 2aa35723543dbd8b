/* The verbs there are. A new one is its file and two words here. */
#include "sensor/ctl/verb.h"

#include <string.h>

extern const struct verb verb_approve, verb_assets, verb_audit, verb_check, verb_deny, verb_explain, verb_export, verb_gaps, verb_help,
	verb_keygen, verb_proposals, verb_read, verb_release, verb_resume, verb_revoke, verb_rules, verb_run, verb_show, verb_status,
	verb_stop;

const struct verb *const verb_list[] = {
	&verb_approve,
	&verb_assets,
	&verb_audit,
	&verb_check,
	&verb_deny,
	&verb_explain,
	&verb_export,
	&verb_gaps,
	&verb_help,
	&verb_keygen,
	&verb_proposals,
	&verb_read,
	&verb_release,
	&verb_resume,
	&verb_revoke,
	&verb_rules,
	&verb_run,
	&verb_show,
	&verb_status,
	&verb_stop,
	NULL,
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; verb_list[i]; i++)
		if (strcmp(verb_list[i]->name, name) == 0)
			return verb_list[i];
	return NULL;
}
