/* From where a request comes: the guard against pages of others that use a visitor's browser. */
#ifndef SENSOR_CONSOLE_ORIGIN_H
#define SENSOR_CONSOLE_ORIGIN_H

#include "sensor/console/answer.h"
#include "sensor/console/tls.h"

/*
 * The error to answer with, or no response. The name that the browser was told must be ours, else another's name leads
 * here (DNS rebinding); the page that asks must be ours; what changes something must say so.
 */
struct answer origin_check(struct MHD_Connection *c, const struct tls *tls, bool changes);

#endif
