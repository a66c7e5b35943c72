/* must - what may never be false, checked in every build.
 *
 * For broken contracts between our own parts (an op finished twice, a loop freed in use), never
 * for input: going on would corrupt something later, so the program says where and aborts. */
#ifndef LONGHAND_BASE_MUST_H
#define LONGHAND_BASE_MUST_H

#define MUST(condition) \
	((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__, __func__))

void must_fail(const char *condition, const char *file, int line, const char *func)
	__attribute__((noreturn, cold));
#endif
