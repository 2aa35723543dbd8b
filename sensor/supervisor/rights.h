/* What the supervisor may do: become an ordinary user, hold the state folder, lend capture its one capability. */
#ifndef SENSOR_SUPERVISOR_RIGHTS_H
#define SENSOR_SUPERVISOR_RIGHTS_H

#include "sensor/supervisor/configuration.h"

/*
 * Makes the state folder, becomes the user of the configuration (or `askance`, when it exists and
 * root started us), puts up the supervisor's walls and takes the lock on the state folder. What this
 * kernel lacks of them (enum sandbox_lack; 0 for nothing), or -1 after log_error().
 */
int rights_reduce(const struct configuration *c);

/* The change of user alone, for a client of the sensor's own Redis. 0, or -1 after log_error(). */
int rights_become_user(const struct configuration *c);

/* While lent, a process that is started may open packet sockets. */
void rights_lend_net_raw(bool lent);

#endif
