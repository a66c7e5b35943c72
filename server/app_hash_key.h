/* app_hash_key - longhandd --hash-key: a key from standard input, its hash to standard output. */
#ifndef LONGHAND_APP_HASH_KEY_H
#define LONGHAND_APP_HASH_KEY_H

/* At a terminal it asks, and what is typed is not shown. Prints what `keys` of the configuration
 * takes. Returns the exit code: 0; 1 when there is no key or it could not be sent as one. */
int app_hash_key(void);
#endif
