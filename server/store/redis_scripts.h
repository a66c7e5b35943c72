/* redis_scripts - what must happen at once in Redis, as Lua that runs there: the one place where
 * the key layout's rules stand (docs/operations.md describes the layout for people and tools).
 *
 * Each runs whole or not at all, and touches no key that its comment does not name. They are loaded
 * on every connection and called by their hash. */
#ifndef LONGHAND_STORE_REDIS_SCRIPTS_H
#define LONGHAND_STORE_REDIS_SCRIPTS_H

enum redis_script {
	REDIS_SCRIPT_BEGIN,
	REDIS_SCRIPT_CREATE,
	REDIS_SCRIPT_APPEND,
	REDIS_SCRIPT_ERASE,
	REDIS_SCRIPT_FIND,
	REDIS_SCRIPT_ORPHANS,
	REDIS_SCRIPT_COUNT,
};

extern const char *const redis_scripts[REDIS_SCRIPT_COUNT];
#endif
