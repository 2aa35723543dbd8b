/* The address that browsers come to. */
#ifndef SENSOR_CONSOLE_LISTEN_H
#define SENSOR_CONSOLE_LISTEN_H

#include <stdbool.h>

/*
 * "127.0.0.1:8080", "[::1]:8080"; ":8080" is that of 127.0.0.1; names are not taken. The listening socket, or -1 after
 * log_error(). Without `login` an address that other machines reach is refused.
 */
int listen_open(const char *text, bool login);

#endif
