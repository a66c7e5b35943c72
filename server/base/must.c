#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *condition, const char *file, int line, const char *func)
{
	fprintf(stderr, "%s:%d: %s: must be true: %s\n", file, line, func, condition);
	abort();
}
