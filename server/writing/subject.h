/* subject - what a request is about, for models too small to be told about writing: "Write a
 * 1,000-word article about green tea." is about "green tea". Pure; nothing allocates. */
#ifndef LONGHAND_WRITING_SUBJECT_H
#define LONGHAND_WRITING_SUBJECT_H
#include "base/buf.h"

/* The words behind the first " about " (else " on ", else " explaining ", 关于), up to the end of
 * the clause or " in N words" / " of N words". Borrowed from `request`; len 0: it does not say. */
struct slice subject_of(struct slice request);
#endif
