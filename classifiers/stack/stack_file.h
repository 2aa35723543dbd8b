/*
 * Signatures of stacks in the format of p0f.fp (p0f 3, docs/README section 5): the sections [tcp:request],
 * [tcp:response] and [mtu]; others are passed over. No such file comes with this program.
 *
 *   [mtu]
 *   label = DSL
 *   sig   = 1492
 *
 *   [tcp:request]
 *   label = s:unix:Linux:3.11 and newer
 *   sig   = *:64:0:*:mss*20,10:mss,sok,ts,nop,ws:df,id+:0
 */
#ifndef CLASSIFIERS_STACK_STACK_FILE_H
#define CLASSIFIERS_STACK_STACK_FILE_H

#include "classifiers/stack/stack_signature.h"

enum { STACK_LABEL_BYTES = 96, STACK_FILE_BYTES_MAX = 16 << 20 };

struct stack_file;

struct stack_label {
	char name[STACK_LABEL_BYTES]; /* "Linux 3.11 and newer" */
	bool generic;                 /* a family rather than a version */
	bool system;                  /* an operating system, not a program with a stack of its own */
	uint32_t line;
};

/* Gets each line that was left out; 0 for the file as a whole. */
typedef void stack_complain(void *context, const char *path, uint32_t line, const char *sentence);

/* NULL, and told, when no signature in it can be used. */
struct stack_file *stack_file_read(const char *text, size_t len, const char *path, stack_complain *complain, void *context);
struct stack_file *stack_file_load_fd(int fd, const char *path, stack_complain *complain, void *context);
void stack_file_free(struct stack_file *f);
size_t stack_file_count(const struct stack_file *f); /* of both kinds */

/*
 * What [mtu] calls the link whose MTU the signature's MSS comes from, "DSL"; NULL when it says nothing of it. *mtu is set when
 * it does. A router on the way may have lowered the MSS: then it is that link's.
 */
const char *stack_file_link(const struct stack_file *f, const struct stack_signature *s, unsigned *mtu);

/*
 * The label of a signature: the first specific one that fits, else the first generic one; NULL for none. Never
 * one that fits but for this or that: such a guess is wrong for the stacks of plants.
 */
const struct stack_label *stack_file_find(const struct stack_file *f, const struct stack_signature *s);

#endif
