/* The prober's walls. It refuses every order as yet, so it has no need of a socket. */
#ifndef ACTIVE_PROBER_WALLS_H
#define ACTIVE_PROBER_WALLS_H

#include <stdbool.h>

/* As sandbox_enter(). */
int prober_walls(bool require);

#endif
