/* Memory that two processes share, of which one may write and the other only read. */
#ifndef SENSOR_COMMON_MEMORY_FILE_H
#define SENSOR_COMMON_MEMORY_FILE_H

#include <stddef.h>

/*
 * Two descriptors of `size` bytes of zeros, whose size nobody can change: to map writable, and to map for reading alone. The
 * caller closes both. `name` is what /proc calls it. 0, or -1 with errno.
 */
int memory_file_create(const char *name, size_t size, int *rw, int *ro);

#endif
