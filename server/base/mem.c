#include "base/mem.h"
#include "base/must.h"
#include <stdbool.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Atomic because jansson may also parse on the thread pool. */
enum { JSON_TOKEN_BYTES = 32 };

static _Atomic size_t allocations;
static _Atomic size_t failures;
static _Atomic size_t fail_at;

static int is_to_fail(void)
{
	size_t number = ++allocations;

	return fail_at != 0 && number == fail_at;
}

static void *counted(void *block)
{
	if (block == NULL)
		failures++;
	return block;
}

/* Where jansson 2.14 cannot let the text of a token grow (to a power of two), it reads on in what
 * is too short: dying beats that. */
static bool is_fatal(size_t bytes)
{
	return bytes >= JSON_TOKEN_BYTES && (bytes & (bytes - 1)) == 0;
}

static void *json_malloc_hook(size_t bytes)
{
	void *block;

	if (!is_fatal(bytes))
		return counted(is_to_fail() ? NULL : malloc(bytes));
	block = malloc(bytes);
	MUST(block != NULL);
	return block;
}

void mem_init(void)
{
	json_set_alloc_funcs(json_malloc_hook, free);
	json_object_seed(0);
}

void *mem_alloc(size_t bytes)
{
	return counted(is_to_fail() ? NULL : calloc(1, bytes > 0 ? bytes : 1));
}

void *mem_realloc(void *block, size_t bytes)
{
	return counted(is_to_fail() ? NULL : realloc(block, bytes > 0 ? bytes : 1));
}

char *mem_copy(const char *data, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = mem_alloc(len + 1);
	if (copy != NULL && len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_copy(text, strlen(text));
}

void mem_free(void *block)
{
	free(block);
}

void mem_fail_at(size_t nth)
{
	fail_at = nth == 0 ? 0 : allocations + nth;
}

size_t mem_count(void)
{
	return allocations;
}

size_t mem_failures(void)
{
	return failures;
}
