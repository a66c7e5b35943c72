/* chat - POST /v1/chat/completions: read, routed, and either passed through or written long. */
#ifndef LONGHAND_API_CHAT_H
#define LONGHAND_API_CHAT_H
#include "api/api.h"

void chat_handle(struct api *api, struct request *request, const char *rest, const char *owner);
#endif
