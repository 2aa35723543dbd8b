/* The bar that shows a person how far a long file is read. */
#ifndef SENSOR_CTL_PROGRESS_H
#define SENSOR_CTL_PROGRESS_H

#include "sensor/common/message.h"

/* Draws over the last drawing, on stderr. */
void progress_draw(const char *name, const struct progress *p);
void progress_clear(void);

#endif
