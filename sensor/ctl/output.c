/* A full disk is told; a pager that was closed is not. */
#include "sensor/ctl/output.h"

#include "sensor/ctl/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int output_end(const char *verb, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE)
		fprintf(stderr, "askance %s: stdout: %s\n", verb, strerror(errno));
	return EXIT_PARTLY;
}
