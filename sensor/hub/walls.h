/* The hub's walls: its store, its rules, its Redis, and no other file or peer. */
#ifndef SENSOR_HUB_WALLS_H
#define SENSOR_HUB_WALLS_H

#include "sensor/common/config.h"

/*
 * The paths and the one TCP port come from the configuration. Later it may open files below
 * state_dir and beside jsonl, read the rules and databases, connect to Redis, and start threads.
 * As sandbox_enter(); -1 also when redis_url can't be understood.
 */
int hub_walls(const struct hub_config *config);

#endif
