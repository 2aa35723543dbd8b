/* The engine's walls: it has a file or a ring to read, a ring to write, and nothing else. */
#ifndef SENSOR_ENGINE_WALLS_H
#define SENSOR_ENGINE_WALLS_H

#include <stdbool.h>

/* After the rings are mapped, the file is looked at (no stat after this) and tables are read. As sandbox_enter(). */
int engine_walls(bool require);

#endif
