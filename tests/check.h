/* check - what every unit test includes: cmocka in its required order. */
#ifndef LONGHAND_TESTS_CHECK_H
#define LONGHAND_TESTS_CHECK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#endif
