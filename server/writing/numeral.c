#include "writing/numeral.h"
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool has(const char *at, const char *with)
{
	return strncmp(at, with, strlen(with)) == 0;
}

/* Behind a group separator and three digits, or `at`. */
static const char *skip_group(const char *at)
{
	if (*at != ',' && *at != ' ' && *at != '.' && *at != '\'')
		return at;
	if (is_digit(at[1]) && is_digit(at[2]) && is_digit(at[3]) && !is_digit(at[4]))
		return at + 1;
	if (*at == ',' && is_digit(at[1]) && is_digit(at[2]) && is_digit(at[3]) && at[4] == ',')
		return at + 1;
	return at;
}

static double read_digits(const char **at)
{
	double value = 0;
	double place = 1;

	for (;; (*at)++) {
		const char *group;

		while (is_digit(**at) && value < NUMERAL_MAX)
			value = value * 10 + (*(*at)++ - '0');
		while (is_digit(**at))
			(*at)++;
		group = skip_group(*at);
		if (group == *at || value == 0)
			break;
	}
	if (**at != '.' || !is_digit((*at)[1]))
		return value;
	for ((*at)++; is_digit(**at); (*at)++)
		value += (place /= 10) * (**at - '0');
	return value;
}

static const struct {
	const char *word;
	long value;
} english[] = {
	{ "one", 1 },	     { "two", 2 },	   { "three", 3 },	   { "four", 4 },
	{ "five", 5 },	     { "six", 6 },	   { "seven", 7 },	   { "eight", 8 },
	{ "nine", 9 },	     { "ten", 10 },	   { "eleven", 11 },	   { "twelve", 12 },
	{ "thirteen", 13 },  { "fourteen", 14 },   { "fifteen", 15 },	   { "sixteen", 16 },
	{ "seventeen", 17 }, { "eighteen", 18 },   { "nineteen", 19 },	   { "twenty", 20 },
	{ "thirty", 30 },    { "forty", 40 },	   { "fifty", 50 },	   { "sixty", 60 },
	{ "seventy", 70 },   { "eighty", 80 },	   { "ninety", 90 },	   { "a", 1 },
	{ "hundred", 100 },  { "thousand", 1000 }, { "million", 1000000 },
};

/* The value of the whole word at `at`, 0 where it is no numeral; *ret_end is
 * behind it. */
static long english_word(const char *at, const char **ret_end)
{
	size_t len = 0;

	while (is_letter(at[len]))
		len++;
	*ret_end = at + len;
	for (size_t i = 0; i < sizeof(english) / sizeof(english[0]); i++)
		if (len > 0 && english[i].word[0] == *at && strlen(english[i].word) == len &&
		    memcmp(at, english[i].word, len) == 0)
			return english[i].value;
	return 0;
}

static const char *skip_joint(const char *at)
{
	if (has(at, " and "))
		return at + 5;
	return *at == ' ' || *at == '-' ? at + 1 : at;
}

static bool read_english(const char **at, double *ret_value)
{
	const char *end;
	double total = 0;
	double part = 0;
	const char *next = *at;
	long word = english_word(next, &end);

	if (word == 0 || word >= 100)
		return false;
	if (*next == 'a' && english_word(skip_joint(end), &end) < 100)
		return false; /* "a" counts only in "a hundred" */
	while ((word = english_word(next, &end)) != 0 && total < NUMERAL_MAX) {
		if (word >= 1000) {
			total += part * (double)word;
			part = 0;
		} else if (word == 100) {
			part *= 100;
		} else {
			part += (double)word;
		}
		*at = end;
		next = skip_joint(end);
	}
	*ret_value = total + part;
	return *ret_value > 0;
}

static int chinese_digit(const char *at)
{
	static const char digits[] = "零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖两";

	if ((unsigned char)*at < 0x80)
		return -1;
	for (int i = 0; digits[i * 3] != '\0'; i++)
		if (strncmp(at, digits + i * 3, 3) == 0)
			return i == 20 ? 2 : i % 10;
	return -1;
}

static long chinese_unit(const char *at)
{
	static const struct {
		const char *sign;
		long value;
	} units[] = { { "十", 10 }, { "百", 100 }, { "千", 1000 }, { "万", 10000 },
		      { "拾", 10 }, { "佰", 100 }, { "仟", 1000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (has(at, units[i].sign))
			return units[i].value;
	return 0;
}

struct chinese {
	double total; /* closed by a 万 */
	double part;
	long digit; /* -1: none waits */
	long unit;  /* the last one */
};

/* One sign taken in; false where it cannot go on the number. */
static bool chinese_step(struct chinese *number, const char *at)
{
	long unit = chinese_unit(at);
	int digit = chinese_digit(at);

	if (unit == 0 && digit < 0)
		return false;
	if (unit == 0) {
		number->digit = digit;
		if (digit == 0)
			number->unit = 10; /* after 零 a digit counts single */
		return true;
	}
	if (unit < 10000) {
		number->part += (double)((number->digit < 0 ? 1 : number->digit) * unit);
	} else {
		number->part += (double)(number->digit < 0 ? 0 : number->digit);
		number->total += (number->part > 0 ? number->part : 1) * (double)unit;
		number->part = 0;
	}
	number->digit = -1;
	number->unit = unit;
	return true;
}

static bool read_chinese(const char **at, double *ret_value)
{
	struct chinese number = { .digit = -1 };
	const char *start = *at;

	while (number.total < NUMERAL_MAX && chinese_step(&number, *at))
		*at += 3;
	if (*at == start)
		return false;
	if (number.digit >= 0) /* "两千五" is 2500, "五" is 5 */
		number.part +=
			(double)number.digit * (double)(number.unit >= 100 ? number.unit / 10 : 1);
	*ret_value = number.total + number.part;
	return *ret_value > 0;
}

/* "k", "thousand", 千, 万 behind digits. */
static long read_multiplier(const char **at)
{
	static const struct {
		const char *sign;
		long value;
	} signs[] = { { "k", 1000 },	     { " k", 1000 },	  { "thousand", 1000 },
		      { " thousand", 1000 }, { " hundred", 100 }, { " million", 1000000 },
		      { "百", 100 },	     { "千", 1000 },	  { "万", 10000 },
		      { "w", 10000 } };

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *end = *at + strlen(signs[i].sign);

		if (has(*at, signs[i].sign) && !(is_letter(end[-1]) && is_letter(*end))) {
			*at = end;
			return signs[i].value;
		}
	}
	return 1;
}

bool numeral_parse(const char *text, size_t at, struct numeral *ret_numeral)
{
	const char *from = text + at;
	double value = 0;
	long multiplier = 1;

	if (is_digit(*from)) {
		double rest = 0;

		value = read_digits(&from);
		multiplier = read_multiplier(&from);
		value *= (double)multiplier;
		if (multiplier == 10000 && read_chinese(&from, &rest)) /* 1万5千, 1万五 */
			value += rest < 10 ? rest * 1000 : rest;
		else if (multiplier == 10000 && is_digit(*from) && has(from + 1, "千"))
			value += (double)(*from - '0') * 1000, from += 4;
	} else if (is_letter(*from)) {
		if (!read_english(&from, &value))
			return false;
	} else if (!read_chinese(&from, &value)) {
		return false;
	}
	ret_numeral->value = value > NUMERAL_MAX ? NUMERAL_MAX : (long)(value + 0.5);
	ret_numeral->multiplier = multiplier;
	ret_numeral->end = (size_t)(from - text);
	return true;
}
