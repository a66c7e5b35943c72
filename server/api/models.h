/* models - GET /v1/models: the backends' models as they list them, `longhand` and the presets;
 * /v1/models/ID: one of them, the id percent-decoded. */
#ifndef LONGHAND_API_MODELS_H
#define LONGHAND_API_MODELS_H
#include "api/api.h"

void models_list(struct api *api, struct request *request, const char *rest,
	      const char *owner);
void models_show(struct api *api, struct request *request, const char *rest,
	      const char *owner);
/* NULL: not a preset. "longhand" itself is one without options. */
const struct api_preset *models_preset(const struct api *api, const char *id);
#endif
