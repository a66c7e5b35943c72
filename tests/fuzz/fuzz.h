/* fuzz - what a fuzz target is: one function that takes any bytes and breaks no rule.
 *
 * Built twice: by clang with libFuzzer, which makes the bytes up (`make fuzz`), and with replay.c,
 * which reads them from files (`make unit` runs the corpus through each target). A target fails by
 * dying: a sanitizer's report, or MUST() for what has to hold whatever the bytes are. */
#ifndef LONGHAND_FUZZ_FUZZ_H
#define LONGHAND_FUZZ_FUZZ_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/must.h"

/* Both names are libFuzzer's. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the part before the next `mark` off `rest`; all of it where there is none. False: nothing
 * was left. */
bool fuzz_cut(struct slice *rest, char mark, struct slice *ret_part);
/* A copy of its own size, so that a read beyond it is seen; bytes that are not UTF-8 become '?'. */
struct buf fuzz_text(struct slice bytes);
#endif
