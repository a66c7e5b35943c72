#include "base/logging.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"

/* Room for the newline is kept. */
struct line {
	char data[LOG_LINE_BYTES];
	size_t len;
};

/* One conversion of the format: %.3f, %zu, ... */
struct conversion {
	int precision; /* -1: none */
	char length;   /* 0, 'l', 'q' for ll, 'z', 'j' */
	char kind;
};

/* In a struct, so that functions can share one list. */
struct arguments {
	va_list list;
};

static const char *const level_names[] = {
#define X(name, text) [LOG_LEVEL_##name] = text,
	LOG_LEVELS(X)
#undef X
};

static enum log_level max_level = LOG_LEVEL_INFO;
static log_sink_fn *current_sink;
static void *current_context;

void log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log_get_level(void)
{
	return max_level;
}

void log_set_sink(log_sink_fn *sink, void *context)
{
	current_sink = sink;
	current_context = context;
}

/* Appends what there is room for, whole code points only. */
static void put(struct line *line, const char *data, size_t len)
{
	size_t room = sizeof(line->data) - 1 - line->len;

	if (len > room)
		len = text_whole(data, room);
	memcpy(line->data + line->len, data, len);
	line->len += len;
}

static void put_str(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static bool needs_quotes(const char *data, size_t len)
{
	if (len == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)data[i] <= ' ' || strchr("\"\\=\x7f", data[i]) != NULL)
			return true;
	return !text_is_valid(data, len);
}

/* The letter that stands for an ASCII character behind a backslash; 0: none. */
static char short_escape(uint32_t code)
{
	switch (code) {
	case '"':
	case '\\':
		return (char)code;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void put_quoted(struct line *line, const char *data, size_t len)
{
	const char *end = data + len;

	put(line, "\"", 1);
	while (data < end) {
		uint32_t code = text_next(&data, end);
		char letter = short_escape(code);
		char bytes[8];

		if (letter != 0)
			put(line, (char[]){ '\\', letter }, 2);
		else if (code < 0x20 || code == 0x7f)
			put(line, bytes,
			    (size_t)snprintf(bytes, sizeof(bytes), "\\u%04x", (unsigned)code));
		else
			put(line, bytes, text_put(bytes, code));
	}
	put(line, "\"", 1);
}

/* Without a key before it, an empty value is nothing (NO_PAIRS). */
static void put_value(struct line *line, const char *data, size_t len)
{
	bool has_key = line->len > 0 && line->data[line->len - 1] == '=';

	if (needs_quotes(data, len) && (len > 0 || has_key))
		put_quoted(line, data, len);
	else
		put(line, data, len);
}

static void put_string(struct line *line, int precision, struct arguments *arguments)
{
	const char *text = va_arg(arguments->list, const char *);

	if (text == NULL)
		put_str(line, "(null)");
	else
		put_value(line, text,
			  precision >= 0 ? strnlen(text, (size_t)precision) : strlen(text));
}

static intmax_t next_signed(char length, struct arguments *arguments)
{
	switch (length) {
	case 'l':
		return va_arg(arguments->list, long);
	case 'q':
		return va_arg(arguments->list, long long);
	case 'z':
		return va_arg(arguments->list, ssize_t);
	case 'j':
		return va_arg(arguments->list, intmax_t);
	default:
		return va_arg(arguments->list, int);
	}
}

static uintmax_t next_unsigned(char length, struct arguments *arguments)
{
	switch (length) {
	case 'l':
		return va_arg(arguments->list, unsigned long);
	case 'q':
		return va_arg(arguments->list, unsigned long long);
	case 'z':
		return va_arg(arguments->list, size_t);
	case 'j':
		return va_arg(arguments->list, uintmax_t);
	default:
		return va_arg(arguments->list, unsigned);
	}
}

/* Prints one conversion; false for one that is not known, whose argument cannot be skipped. */
static bool put_conversion(struct line *line, const struct conversion *conversion,
			   struct arguments *arguments)
{
	char number[400]; /* the longest double has 309 digits before the point */
	int precision = conversion->precision >= 0 ? conversion->precision : 6;

	switch (conversion->kind) {
	case '%':
		put(line, "%", 1);
		return true;
	case 's':
		put_string(line, conversion->precision, arguments);
		return true;
	case 'd':
	case 'i':
		(void)snprintf(number, sizeof(number), "%jd",
			       next_signed(conversion->length, arguments));
		break;
	case 'u':
		(void)snprintf(number, sizeof(number), "%ju",
			       next_unsigned(conversion->length, arguments));
		break;
	case 'x':
		(void)snprintf(number, sizeof(number), "%jx",
			       next_unsigned(conversion->length, arguments));
		break;
	case 'f':
		(void)snprintf(number, sizeof(number), "%.*f", precision,
			       va_arg(arguments->list, double));
		break;
	default:
		return false;
	}
	put_str(line, number);
	return true;
}

/* Reads the conversion behind the % at `format`; returns behind it. */
static const char *read_conversion(const char *format, struct conversion *ret,
				   struct arguments *arguments)
{
	*ret = (struct conversion){ .precision = -1 };
	format++;
	if (*format == '.') {
		format++;
		ret->precision = 0;
		if (*format == '*') {
			ret->precision = va_arg(arguments->list, int);
			format++;
		}
		for (; *format >= '0' && *format <= '9' && ret->precision < 100; format++)
			ret->precision = ret->precision * 10 + (*format - '0');
	}
	for (; *format != '\0' && strchr("lzj", *format) != NULL; format++)
		ret->length = ret->length == 'l' ? 'q' : *format;
	ret->kind = *format;
	return ret->kind != '\0' ? format + 1 : format;
}

static void put_pairs(struct line *line, const char *format, struct arguments *arguments)
{
	while (*format != '\0') {
		size_t plain = strcspn(format, "%");
		struct conversion conversion;

		put(line, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		format = read_conversion(format, &conversion, arguments);
		if (!put_conversion(line, &conversion, arguments))
			break;
	}
}

static void put_time(struct line *line)
{
	struct timespec now;
	struct tm utc;
	char text[40];
	size_t len;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &utc) == NULL)
		return;
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text + len, sizeof(text) - len, ".%03ldZ ", now.tv_nsec / 1000000);
	put_str(line, text);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	struct line line = { .len = 0 };
	struct arguments arguments;

	if (level > max_level)
		return;
	put_time(&line);
	put_str(&line, level_names[level]);
	put(&line, " ", 1);
	put_str(&line, event);
	put(&line, " ", 1);
	va_start(arguments.list, format);
	put_pairs(&line, format, &arguments);
	va_end(arguments.list);
	if (line.data[line.len - 1] == ' ')
		line.len--;
	line.data[line.len++] = '\n';
	if (current_sink != NULL)
		current_sink(line.data, line.len, current_context);
	else if (write(STDERR_FILENO, line.data, line.len) < 0)
		return; /* nowhere left to say so */
}
