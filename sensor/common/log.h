/* Messages for the person who runs the sensor: one line each on stderr, with the process's name. */
#ifndef SENSOR_COMMON_LOG_H
#define SENSOR_COMMON_LOG_H

/* Names the process once at its start ("hub"); not copied. */
void log_open(const char *process);

/* Level as systemd's journal reads it from the line's start; the words say what happened, where, and what to do. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
