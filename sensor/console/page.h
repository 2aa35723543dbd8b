/* The page: files that the build compiled in. */
#ifndef SENSOR_CONSOLE_PAGE_H
#define SENSOR_CONSOLE_PAGE_H

#include "sensor/console/answer.h"

struct page_file {
	const char *path;  /* "/app.js" */
	const char *type;
	const unsigned char *bytes, *end;
};

/* Written by the build; ended by a NULL path. Empty when the page was not built. */
extern const struct page_file page_files[];

/* Compresses the files once. False when there is no page. */
bool page_open(void);

/* The file at that path, or an error. */
struct answer page_answer(struct MHD_Connection *c, const char *path, const char *method, bool gzip);

#endif
