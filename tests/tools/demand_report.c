/* demand_report - how well demands are read from rows {"prompt", "type",
 * "length"}, one a line.
 *
 * usage: demand_report ROWS.jsonl. Prints the rows more than 10% off their
 * label, and of the rows of 1,000 words or more those that a plain model id
 * would not get planned. */
#include "base/text.h"
#include "writing/demand.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 1 << 20, LONG_WORDS = 1000, TOLERANCE_PERCENT = 10, SHOWN_BYTES = 40 };

struct totals {
	int rows;
	int near;
	int long_rows;
	int planned;
};

static void report_row(struct totals *totals, const char *prompt, size_t len, long label)
{
	struct demand demand;
	bool is_near;
	bool is_planned;

	demand_read(prompt, len, &demand);
	is_near = labs(demand.target_words - label) * 100 <= label * TOLERANCE_PERCENT;
	is_planned = demand.has_number && demand.is_writing && demand.target_words >= LONG_WORDS;
	totals->rows++;
	totals->near += is_near;
	if (label >= LONG_WORDS) {
		totals->long_rows++;
		totals->planned += is_planned;
	}
	if (!is_near || (label >= LONG_WORDS && !is_planned))
		printf("row %d: label %ld, read %ld%s: %.*s\n", totals->rows, label,
		       demand.target_words, demand.is_writing ? "" : " (not writing)",
		       (int)text_whole(prompt, len < SHOWN_BYTES ? len : SHOWN_BYTES), prompt);
}

int main(int argc, char **argv)
{
	struct totals totals = { 0 };
	char *line = malloc(LINE_MAX_BYTES);
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (file == NULL || line == NULL) {
		fprintf(stderr, "usage: demand_report ROWS.jsonl\n");
		free(line);
		return 2;
	}
	while (fgets(line, LINE_MAX_BYTES, file) != NULL) {
		json_t *row = json_loads(line, 0, NULL);
		json_t *prompt = json_object_get(row, "prompt");

		if (json_is_string(prompt))
			report_row(&totals, json_string_value(prompt), json_string_length(prompt),
				   (long)json_integer_value(json_object_get(row, "length")));
		json_decref(row);
	}
	fclose(file);
	free(line);
	printf("within %d%% of the label: %d of %d; of %d rows of %d words or more, "
	       "%d planned\n",
	       TOLERANCE_PERCENT, totals.near, totals.rows, totals.long_rows, LONG_WORDS,
	       totals.planned);
	return 0;
}
