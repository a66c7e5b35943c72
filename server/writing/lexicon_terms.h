/* lexicon_terms - the tables of lexicon.c: verbs and nouns. Only lexicon.c searches them. */
#ifndef LONGHAND_WRITING_LEXICON_TERMS_H
#define LONGHAND_WRITING_LEXICON_TERMS_H
#include <stddef.h>
#include "writing/lexicon.h"

extern const struct term lexicon_verbs[];
extern const size_t lexicon_verb_count;
extern const struct term lexicon_nouns[];
extern const size_t lexicon_noun_count;
#endif
