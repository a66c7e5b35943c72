#include "wrap.h"
#include "base/text.h"

enum { WORD_BYTES_MAX = 64 << 10, PARTIAL_BYTES_MAX = 1 << 20 };

void wrap_init(struct wrap *wrap, FILE *out, int columns)
{
	*wrap = (struct wrap){ .out = out, .columns = columns };
	buf_init(&wrap->word, WORD_BYTES_MAX);
	buf_init(&wrap->partial, PARTIAL_BYTES_MAX);
}

void wrap_release(struct wrap *wrap)
{
	buf_release(&wrap->word);
	buf_release(&wrap->partial);
}

static void put_word(struct wrap *wrap)
{
	if (wrap->word.len == 0)
		return;
	if (wrap->column > 0 && wrap->column + wrap->word_columns > wrap->columns) {
		(void)fputc('\n', wrap->out);
		wrap->column = 0;
	}
	(void)fwrite(wrap->word.data, 1, wrap->word.len, wrap->out);
	wrap->column += wrap->word_columns;
	wrap->word_columns = 0;
	buf_clear(&wrap->word);
}

static void put_space(struct wrap *wrap, uint32_t code)
{
	put_word(wrap);
	if (code == '\n') {
		(void)fputc('\n', wrap->out);
		wrap->column = 0;
	} else if (wrap->column > 0 && wrap->column < wrap->columns) {
		(void)fputc(' ', wrap->out); /* at the edge the line's end stands for it */
		wrap->column++;
	}
}

static void take_code(struct wrap *wrap, uint32_t code, const char *bytes, size_t len)
{
	bool is_wide = text_is_han(code) || text_is_kana(code);

	if (text_is_space(code)) {
		put_space(wrap, code);
		return;
	}
	if (is_wide)
		put_word(wrap);
	if (buf_append(&wrap->word, bytes, len) != OK) {
		put_word(wrap);
		(void)fwrite(bytes, 1, len, wrap->out);
		return;
	}
	wrap->word_columns += is_wide ? 2 : 1;
	if (is_wide || wrap->word_columns >= wrap->columns)
		put_word(wrap);
}

void wrap_write(struct wrap *wrap, const char *text, size_t len)
{
	const char *at;
	const char *end;
	size_t whole;

	if (wrap->columns <= 0 || buf_append(&wrap->partial, text, len) != OK) {
		(void)fwrite(text, 1, len, wrap->out);
		return;
	}
	whole = text_whole(buf_str(&wrap->partial), wrap->partial.len);
	at = buf_str(&wrap->partial);
	end = at + whole;
	while (at < end) {
		const char *start = at;
		uint32_t code = text_next(&at, end);

		take_code(wrap, code, start, (size_t)(at - start));
	}
	buf_consume(&wrap->partial, whole);
}

void wrap_flush(struct wrap *wrap)
{
	put_word(wrap);
	(void)fwrite(buf_str(&wrap->partial), 1, wrap->partial.len, wrap->out);
	buf_clear(&wrap->partial);
	(void)fflush(wrap->out);
}
