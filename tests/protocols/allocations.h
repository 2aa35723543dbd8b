/* Counts what a program takes from the heap, to show that a classifier takes nothing. */
#ifndef TESTS_PROTOCOLS_ALLOCATIONS_H
#define TESTS_PROTOCOLS_ALLOCATIONS_H

/* How often malloc(), calloc() or realloc() was called so far; always 0 in a sanitized build, which has its own. */
unsigned long allocations(void);

#endif
