/*
 * The sensors of this console as one picture: each device once, with all its witnesses. Made of the assets that
 * sensor.h keeps, when a page asks and something changed; what analysts decided is read over a connection of its own.
 */
#ifndef SENSOR_CONSOLE_FLEET_ANSWER_H
#define SENSOR_CONSOLE_FLEET_ANSWER_H

#include "sensor/console/request.h"

/*
 * Keeps the decisions up to date from now on. The caller has filled the URL, loop and relay of `link`, which stays his.
 * -1 after log_error(). With one sensor it need not be called: nobody joins what nobody else hears.
 */
int fleet_answer_start(struct redis_link *link);
void fleet_answer_stop(void);

/* The answer to /api/fleet. */
void fleet_handle(struct request *r);

#endif
