/* status_line - one line that stays at the bottom of the terminal while text scrolls above it.
 *
 * On a terminal the last row is kept out of the scrolling region, as apt does. Elsewhere (a pipe, a
 * log) each different milestone is a plain line on standard error instead. */
#ifndef LONGHAND_CLIENT_STATUS_LINE_H
#define LONGHAND_CLIENT_STATUS_LINE_H
#include <stdbool.h>

struct status_line {
	bool is_terminal;
	int rows, columns;
	char last_milestone[64];
};

void status_line_begin(struct status_line *status);
/* `milestone` changes rarely (a section's start); `text` is the whole line. */
void status_line_show(struct status_line *status, const char *milestone, const char *text);
/* Gives the row back. */
void status_line_end(struct status_line *status);
#endif
