/* The end of what a verb prints. */
#ifndef SENSOR_CTL_OUTPUT_H
#define SENSOR_CTL_OUTPUT_H

/* `code` when all of stdout was written, else EXIT_PARTLY; why is told, unless the reader went away. */
int output_end(const char *verb, int code);

#endif
