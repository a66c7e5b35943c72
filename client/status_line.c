#include "status_line.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ROWS_MIN = 5 };

void status_line_begin(struct status_line *status)
{
	struct winsize size;

	*status = (struct status_line){ .is_terminal = false };
	if (!isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO) ||
	    ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < ROWS_MIN)
		return;
	status->is_terminal = true;
	status->rows = size.ws_row;
	status->columns = size.ws_col;
	(void)fflush(stdout);
	/* Room for the line first, then the region without the last row; the cursor comes back. */
	(void)fprintf(stderr, "\n\033[A\0337\033[1;%dr\0338", status->rows - 1);
}

void status_line_show(struct status_line *status, const char *milestone, const char *text)
{
	bool is_new = strcmp(status->last_milestone, milestone) != 0;

	(void)fflush(stdout);
	(void)snprintf(status->last_milestone, sizeof(status->last_milestone), "%s", milestone);
	if (status->is_terminal)
		(void)fprintf(stderr, "\0337\033[%d;1H\033[K\033[7m %.*s \033[0m\0338",
			      status->rows, status->columns - 2, text);
	else if (is_new)
		(void)fprintf(stderr, "%s\n", text);
}

void status_line_end(struct status_line *status)
{
	if (!status->is_terminal)
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr, "\0337\033[%d;1H\033[K\033[r\0338", status->rows);
	status->is_terminal = false;
}
