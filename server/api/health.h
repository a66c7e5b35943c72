/* health - /healthz (the process turns), /readyz (send me requests), /metrics (Prometheus). None
 * depends on the backends. */
#ifndef LONGHAND_API_HEALTH_H
#define LONGHAND_API_HEALTH_H
#include "api/api.h"

void health_alive(struct api *api, struct request *request, const char *rest,
	      const char *owner);
void health_ready(struct api *api, struct request *request, const char *rest,
	      const char *owner);
void health_metrics(struct api *api, struct request *request, const char *rest,
	      const char *owner);
#endif
