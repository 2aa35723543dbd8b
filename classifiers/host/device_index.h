/*
 * The conditions of all device rules by where they look, so that a value meets only those that could hold of it and is
 * looked at once, however many rules there are. Between the rules' loader and the judge; not for other parts.
 */
#ifndef CLASSIFIERS_HOST_DEVICE_INDEX_H
#define CLASSIFIERS_HOST_DEVICE_INDEX_H

#include "classifiers/host/device_class.h"
#include "classifiers/host/device_rules.h"

struct device_index;

/* Of rules that stay as they are for as long as it. NULL when memory is short. */
struct device_index *device_index_make(const struct device_rules *r);
void device_index_free(struct device_index *x);

/*
 * The rules whose conditions all hold, in the order in which they were loaded; *count of them. They hold until the
 * next call: one caller at a time.
 */
const struct device_rule *const *device_index_match(struct device_index *x, const struct device_evidence *e, size_t *count);

#endif
