/* The console's walls: its connections, and Redis over a UNIX socket; no file, no program, no other peer. */
#ifndef SENSOR_CONSOLE_WALLS_H
#define SENSOR_CONSOLE_WALLS_H

#include <stdbool.h>

/* Call it when the listening socket is open and the certificates are read. As sandbox_enter(). */
int console_walls(bool require);

#endif
