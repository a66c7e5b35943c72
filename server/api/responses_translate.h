/* responses_translate - a response by a backend that has chat completions only: the request's text
 * as a chat, the chat's text, reasoning and usage as a response, with the events that a response
 * has. Nothing is kept.
 *
 * Also which backends those are: it is learned by asking, once each and load. */
#ifndef LONGHAND_API_RESPONSES_TRANSLATE_H
#define LONGHAND_API_RESPONSES_TRANSLATE_H
#include "api/api.h"

struct responses_translation { /* all borrowed, the references too */
	json_t *facts;	       /* as responses_request_facts() made them */
	json_t *messages;      /* of the chat */
	const char *foreign;   /* what can not be translated; "": nothing */
	const char *model_id;  /* as the client named it */
	bool is_stream;
	struct model_target target; /* its backend's name is the settings' own */
	bool is_second;		    /* the backend was asked for a response, and has none */
	const char *authorization;  /* the client's line; NULL: none */
};

void responses_translate(struct api *api, struct request *request,
			 const struct responses_translation *asked);
/* The backend was seen to have no /responses, and chat completions in their place. */
bool responses_are_missing(const struct api *api, const char *backend);
#endif
