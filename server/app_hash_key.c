#include "app_hash_key.h"
#include "base/key_hash.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The line without its end, in `key`. Returns its length; SIZE_MAX: none, or it is too long. */
static size_t read_line(char *key, size_t size)
{
	size_t len;

	if (fgets(key, (int)size, stdin) == NULL)
		return SIZE_MAX;
	len = strcspn(key, "\r\n");
	return len + 1 < size ? len : SIZE_MAX;
}

static size_t ask_for_line(char *key, size_t size)
{
	struct termios shown;
	struct termios hidden;
	size_t len;

	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return read_line(key, size);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	(void)fputs("Key: ", stderr);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	len = read_line(key, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	(void)fputs("\n", stderr);
	return len;
}

int app_hash_key(void)
{
	char key[KEY_BYTES_MAX + 3]; /* CR, LF and the end behind it */
	char text[KEY_HASH_TEXT_BYTES];
	struct key_hash hash;
	size_t len = isatty(STDIN_FILENO) ? ask_for_line(key, sizeof(key))
					  : read_line(key, sizeof(key));

	if (len == SIZE_MAX || !key_is_sendable(key, len)) {
		(void)fprintf(stderr,
			      "longhandd: a key is one line of 1 to %d visible ASCII characters\n",
			      (int)KEY_BYTES_MAX);
		return 1;
	}
	key_hash_of(key, len, &hash);
	explicit_bzero(key, sizeof(key));
	key_hash_print(&hash, text);
	return puts(text) < 0 ? 1 : 0;
}
