#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 256 };

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){ .max_bytes = max_bytes };
}

void buf_release(struct buf *buf)
{
	mem_free(buf->data);
	buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
	buf_truncate(buf, 0);
}

static enum err buf_reserve(struct buf *buf, size_t more)
{
	size_t need;
	size_t size = buf->size > 0 ? buf->size : BUF_FIRST_BYTES;
	char *data;

	if (more > buf->max_bytes || buf->len > buf->max_bytes - more)
		return ERR_TOO_LARGE;
	need = buf->len + more + 1;
	if (need <= buf->size)
		return OK;
	while (size < need)
		size = size < 1u << 20 ? size * 2 : size + size / 2;
	if (size > buf->max_bytes + 1)
		size = buf->max_bytes + 1;
	data = mem_realloc(buf->data, size);
	if (data == NULL)
		return ERR_NO_MEMORY;
	buf->data = data;
	buf->size = size;
	return OK;
}

enum err buf_append(struct buf *buf, const void *data, size_t len)
{
	enum err err = buf_reserve(buf, len);

	if (err != OK)
		return err;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return OK;
}

enum err buf_append_str(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

enum err buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len;
	enum err err;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return ERR_INVALID;
	err = buf_reserve(buf, (size_t)len);
	if (err != OK)
		return err;
	va_start(args, format);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
	return OK;
}

/* The escape of an ASCII byte that JSON does not take as it is; 0 bytes for one that it takes. */
static size_t json_escape(unsigned char byte, char out[8])
{
	static const char short_for[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *pair = short_for; *pair != '\0'; pair += 2) {
		if ((unsigned char)pair[0] == byte) {
			out[0] = '\\';
			out[1] = pair[1];
			return 2;
		}
	}
	if (byte >= 0x20 && byte != 0x7f)
		return 0;
	return (size_t)snprintf(out, 8, "\\u%04x", byte);
}

static enum err append_json_body(struct buf *buf, const char *at, const char *end)
{
	const char *plain = at; /* start of what is copied as it is */
	enum err err;

	while (at < end) {
		const char *start = at;
		uint32_t code = text_next(&at, end);
		char escape[8];
		size_t len = code < 0x80 ? json_escape((unsigned char)code, escape) : 0;

		if (code == TEXT_REPLACEMENT)
			len = text_put(escape, code);
		if (len == 0)
			continue;
		err = buf_append(buf, plain, (size_t)(start - plain));
		if (err == OK)
			err = buf_append(buf, escape, len);
		if (err != OK)
			return err;
		plain = at;
	}
	return buf_append(buf, plain, (size_t)(end - plain));
}

enum err buf_append_json(struct buf *buf, const char *text, size_t len)
{
	size_t before = buf->len;
	enum err err = buf_append(buf, "\"", 1);

	if (err == OK)
		err = append_json_body(buf, text, text + len);
	if (err == OK)
		err = buf_append(buf, "\"", 1);
	if (err != OK)
		buf_truncate(buf, before);
	return err;
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len >= buf->len) {
		buf_clear(buf);
		return;
	}
	memmove(buf->data, buf->data + len, buf->len - len);
	buf_truncate(buf, buf->len - len);
}

void buf_truncate(struct buf *buf, size_t len)
{
	if (len > buf->len || buf->data == NULL)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

char *buf_steal(struct buf *buf)
{
	char *data = buf->data != NULL ? buf->data : mem_copy("", 0);

	buf_init(buf, buf->max_bytes);
	return data;
}

const char *buf_str(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}
