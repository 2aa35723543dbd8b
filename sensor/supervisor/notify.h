/*
 * Tells the service manager (sd_notify(3), Type=notify) that the sensor listens, and that it ends. Without one, that
 * is without NOTIFY_SOCKET in the environment, nothing happens.
 */
#ifndef SENSOR_SUPERVISOR_NOTIFY_H
#define SENSOR_SUPERVISOR_NOTIFY_H

/* Connects, while the walls still let it. A manager that can't be reached is told to the log and no reason to end. */
void notify_open(void);

/* Sends lines such as "READY=1". */
void notify_say(const char *lines);

#endif
