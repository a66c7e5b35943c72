/* mem - allocation that a test can make fail.
 *
 * All of the program's own memory comes from here, and jansson's too (mem_init), so a test that
 * fails the nth allocation reaches every error path. One thread only: the loop's. */
#ifndef LONGHAND_BASE_MEM_H
#define LONGHAND_BASE_MEM_H
#include <stddef.h>

/* Routes jansson's allocations through here and seeds its hash. Call once, before any thread. */
void mem_init(void);

/* Zeroed memory, or NULL. `bytes` may be 0. */
void *mem_alloc(size_t bytes) __attribute__((warn_unused_result));
/* As realloc; on NULL the old block stays as it was. */
void *mem_realloc(void *block, size_t bytes) __attribute__((warn_unused_result));
/* A terminated copy of `len` bytes, or NULL. */
char *mem_copy(const char *data, size_t len) __attribute__((warn_unused_result));
char *mem_strdup(const char *text) __attribute__((warn_unused_result));
/* NULL is allowed. */
void mem_free(void *block);

/* For tests: the nth allocation from now (1 = the next) fails, once; 0 = none. */
void mem_fail_at(size_t nth);
/* Allocations since the start, so that a test knows how many there are to fail. */
size_t mem_count(void);
/* Allocations that came back NULL, made to or really: tells a lack of memory from an error of a
 * library that does not (jansson's parser). Any thread's. */
size_t mem_failures(void);
#endif
