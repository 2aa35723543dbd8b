/* What the lists and the map show of an asset, cut out of its document. */
#ifndef SENSOR_CONSOLE_SUMMARY_H
#define SENSOR_CONSOLE_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>

struct summary {
	char *asset; /* a JSON object */
	char *gaps;  /* JSON objects parted by commas, each a gap with whose it is; "" for none */
};

/* From the document of an asset. False when it is none, or memory is short. The caller frees with summary_free(). */
bool summary_make(struct summary *s, const json_t *document);
void summary_free(struct summary *s);

#endif
