/* The web server: connections, limits, who may ask, and the way from a request to its route. */
#ifndef SENSOR_CONSOLE_SERVER_H
#define SENSOR_CONSOLE_SERVER_H

#include "sensor/console/tls.h"

#include <uv.h>

/* Takes the listening socket over. `tls` is NULL without TLS. -1 after log_error(). */
int server_start(uv_loop_t *loop, int listener, const struct tls *tls);
/* Connections were resumed: goes on with them soon. */
void server_kick(void);
void server_stop(void);

#endif
