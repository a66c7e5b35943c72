/* err - the one error type, from the bottom of the program to the top.
 *
 * Leaves return it, the edge (api/, app.c) logs it once. A table, so that code, name and
 * sentence cannot drift apart. */
#ifndef LONGHAND_BASE_ERR_H
#define LONGHAND_BASE_ERR_H

#define ERRORS(X)                                                          \
	X(OK, "ok")                                                        \
	X(ERR_CANCELED, "cancelled")                                       \
	X(ERR_TIMEOUT, "a deadline passed")                                \
	X(ERR_REFUSED, "the other side refused the connection")            \
	X(ERR_UPSTREAM, "the backend failed")                              \
	X(ERR_BUSY, "the backend asks to wait")                            \
	X(ERR_REJECTED, "the backend rejected the request")                \
	X(ERR_BROKEN, "the connection broke before the end")               \
	X(ERR_NO_MEMORY, "out of memory")                                  \
	X(ERR_TOO_LARGE, "larger than its limit")                          \
	X(ERR_INVALID, "not valid")                                        \
	X(ERR_CONFLICT, "somebody else wrote first")                       \
	X(ERR_UNKNOWN, "nobody knows whether it happened")                 \
	X(ERR_NOT_FOUND, "not found")                                      \
	X(ERR_EXISTS, "exists already")                                    \
	X(ERR_LIMIT, "a limit is reached")                                 \
	X(ERR_IO, "input or output failed")

enum err {
#define X(name, text) name,
	ERRORS(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* A short sentence part for logs and messages. Never NULL. */
const char *err_text(enum err err);
#endif
