/* text - UTF-8 by hand, where a library would copy. All functions accept any bytes. */
#ifndef LONGHAND_BASE_TEXT_H
#define LONGHAND_BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

#define TEXT_REPLACEMENT 0xFFFDu

/* The code point at *at (before `end`), *at moved behind it. A bad byte counts as one
 * TEXT_REPLACEMENT. Illegal: *at == end. */
uint32_t text_next(const char **at, const char *end);
/* The code point that ends right before `at`; `start` <= result start. */
uint32_t text_before(const char *start, const char *at);
bool text_is_valid(const char *data, size_t len);
/* The largest length <= len that does not cut a code point at its end. */
size_t text_whole(const char *data, size_t len);
/* Writes one code point, 1 to 4 bytes; returns how many. */
size_t text_put(char *out, uint32_t code);
bool text_is_space(uint32_t code);   /* Unicode white space, ideographic space included */
bool text_is_letter(uint32_t code);  /* Unicode L* and M* */
bool text_is_digit(uint32_t code);   /* Unicode Nd */
bool text_is_mark(uint32_t code);    /* Unicode M*: never a character of its own */
bool text_is_number(uint32_t code);  /* Unicode N*: digits, and signs such as 2 superscript, VIII */
bool text_is_lower(uint32_t code);   /* Unicode Ll */
bool text_is_han(uint32_t code);     /* Han ideographs, all planes, and U+3005..3007 */
bool text_is_kana(uint32_t code);    /* hiragana, katakana, half width too */
/* ASCII only, both. */
bool text_equals_nocase(const char *a, const char *b);
bool text_starts_nocase(const char *text, const char *prefix);
/* The same for a text that ends at `end`. */
bool text_starts_within(const char *text, const char *end, const char *prefix);
/* NFC copy appended to `out`; what is not UTF-8 is replaced. */
MUST_CHECK enum err text_nfc(const char *data, size_t len, struct buf *out);
struct slice text_trim(const char *data, size_t len);
#endif
