/* store_memory - logs in this process' memory: quick, and gone with it. */
#ifndef LONGHAND_STORE_STORE_MEMORY_H
#define LONGHAND_STORE_STORE_MEMORY_H
#include "store/store.h"

struct store_memory;

/* A log goes by itself as store.h says; retention_ms 0: on the next turn. */
MUST_CHECK enum err store_memory_new(struct reactor *reactor, const struct store_times *times,
				     struct store_memory **ret_store);
/* For jobs that end or park from now on. */
void store_memory_set_times(struct store_memory *store, const struct store_times *times);
/* Above so many parked logs the one parked longest ago is forgotten; 0: no bound. */
void store_memory_set_parked_max(struct store_memory *store, size_t parked_max);
/* No operation may be live; NULL ok. */
void store_memory_free(struct store_memory *store);
struct store *store_memory_port(struct store_memory *store);
size_t store_memory_logs(const struct store_memory *store);
#endif
