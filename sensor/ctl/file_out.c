/* Written beside its place, synced, and renamed into it. */
#include "sensor/ctl/file_out.h"

#include "sensor/ctl/output.h"
#include "sensor/ctl/verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_out_open(struct file_out *f, const char *verb, const char *path)
{
	int fd;
	mode_t mask;

	*f = (struct file_out){ .verb = verb, .path = path && strcmp(path, "-") != 0 ? path : NULL, .to = stdout };
	if (!f->path)
		return 0;
	if (snprintf(f->temporary, sizeof f->temporary, "%s.XXXXXX", f->path) >= (int)sizeof f->temporary) {
		fprintf(stderr, "askance %s: %s: the path is too long\n", verb, path);
		return -1;
	}
	fd = mkstemp(f->temporary);
	f->to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f->to) {
		fprintf(stderr, "askance %s: %s can't be written: %s\n", verb, path, strerror(errno));
		return -1;
	}
	/* mkstemp() allows nobody else; the file is as open as any other of this user. */
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	return 0;
}

int file_out_close(struct file_out *f, int code)
{
	bool written;

	if (!f->path)
		return code == EXIT_NOTHING ? code : output_end(f->verb, code);
	written = fflush(f->to) == 0 && !ferror(f->to) && fsync(fileno(f->to)) == 0;
	written &= fclose(f->to) == 0;
	if (code != EXIT_NOTHING && written && rename(f->temporary, f->path) == 0)
		return code;
	if (code != EXIT_NOTHING)
		fprintf(stderr, "askance %s: %s can't be written: %s\n", f->verb, f->path, strerror(errno));
	unlink(f->temporary);
	return EXIT_NOTHING;
}
