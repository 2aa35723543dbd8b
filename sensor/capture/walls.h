/* Capture's walls: it holds sockets that could transmit, so it may write to nothing but the ring. */
#ifndef SENSOR_CAPTURE_WALLS_H
#define SENSOR_CAPTURE_WALLS_H

#include <stdbool.h>

/* After all packet sockets are open: none can be opened later. As sandbox_enter(). */
int capture_walls(unsigned rings, bool require);

#endif
