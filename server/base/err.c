#include "base/err.h"

const char *err_text(enum err err)
{
	static const char *const texts[] = {
#define X(name, text) [name] = text,
		ERRORS(X)
#undef X
	};

	if ((unsigned)err >= sizeof(texts) / sizeof(texts[0]))
		return "an error without a name";
	return texts[err];
}
