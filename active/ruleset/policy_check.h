/* Checks of the policy's files beyond their form, and their data for those who enforce it. Inside active/ only. */
#ifndef ACTIVE_RULESET_POLICY_CHECK_H
#define ACTIVE_RULESET_POLICY_CHECK_H

#include "active/ruleset/policy.h"
#include "active/ruleset/policy_file.h"
#include "active/ruleset/yaml_line.h"

enum policy_kind { POLICY_WHITELIST, POLICY_EXCLUSIONS, POLICY_WINDOWS, POLICY_BUDGETS, POLICY_ANALYSTS, POLICY_FILES };

void policy_check_windows(const struct yaml_file *file, const struct windows_file *w, struct mistakes *m);
void policy_check_budgets(const struct yaml_file *file, const struct budgets_file *b, struct mistakes *m);
void policy_check_analysts(const struct yaml_file *file, const struct analysts_file *a, struct mistakes *m);

/* The struct whitelist_file, exclusions_file, windows_file, budgets_file or analysts_file of that kind. */
const void *policy_data(const struct policy *policy, enum policy_kind kind);

#endif
