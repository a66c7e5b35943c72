/* store_memory - logs in this process' memory: quick, and gone with it. */
#ifndef LONGHAND_STORE_STORE_MEMORY_H
#define LONGHAND_STORE_STORE_MEMORY_H
#include "store/store.h"

struct store_memory;

/* A log goes by itself retention_ms after the job's end; 0: on the next turn. */
MUST_CHECK enum err store_memory_new(struct reactor *reactor, uint64_t retention_ms,
				     struct store_memory **ret_store);
/* For jobs that end from now on. */
void store_memory_set_retention(struct store_memory *store, uint64_t retention_ms);
/* No operation may be live; NULL ok. */
void store_memory_free(struct store_memory *store);
struct store *store_memory_port(struct store_memory *store);
size_t store_memory_logs(const struct store_memory *store);
#endif
