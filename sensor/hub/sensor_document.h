/* Documents about the sensor itself: the ECS envelope without a device. */
#ifndef SENSOR_HUB_SENSOR_DOCUMENT_H
#define SENSOR_HUB_SENSOR_DOCUMENT_H

#include "sensor/common/config.h"
#include "sensor/hub/document.h"

/* Clears `j` and writes everything up to "ot", which is open for members. */
void sensor_document_open(struct json *j, const struct hub_config *config, const struct event_words *w, uint64_t epoch, int64_t seq);
void sensor_document_close(struct json *j);

#endif
