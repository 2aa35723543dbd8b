/* One line a message, written by a single write() so that processes do not mix their words. */
#include "sensor/common/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_BYTES = 1024 };

static const char *process = "askance";
static bool journal;

void log_open(const char *name)
{
	process = name;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

static void put(int level, const char *format, va_list args)
{
	char line[LINE_BYTES];
	int n = journal ? snprintf(line, sizeof line, "<%d>%s: ", level, process) : snprintf(line, sizeof line, "%s: ", process);
	int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);

	if (m < 0)
		return;
	n = n + m < LINE_BYTES - 1 ? n + m : LINE_BYTES - 2;
	line[n] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n + 1) < 0) {
		/* There is nobody left to tell. */
	}
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(3, format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(4, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(6, format, args);
	va_end(args);
}
