/* The prober's walls: what it opened, and sockets from its source ports. */
#ifndef ACTIVE_PROBER_WALLS_H
#define ACTIVE_PROBER_WALLS_H

#include "active/prober/state.h"

/*
 * As sandbox_enter(). The descriptors of *p are those that may be written to; sockets may be used only
 * under numbers that are free now.
 */
int prober_walls(const struct prober *p);

#endif
