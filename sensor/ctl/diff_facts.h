/* What of an asset is compared: its document as a flat table of facts, without times, frames and guesses' weights. */
#ifndef SENSOR_CTL_DIFF_FACTS_H
#define SENSOR_CTL_DIFF_FACTS_H

#include <jansson.h>
#include <stddef.h>

/*
 * A new object: "ip", "class", "service tcp/502", "firmware", "firmware (modbus/502/unit:1)", "sub-asset ..." each with
 * an object whose keys are the values known of it.
 */
json_t *diff_facts(const json_t *document);

/* Pairs of the same asset in two pictures, by index; DIFF_NONE where the other lacks it. */
#define DIFF_NONE ((size_t)-1)

struct asset_list;

/*
 * Which asset of b is asset i of a, in of_a[i]: the one of the same id, else the one with a MAC of it, else the one with
 * an IP of it under the same VLANs. of_b[] holds the way back.
 */
void diff_match(const struct asset_list *a, const struct asset_list *b, size_t *of_a, size_t *of_b);

#endif
