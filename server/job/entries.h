/* entries - a log's events out of the entries that a store gives, piece by piece.
 *
 * Two writers of one log may both write what a failover had dropped, so a line may come again: the
 * same epoch and seq is the same event, and events at or below the last place are skipped. What is
 * left must follow without a gap: the log begins with `created` at 1-1; in an epoch seq counts by
 * one; a higher epoch begins with `claimed` at seq 0; and text stands where the text before it ends
 * (else some of it was lost). Behind the end there is nothing: a claim that landed there is no
 * event of the log.
 *
 * Embedded in its reader; holds nothing to be released, borrows what was fed until it is used up.
 */
#ifndef LONGHAND_JOB_ENTRIES_H
#define LONGHAND_JOB_ENTRIES_H
#include "store/store.h"
#include "writing/event.h"

struct entries {
	struct store_place last; /* of the last event met, skipped ones too; {0,0}: none */
	uint64_t content_bytes;	 /* of all text met */
	bool has_ended;		 /* `done` or `failed` was met */
	bool is_behind_end;	 /* something stands behind it: a claim that came too late */
	struct slice left;	 /* what is not used up */
};

void entries_init(struct entries *entries);
/* What a store_read brought, to be used up before the next. */
void entries_feed(struct entries *entries, struct slice data);
/* The next new event, the caller's own. ERR_NOT_FOUND: no more of them in what was fed. ERR_BROKEN:
 * a gap, text is lost; ERR_INVALID: not a line of a log; ERR_NO_MEMORY. After an error but
 * ERR_NOT_FOUND nothing more can be read. */
MUST_CHECK enum err entries_next(struct entries *entries, struct event *ret_event);
/* A line of what was fed, as it is; false: no more. For who does not want them in order. */
bool entries_cut(struct entries *entries, struct slice *ret_line);
#endif
