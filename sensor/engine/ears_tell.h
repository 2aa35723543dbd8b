/* A line of a file of service probes that matched, told as findings; within the engine, see ears.c. */
#ifndef SENSOR_ENGINE_EARS_TELL_H
#define SENSOR_ENGINE_EARS_TELL_H

#include "classifiers/match/service_match.h"
#include "classifiers/probes/service_request.h"
#include "sensor/engine/flow.h"

struct engine;

/*
 * Tells what the line says of the server, which sends in `direction`. The structure that a classifier read is
 * worth more: where it reads the flow, a line of another service is counted and not told. True when the
 * flow's service has got its name by this.
 */
bool ears_tell(struct engine *e, const struct flow *f, const struct packet *p, uint8_t direction, const struct service_found *found,
	       enum service_kinship kinship);

#endif
