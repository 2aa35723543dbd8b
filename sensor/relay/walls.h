/* The relay's walls: TCP to the configured ports, its own listening socket, and the resolver's files. */
#ifndef SENSOR_RELAY_WALLS_H
#define SENSOR_RELAY_WALLS_H

#include "sensor/relay/passage.h"

/* As sandbox_enter(). */
int relay_walls(const struct relay *relay);

#endif
