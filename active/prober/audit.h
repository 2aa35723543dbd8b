/*
 * The audit: everything that was asked for, refused, sent and received, as lines of
 * STATE/audit/NNNN.log that seal each other (active/guard/chain.h). What can't be written there is
 * not done.
 */
#ifndef ACTIVE_PROBER_AUDIT_H
#define ACTIVE_PROBER_AUDIT_H

#include "active/guard/chain.h"

enum { AUDIT_FILE_BYTES = 16 * 1024 * 1024 }; /* then the next start begins another */

struct audit {
	char folder[300];
	unsigned file;      /* number of the open one */
	int fd;             /* -1: nothing can be written */
	uint64_t bytes;     /* of the open one */
	struct chain chain;
	bool broken;        /* its chain does not hold: nothing is written any more, nothing done */
	char *line;         /* under construction */
	size_t used;
	bool full;          /* the line did not fit */
};

/*
 * Opens or makes the folder and goes on where the last line ends; an unfinished one is closed and told
 * about. True when it can be written to; else says why by log_error(), and every audit_end() fails.
 */
bool audit_open(struct audit *a, const char *state_dir);
void audit_close(struct audit *a);

/* One record: begin, its fields, end. Texts may hold anything. */
void audit_begin(struct audit *a, const char *type, int64_t time_ns);
void audit_text(struct audit *a, const char *key, const char *value);
void audit_number(struct audit *a, const char *key, int64_t value);
void audit_hex(struct audit *a, const char *key, const void *bytes, size_t len);
/* A list of documents: audit_list_begin(), for each audit_item() and fields, audit_list_end(). */
void audit_list_begin(struct audit *a, const char *key);
void audit_item(struct audit *a);
void audit_item_end(struct audit *a);
void audit_list_end(struct audit *a);
/*
 * Writes it; with `durable` it is on the disk when this returns. Its number, or 0 when it could not be
 * written; then the file is as it was before.
 */
uint64_t audit_end(struct audit *a, bool durable);

#endif
