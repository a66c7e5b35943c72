/* self_talk - small models write about the text they are to write: "In this article, I will ...",
 * "This 1,000-word piece ...". Far wider than phrases.h, for context `direct` only: what it takes
 * from a small model's text is no loss, from a large one's it would be. */
#ifndef LONGHAND_WRITING_SELF_TALK_H
#define LONGHAND_WRITING_SELF_TALK_H
#include <stdbool.h>
#include "base/buf.h"

/* is_personal: the text may say "I" (a story, a letter, a speech). */
bool is_self_talk(struct slice sentence, bool is_personal);
#endif
