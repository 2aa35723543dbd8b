/* A descriptor as a window of bytes that slides forward, unpacked when it is gzip (RFC 1952). */
#ifndef SENSOR_ENGINE_BYTE_SOURCE_H
#define SENSOR_ENGINE_BYTE_SOURCE_H

#include "classifiers/api/cursor.h"

struct byte_source;

/* The window always can hold `largest` bytes. NULL without memory. */
struct byte_source *byte_source_open(int fd, size_t largest);
void byte_source_close(struct byte_source *s);

/* What is in the window and not yet behind. Valid until the next refill. */
struct cursor byte_source_cursor(const struct byte_source *s);
size_t byte_source_left(const struct byte_source *s);
void byte_source_advance(struct byte_source *s, size_t len);

/* Moves what is left to the front and reads more behind it. False when nothing more came. */
bool byte_source_refill(struct byte_source *s);
bool byte_source_ended(const struct byte_source *s);
/* The gzip data, or the read itself, failed. */
bool byte_source_broken(const struct byte_source *s);
uint64_t byte_source_read(const struct byte_source *s);     /* bytes of the file */
uint64_t byte_source_unpacked(const struct byte_source *s); /* bytes given into the window */

#endif
