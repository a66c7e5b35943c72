/* logging - one line per event, to standard error.
 *
 *   2026-01-31T12:00:00.123Z info listening address=127.0.0.1:8080 backends=2
 *
 * The event is a fixed word; the format is pairs `key=value` separated by one space. What %s
 * brings is quoted as a JSON string when it is empty or holds a space, a quote, a backslash, an
 * equals sign, a control character or a byte that is not UTF-8, so that a line stays one line
 * and can be read back. Conversions: %s %.*s %d %i %u %x %f %.Nf %%, the integers with the
 * lengths l, ll, z and j too; anything else ends the line there. Lines are cut at LOG_LINE_BYTES.
 *
 * Never give it prompts, texts, request bodies or keys. Library code returns errors; the edge
 * (api/, app.c) logs, once. One thread: the loop's. */
#ifndef LONGHAND_BASE_LOGGING_H
#define LONGHAND_BASE_LOGGING_H
#include <stddef.h>

#define LOG_LEVELS(X) \
	X(ERROR, "error") \
	X(WARN, "warn")   \
	X(INFO, "info")   \
	X(DEBUG, "debug")

enum log_level {
#define X(name, text) LOG_LEVEL_##name,
	LOG_LEVELS(X)
#undef X
};

enum { LOG_LINE_BYTES = 2048 };

/* Takes a whole line with its newline; not terminated. */
typedef void log_sink_fn(const char *line, size_t len, void *context);

/* Events above the level are dropped; info is what a program starts with. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* For tests; NULL goes back to standard error. */
void log_set_sink(log_sink_fn *sink, void *context);

void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For an event without pairs: log_info("stopped", NO_PAIRS). */
#define NO_PAIRS "%s", ""
#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_event(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#endif
