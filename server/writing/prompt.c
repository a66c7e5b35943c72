#include "writing/prompt.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "writing/prompt_template.h"

enum { FILE_BYTES_MAX = 64 << 10, PATH_BYTES_MAX = 4096 };

static const struct {
	const char *name;
	const char *text;
} compiled_in[] = {
#include "prompts.inc"
};

enum { TEMPLATES = sizeof(compiled_in) / sizeof(compiled_in[0]) };

struct prompt_set {
	char *texts[TEMPLATES]; /* as compiled_in */
};

void prompt_set_free(struct prompt_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < TEMPLATES; i++)
		mem_free(set->texts[i]);
	mem_free(set);
}

const char *prompt_set_text(const struct prompt_set *set, const char *name)
{
	for (size_t i = 0; i < TEMPLATES; i++)
		if (strcmp(compiled_in[i].name, name) == 0)
			return set->texts[i];
	return NULL;
}

uint64_t prompt_set_hash(const struct prompt_set *set)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < TEMPLATES; i++) {
		for (const char *at = set->texts[i]; *at != '\0'; at++)
			hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
		hash *= 0x100000001b3u; /* the end of a file counts too */
	}
	return hash;
}

/* Ends a failure: the message, and `err` unless memory is out. */
static enum err refuse(struct buf *message, const char *path, const char *what, enum err err)
{
	enum err written = buf_printf(message, "%s: %s", path, what);

	return written == OK ? err : written;
}

static enum err read_all(FILE *file, const char *path, struct buf *out, struct buf *message)
{
	char block[4096];
	size_t len;

	while ((len = fread(block, 1, sizeof(block), file)) > 0) {
		enum err err = buf_append(out, block, len);

		if (err == ERR_TOO_LARGE)
			return refuse(message, path, "larger than 64 KB", ERR_INVALID);
		if (err != OK)
			return err;
	}
	return ferror(file) != 0 ? refuse(message, path, "cannot be read", ERR_IO) : OK;
}

static enum err check_text(const struct buf *text, const char *path, struct buf *message)
{
	struct buf fault;
	enum err err;

	if (strlen(buf_str(text)) != text->len || !text_is_valid(buf_str(text), text->len))
		return refuse(message, path, "not UTF-8 text", ERR_INVALID);
	if (text_trim(buf_str(text), text->len).len == 0)
		return refuse(message, path, "no text", ERR_INVALID);
	buf_init(&fault, 1024);
	err = template_check(buf_str(text), &fault);
	if (err == ERR_INVALID) {
		err = buf_printf(message, "%s:%s", path, buf_str(&fault));
		err = err == OK ? ERR_INVALID : err;
	}
	buf_release(&fault);
	return err;
}

/* *ret_text stays NULL when there is no such file. */
static enum err load_file(const char *path, char **ret_text, struct buf *message)
{
	FILE *file = fopen(path, "rb");
	struct buf text;
	enum err err;

	if (file == NULL && errno == ENOENT)
		return OK;
	if (file == NULL)
		return refuse(message, path, strerror(errno), ERR_IO);
	buf_init(&text, FILE_BYTES_MAX);
	err = read_all(file, path, &text, message);
	(void)fclose(file);
	if (err == OK)
		err = check_text(&text, path, message);
	if (err == OK)
		*ret_text = buf_steal(&text);
	if (err == OK && *ret_text == NULL)
		err = ERR_NO_MEMORY;
	buf_release(&text);
	return err;
}

static enum err load_one(const char *dir, size_t index, char **ret_text, struct buf *message)
{
	char path[PATH_BYTES_MAX];
	enum err err = OK;
	int len;

	*ret_text = NULL;
	if (dir != NULL) {
		len = snprintf(path, sizeof(path), "%s/%s.txt", dir, compiled_in[index].name);
		if (len < 0 || (size_t)len >= sizeof(path))
			return refuse(message, "prompts_dir", "path too long", ERR_INVALID);
		err = load_file(path, ret_text, message);
	}
	if (err != OK || *ret_text != NULL)
		return err;
	*ret_text = mem_strdup(compiled_in[index].text);
	return *ret_text != NULL ? OK : ERR_NO_MEMORY;
}

enum err prompt_set_load(const char *dir, struct prompt_set **ret_set, struct buf *ret_message)
{
	struct prompt_set *set;
	struct stat status;
	enum err err = OK;

	if (dir != NULL && stat(dir, &status) != 0)
		return refuse(ret_message, dir, strerror(errno), ERR_IO);
	if (dir != NULL && !S_ISDIR(status.st_mode))
		return refuse(ret_message, dir, "is not a directory", ERR_IO);
	set = mem_alloc(sizeof(*set));
	if (set == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; err == OK && i < TEMPLATES; i++)
		err = load_one(dir, i, &set->texts[i], ret_message);
	if (err == OK)
		*ret_set = set;
	else
		prompt_set_free(set);
	return err;
}
