/* The documents of a sensor's assets as they stand in its Redis. */
#ifndef SENSOR_CTL_ASSET_LIST_H
#define SENSOR_CTL_ASSET_LIST_H

#include "sensor/ctl/sensor_link.h"

#include <jansson.h>

struct asset_list {
	struct listed_asset {
		json_t *document;
		char *body; /* the line as it stands in Redis */
		unsigned char order[24]; /* VLANs and address: documents stand in this order */
	} *items;
	size_t count, room;
};

/* Everything, in the order of `askance read`: zone, then address. 0, or -1 after a message. */
int asset_list_fetch(struct asset_list *a, struct sensor_link *l);
/* Takes in one document, as text; what is none is passed over. asset_list_sort() brings them in order. */
void asset_list_add(struct asset_list *a, const char *body, size_t len);
void asset_list_sort(struct asset_list *a);

void asset_list_free(struct asset_list *a);

#endif
