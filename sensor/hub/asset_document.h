/* What stands under "ot" for one asset: itself, services, attributes, sub-assets, conversations, gaps. */
#ifndef SENSOR_HUB_ASSET_DOCUMENT_H
#define SENSOR_HUB_ASSET_DOCUMENT_H

#include "sensor/hub/document.h"

/* The members after "zone"; at most `talks` conversations. */
void asset_document_body(struct json *j, const struct subject *s, size_t talks);

#endif
