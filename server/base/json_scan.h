/* json_scan - finds the byte ranges of an object's own members without building a tree.
 *
 * For requests that pass through: the whole text is checked against RFC 8259 (syntax, UTF-8,
 * nesting), nothing is allocated, and the members asked for come back as ranges of the caller's
 * bytes, so that one of them can be replaced and the rest forwarded as it came. The ranges live
 * as long as those bytes. A member that is asked for and stands there twice is an error, not a
 * choice: two readers that choose differently can be played against each other. */
#ifndef LONGHAND_BASE_JSON_SCAN_H
#define LONGHAND_BASE_JSON_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

/* Objects and arrays inside each other, the outermost counted. */
enum { JSON_SCAN_DEPTH_MAX = 512 };

struct json_scan_error {
	size_t offset; /* of the offending byte; the text's length where it ends too early */
	const char *text; /* what is wrong, static; never quotes the input */
};

/* Scans `text`, which must be one object. For each of the `count` `names`, `ret_values` gets the
 * value's range without the white space around it (strings with their quotes); data is NULL
 * where the member is absent. Names match after their escapes are decoded.
 * OK or ERR_INVALID with `ret_error` set (ranges are then not to be used). */
MUST_CHECK enum err json_scan(struct slice text, const char *const names[],
			      struct slice ret_values[], size_t count,
			      struct json_scan_error *ret_error);

/* What follows reads a value range that json_scan found. Absent and null are ERR_NOT_FOUND,
 * another type is ERR_INVALID; the result is set on OK only. */

/* Appends the decoded string; half of a surrogate pair becomes U+FFFD. Also what appending to
 * `out` can return. May leave a part of the string in `out` on these errors. */
MUST_CHECK enum err json_scan_string(struct slice value, struct buf *out);
MUST_CHECK enum err json_scan_bool(struct slice value, bool *ret);
bool json_scan_is_null(struct slice value);
/* Whether it is the string `text`. */
bool json_scan_is(struct slice value, const char *text);
/* An array's items, one after the other: `ret_rest` begins before the first. False: no array. */
MUST_CHECK bool json_scan_array(struct slice value, struct slice *ret_rest);
/* Takes the next item off. False: none is left. */
MUST_CHECK bool json_scan_next(struct slice *rest, struct slice *ret_item);
#endif
