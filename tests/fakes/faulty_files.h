/* faulty_files - the kernel's files, of which a test can make any call fail, the disk full, and
 * writes short. Syncs are counted and not carried out: nobody pulls the plug here. */
#ifndef LONGHAND_FAKES_FAULTY_FILES_H
#define LONGHAND_FAKES_FAULTY_FILES_H
#include <stdbool.h>
#include "store/file_ops.h"

struct faulty_files {
	struct file_ops ops;
	unsigned calls;	   /* of those that change something, opens included */
	unsigned fail_at;  /* the nth of them from now fails ... */
	unsigned fail_for; /* ... and so many altogether, 1 if 0 */
	int error;	   /* with this errno */
	unsigned syncs, opens;
	bool has_no_sync_all;
	uint64_t room_bytes; /* that may be written still; UINT64_MAX at first */
	int open_now, open_peak;
};

void faulty_files_init(struct faulty_files *files);
/* From now on; 0: nothing fails any more. */
void faulty_files_fail(struct faulty_files *files, unsigned nth, unsigned times, int error);
#endif
