/* One read after the other until the size that the file had at first. */
#include "classifiers/files/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *whole_file(int fd, size_t most, size_t *len, const char **why)
{
	struct stat st;
	char *text;
	ssize_t n = 1;

	*len = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > most) {
		*why = "is no file of a size that is read";
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	while (text && *len < (size_t)st.st_size && (n = pread(fd, text + *len, (size_t)st.st_size - *len, (off_t)*len)) > 0)
		*len += (size_t)n;
	if (text && n >= 0)
		return text;
	*why = text ? strerror(errno) : "no memory";
	free(text);
	return NULL;
}
