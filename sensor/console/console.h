/*
 * The analysts' console: a web page and what it asks for. A client of Redis like any other. It holds no key and can
 * sign nothing: it hands on what the browser signed, byte for byte, and the sensor checks it.
 */
#ifndef SENSOR_CONSOLE_CONSOLE_H
#define SENSOR_CONSOLE_CONSOLE_H

struct sensor;

/* Reads its configuration and serves until SIGTERM. The exit code: 0, or 2 for a wrong configuration. */
int console_run(void);

/* The sensors that it was told of, the first one for who asks for none. */
unsigned console_sensor_count(void);
struct sensor *console_sensor(unsigned at);

#endif
