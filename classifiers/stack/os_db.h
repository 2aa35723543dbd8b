/*
 * A file in the format of nmap-os-db, held against what a SYN+ACK shows that was seen and not asked for. Of its tests
 * these are compared:
 *   DF, TG, Q   of ECN when the SYN had both flags of ECN and no timestamps, else of T1
 *   W, O        of WIN and OPS (W1, O1) when the SYN had timestamps, else of ECN; of O not the MSS, which follows the path
 *   R, CC       of ECN when the SYN had both of its flags
 *   TI          of SEQ as far as one packet goes: whether numbers are all zero
 * Not answered, and left out: S, A, F, RD and T (alike for all, or not seen behind a router), how numbers and timestamps
 * grow (SEQ), answers to another MSS (O2 .. W6), and to packets that only nmap sends (T2 .. T7, U1, IE).
 *
 * A print fits when all of them do that it tells, and has as much say as the file's MatchPoints give these; one that fits but
 * for this or that has none. The file is made for answers to sixteen odd packets; one plain answer fits many systems, so
 * that only what nearly all of them agree on is told: a family of systems. No such file comes with this program.
 *
 *   MatchPoints
 *   OPS(O1=20%O2=20...)
 *
 *   Fingerprint 2N Helios IP VoIP doorbell
 *   Class 2N | embedded || specialized
 *   OPS(O1=M5B4%O2=M5B4...)
 *   WIN(W1=8000%W2=8000...)
 *   ECN(R=Y%DF=N%T=FA-104%TG=FF%W=8000%O=M5B4%CC=N%Q=)
 *   T1(R=Y%DF=N%T=FA-104%TG=FF%S=O%A=S+%F=AS%RD=0%Q=)
 */
#ifndef CLASSIFIERS_STACK_OS_DB_H
#define CLASSIFIERS_STACK_OS_DB_H

#include "classifiers/stack/stack_file.h"

enum { OS_FAMILY_BYTES = 48, OS_DB_AGREEMENT = 80 };

struct os_db;

struct os_guess {
	char family[OS_FAMILY_BYTES]; /* "Linux" */
	unsigned share;               /* per cent of the points of all prints that fit, OS_DB_AGREEMENT .. 100 */
};

/* NULL, and told, when no print in it can be used. */
struct os_db *os_db_read(const char *text, size_t len, const char *path, stack_complain *complain, void *context);
struct os_db *os_db_load_fd(int fd, const char *path, stack_complain *complain, void *context);
void os_db_free(struct os_db *db);
size_t os_db_count(const struct os_db *db);

/*
 * Guesses from a SYN+ACK and the SYN that it answers. False when the SYN had offered something else than nmap's
 * does, when no print fits, or when those that do don't agree.
 */
bool os_db_guess(const struct os_db *db, const struct stack_signature *answer, const struct stack_signature *asked, struct os_guess *guess);

#endif
