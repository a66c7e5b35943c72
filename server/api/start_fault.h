/* start_fault - what a client is told whose long text can not be begun, or gone on with, now. */
#ifndef LONGHAND_API_START_FAULT_H
#define LONGHAND_API_START_FAULT_H
#include "api/api.h"

/* `err`: of registry_start() or registry_resume(); `words`: those asked for. */
void start_fault(const struct api *api, const char *owner, long words, enum err err,
		 struct api_fault *fault);
#endif
