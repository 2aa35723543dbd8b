/* Stands before the C library's allocator and counts. */
#include "tests/protocols/allocations.h"

#include <stddef.h>
#include <stdlib.h>

#ifdef ASKANCE_SANITIZED

unsigned long allocations(void)
{
	return 0;
}

#else

/* glibc's own names for what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static unsigned long count;

unsigned long allocations(void)
{
	return count;
}

void *malloc(size_t size)
{
	count++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count++;
	return __libc_calloc(n, size);
}

void *realloc(void *block, size_t size)
{
	count++;
	return __libc_realloc(block, size);
}

#endif
