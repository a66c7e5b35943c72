/* Runs files through a fuzz target, without libFuzzer: those named, or all of the target's corpus,
 * tests/fuzz/corpus/NAME by the program's own name. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "fuzz/fuzz.h"

enum { PATH_BYTES = 1024, FILE_BYTES_MAX = 1 << 20 };

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat about;
	size_t size;
	uint8_t *bytes;

	if (file == NULL || fstat(fileno(file), &about) != 0 || about.st_size > FILE_BYTES_MAX) {
		perror(path);
		exit(1);
	}
	size = (size_t)about.st_size;
	bytes = malloc(size); /* of its own size: a read beyond it is seen */
	if ((bytes == NULL && size > 0) || fread(bytes, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	(void)fclose(file);
	(void)LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return 1;
}

static int run_directory(const char *path)
{
	struct dirent **entries;
	int found = scandir(path, &entries, NULL, alphasort);
	int ran = 0;

	for (int i = 0; i < found; i++) {
		char file[PATH_BYTES];

		(void)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			ran += run_file(file);
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return ran;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	char corpus[PATH_BYTES / 2];
	int ran = 0;

	(void)LLVMFuzzerInitialize(&argc, &argv);
	(void)snprintf(corpus, sizeof(corpus), "tests/fuzz/corpus/%s",
		       slash != NULL ? slash + 1 : argv[0]);
	for (int i = 1; i < argc; i++)
		ran += run_file(argv[i]);
	if (argc == 1)
		ran = run_directory(corpus);
	if (ran == 0) {
		(void)fprintf(stderr, "no files in %s\n", corpus);
		return 1;
	}
	printf("%d inputs, no rule broken\n", ran);
	return 0;
}
