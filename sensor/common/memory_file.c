/* Memory files; memory_file.h says what for. */
#include "sensor/common/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int memory_file_create(const char *name, size_t size, int *rw, int *ro)
{
	char path[64];
	int cause;

	*rw = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*rw < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", *rw);
	if (ftruncate(*rw, (off_t)size) == 0 && fcntl(*rw, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 &&
	    (*ro = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
		return 0;
	cause = errno;
	close(*rw);
	*rw = -1;
	errno = cause;
	return -1;
}
