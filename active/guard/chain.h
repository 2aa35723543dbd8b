/*
 * The chain of the audit: what makes a line removed, changed or put between be seen.
 *
 * DIR/NNNN.log holds one JSON document a line. Each begins with its number, its time, and the SHA-256
 * of the line before it (64 zeros for the first), and so seals all before it:
 *
 *   {"number":7,"time_ns":1763793600000000000,"previous":"9f86d0...","type":"sent", ... }
 *
 * A line that a killed writer left unfinished is followed by one of type "torn" with its hash.
 * The chain alone can't show that lines are missing at its end: the ledger beside it, and each event
 * that names a record's number, can.
 */
#ifndef ACTIVE_GUARD_CHAIN_H
#define ACTIVE_GUARD_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAIN_HASH_BYTES = 32, CHAIN_WHY_BYTES = 160, CHAIN_LINE_BYTES = 1024 * 1024 };

/* Where the chain stands after the lines so far. Zeroed memory is the chain before its first line. */
struct chain {
	uint64_t number;                /* of the last line */
	int64_t time_ns;                /* the latest of all lines */
	uint8_t hash[CHAIN_HASH_BYTES]; /* of the last whole line */
	bool torn;                      /* an unfinished line came after it */
	uint8_t torn_hash[CHAIN_HASH_BYTES];
	char why[CHAIN_WHY_BYTES];      /* of the first fault */
};

void chain_hash(const void *bytes, size_t len, uint8_t out[CHAIN_HASH_BYTES]);

/* Takes the next line, without its end. False, with a sentence in why, when it does not follow. */
bool chain_take(struct chain *c, const char *line, size_t len);

/* Name of the n-th file, from 1: "0001.log". */
void chain_file(unsigned n, char out[16]);

/*
 * Takes all lines of one file. `see` (may be NULL) gets each whole line that follows, ended by a zero. Bytes after the last
 * line end are an unfinished line: *tail is their number. False at the first fault.
 */
typedef void chain_see(void *context, const struct chain *c, const char *line, size_t len);
bool chain_read(struct chain *c, int fd, chain_see *see, void *context, size_t *tail);

/*
 * What every record of the ledger begins with (see active/prober/ledger.h): where the chain stood
 * when it was written. A chain that ends before it was cut short.
 */
struct chain_mark {
	uint64_t number;
	uint8_t hash[CHAIN_HASH_BYTES];
};
enum { LEDGER_RECORD_BYTES = 384 };

#endif
