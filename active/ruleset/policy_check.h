/* Checks of the policy's files beyond their form, and their data for those who enforce it. Inside active/ only. */
#ifndef ACTIVE_RULESET_POLICY_CHECK_H
#define ACTIVE_RULESET_POLICY_CHECK_H

#include "active/ruleset/policy.h"
#include "active/ruleset/policy_file.h"
#include "active/ruleset/yaml_line.h"

enum policy_kind { POLICY_WHITELIST, POLICY_EXCLUSIONS, POLICY_WINDOWS, POLICY_BUDGETS, POLICY_ANALYSTS, POLICY_FILES };

void policy_check_windows(const struct yaml_file *file, const struct windows_file *w, struct mistakes *m);
void policy_check_budgets(const struct yaml_file *file, const struct policy_budgets *b, struct mistakes *m);
void policy_check_analysts(const struct yaml_file *file, const struct analysts_file *a, struct mistakes *m);

/* The struct whitelist_file, exclusions_file, windows_file, policy_budgets or analysts_file of that kind. */
const void *policy_data(const struct policy *policy, enum policy_kind kind);

/* The line of the i-th entry of a file's list. */
uint32_t policy_line(const struct policy *policy, enum policy_kind kind, const char *list, size_t i);

/* The time zones of the windows, in their order. */
struct timezone_data;
struct timezone_data *const *policy_zones(const struct policy *policy);

/* Minutes since midnight of "22:30"; 24:00 is the day's end. -1 when it is no time. */
int policy_minutes(const char *text);

#endif
