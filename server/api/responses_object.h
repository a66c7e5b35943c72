/* responses_object - a response as JSON, with every member that OpenAI and Open Responses require.
 * Pure: the same struct gives the same bytes. */
#ifndef LONGHAND_API_RESPONSES_OBJECT_H
#define LONGHAND_API_RESPONSES_OBJECT_H
#include <jansson.h>
#include "base/buf.h"
#include "base/completion.h"
#include "base/err.h"

enum { RESPONSES_RENDER_BYTES_MAX = 512 << 20, RESPONSES_TEXT_BYTES_MAX = 64 << 20 };

/* All borrowed. */
struct response_object {
	const char *job; /* 32 hex digits: the ids are made of it */
	const char *model;
	const json_t *facts; /* as responses_request_facts() made them */
	bool is_stored;
	const char *status;
	long long created_s, completed_s; /* completed 0: null */
	bool has_thoughts, has_message;	  /* the items that there are */
	struct slice thoughts, text;
	const char *item_status; /* of the message */
	const char *error_code;	 /* NULL: no error */
	const char *error_message;
	const char *incomplete_reason; /* "max_output_tokens", "content_filter"; NULL: whole */
	const struct usage *usage;     /* NULL: null */
	const json_t *plan, *report;   /* of `longhand`; NULL: none */
};

MUST_CHECK enum err response_object_render(const struct response_object *object, struct buf *out);
/* The output's items; without their text where they have only begun. */
MUST_CHECK enum err response_thoughts_render(const struct response_object *object, bool has_begun,
					     struct buf *out);
MUST_CHECK enum err response_message_render(const struct response_object *object, bool has_begun,
					    struct buf *out);
/* {"type":"output_text","text":...,"annotations":[],"logprobs":[]} */
MUST_CHECK enum err response_part_render(struct slice text, struct buf *out);
/* {"type":"summary_text","text":...} */
MUST_CHECK enum err response_summary_render(struct slice text, struct buf *out);
#endif
