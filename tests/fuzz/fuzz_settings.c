/* Any bytes as configuration file: loaded or refused with a message, nothing leaked. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz/fuzz.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	char program[] = "longhandd", flag[] = "--config", key[] = "KEY=secret";
	char *argv[] = { program, flag, path, NULL };
	char *envp[] = { key, NULL };
	struct settings *settings = NULL;
	struct buf message;
	int fd = memfd_create("settings", MFD_CLOEXEC);
	enum err err;

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	buf_init(&message, SETTINGS_MESSAGE_BYTES_MAX);
	err = settings_load(3, argv, envp, &settings, &message);
	if (err == OK) {
		MUST(settings->n_backends > 0 && settings_default_backend(settings) != NULL);
		settings_unref(settings);
	} else {
		MUST((err == ERR_INVALID || err == ERR_IO) && message.len > 0);
	}
	buf_release(&message);
	(void)close(fd);
	return 0;
}
